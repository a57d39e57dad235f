// The state in the shape in which the SDK's store shows it, so that its selectors work on it.

import { HAND_RAISE } from "./shapes.js";

/** One result for one object: parts of the state that did not change keep their identity in the view. */
function remembered(make) {
  const made = new WeakMap();
  return (source, ...more) => {
    if (!made.has(source)) made.set(source, make(source, ...more));
    return made.get(source);
  };
}

/** A record without a prototype: the keys are the peers' and may be called `constructor`. */
function record(map, show) {
  const result = Object.create(null);
  for (const [key, value] of map) result[key] = show(value);
  return result;
}

const date = (ms) => (ms === null || ms === undefined ? undefined : new Date(ms));

const remotePeer = remembered((peer) => peerView(peer, false));
const localPeer = remembered((peer) => peerView(peer, true));

const peerView = (peer, isLocal) => ({
  id: peer.id,
  person: peer.person,
  name: peer.name,
  roleName: peer.role,
  isLocal,
  auxiliaryTracks: [],
  customerUserId: peer.userId,
  metadata: peer.data,
  joinedAt: date(peer.joinedAt),
  groups: peer.groups,
  isHandRaised: peer.groups.includes(HAND_RAISE),
  type: peer.type,
  state: peer.state,
  raisedAt: peer.raisedAt,
});

const peers = remembered((map, local) =>
  record(map, (peer) => (peer.id === local ? localPeer(peer) : remotePeer(peer))),
);

const message = remembered((held) => ({ ...held, time: date(held.time), ignored: false }));
const heldBy = new WeakMap(); // messages as shown → those of the state

/** The table and its order are made when somebody looks: most changes are of messages, and most look at few of them. */
const messages = remembered((held) => {
  let byID, allIDs;
  const shown = {
    get byID() {
      return (byID ??= record(
        held.values().map((one) => [one.id, one]),
        message,
      ));
    },
    get allIDs() {
      return (allIDs ??= held.keys());
    },
  };
  heldBy.set(shown, held);
  return shown;
});

/** One of the messages of a view by its id, and all of them, without their table. */
export function messageIn(shown, id) {
  const held = heldBy.get(shown).get(id);
  return held && message(held);
}
export const messagesIn = (shown) =>
  heldBy
    .get(shown)
    .values()
    .map((held) => message(held));
const outbox = remembered((map) => [...map.values()].map(message));

const dated = (...names) =>
  remembered((list) =>
    list.map((one) => ({ ...one, ...Object.fromEntries(names.map((name) => [name, date(one[name])])) })),
  );
const missed = dated("since");
const removed = dated("removedAt");

const poll = remembered((held) => ({
  ...held,
  createdAt: date(held.createdAt),
  startedAt: date(held.startedAt),
  stoppedAt: date(held.stoppedAt),
}));
const polls = remembered((map) => record(map, poll));

const itself = (value) => value;
const roles = remembered((map) => record(map, itself));
const entries = remembered((map) => record(map, itself));
const sessionStore = remembered((map) => record(map, (entry) => entry.data));

/** @returns what hmsStore.getState() gives. `outbox`, `missed`, `removed`, `entries`, `clockOffset` are additions. */
export const view = remembered((state) => {
  const { startedAt, joinedAt, lostAt, peerCount, ...room } = state.room;
  return {
    room: {
      ...room,
      peers: [...state.peers.keys()],
      peerCount: peerCount ?? undefined,
      startedAt: date(startedAt),
      joinedAt: date(joinedAt),
    },
    peers: peers(state.peers, room.localPeer),
    messages: messages(state.messages),
    missed: missed(state.missed),
    outbox: outbox(state.outbox),
    roles: roles(state.roles),
    sessionStore: sessionStore(state.metadata),
    sessionMetadata: state.metadata.get("default")?.data,
    entries: entries(state.metadata),
    polls: polls(state.polls),
    roleChangeRequests: state.roleChangeRequests,
    removed: removed(state.removed),
    clockOffset: state.clockOffset,
    errors: state.errors,
    tracks: {},
    hideLocalPeer: false,
  };
});
