// The state in the shape in which the SDK's store shows it, so that its selectors work on it.

import { HAND_RAISE, moment } from "./shapes.js";

/** @import { HMSHistory, HMSLock, HMSMessage, HMSOutboxMessage, HMSPeer, HMSRole, HMSSessionEntry, HMSStore } from "../../hms.js" */
/** @import { Messages } from "./messages.js" */
/** @import { Gap, Lock, Message, Peer, Poll, Removed, State, Unsent } from "./types.js" */

/**
 * One result for one object: parts of the state that did not change keep their identity in the view.
 * @template {object} Source
 * @template {unknown[]} More
 * @template Shown
 * @param {(source: Source, ...more: More) => Shown} make
 * @returns {(source: Source, ...more: More) => Shown}
 */
function remembered(make) {
  /** @type {WeakMap<Source, { shown: Shown }>} */
  const made = new WeakMap();
  return (source, ...more) => {
    const held = made.get(source) ?? { shown: make(source, ...more) };
    made.set(source, held);
    return held.shown;
  };
}

/**
 * A record without a prototype: the keys are the peers' and may be called `constructor`.
 * @template Value, Shown
 * @param {Iterable<[string, Value]>} map
 * @param {(value: Value) => Shown} show
 * @returns {Record<string, Shown>}
 */
function record(map, show) {
  const result = Object.create(null);
  for (const [key, value] of map) result[key] = show(value);
  return result;
}

/** @type {(ms: number | null | undefined) => Date | undefined} */
const date = (ms) => (ms === null || ms === undefined ? undefined : new Date(ms));

const remotePeer = remembered((/** @type {Peer} */ peer) => peerView(peer, false));
const localPeer = remembered((/** @type {Peer} */ peer) => peerView(peer, true));

/** @type {(peer: Peer, isLocal: boolean) => HMSPeer} */
const peerView = ({ role, userId, data, joinedAt, ...peer }, isLocal) => ({
  ...peer,
  roleName: role,
  isLocal,
  auxiliaryTracks: [],
  customerUserId: userId,
  metadata: data,
  joinedAt: date(joinedAt),
  isHandRaised: peer.groups.includes(HAND_RAISE),
});

const peers = remembered((/** @type {State["peers"]} */ map, /** @type {string} */ local) =>
  record(map, (peer) => (peer.id === local ? localPeer(peer) : remotePeer(peer))),
);

/** @type {(held: Message) => HMSMessage} */
const message = remembered(({ time, editedAt, ...held }) => ({
  ...held,
  time: new Date(time),
  ...(editedAt !== undefined && { editedAt: new Date(editedAt) }),
  ignored: false,
}));
/** @type {(held: Unsent) => HMSOutboxMessage} */
const unsent = remembered((held) => ({ ...held, time: date(held.time), ignored: false }));

/** @type {WeakMap<HMSStore["messages"], Messages>} messages as shown → those of the state */
const heldBy = new WeakMap();

/** The table and its order are made when somebody looks: most changes are of messages, and most look at few of them. */
const messages = remembered((/** @type {Messages} */ held) => {
  /** @type {Record<string, HMSMessage> | undefined} */
  let byID;
  /** @type {string[] | undefined} */
  let allIDs;
  const shown = {
    get byID() {
      byID ??= record(
        held.values().map((one) => [one.id, one]),
        message,
      );
      return byID;
    },
    get allIDs() {
      allIDs ??= held.keys();
      return allIDs;
    },
  };
  heldBy.set(shown, held);
  return shown;
});

/**
 * One of the messages of a view by its id, without their table.
 * @param {HMSStore["messages"]} shown
 * @param {string} id
 */
export function messageIn(shown, id) {
  const held = heldBy.get(shown)?.get(id);
  return held && message(held);
}

/** @type {(shown: HMSStore["messages"]) => HMSMessage[]} */
export const messagesIn = (shown) => (heldBy.get(shown)?.values() ?? []).map((held) => message(held));

const outbox = remembered((/** @type {State["outbox"]} */ map) => [...map.values()].map(unsent));
const missed = remembered((/** @type {Gap[]} */ list) => list.map((gap) => ({ ...gap, since: date(gap.since) })));
const typing = remembered((/** @type {State["typing"]} */ map) => [...map.values()]);
/** @type {HMSHistory} */
const UNREAD = { hasMore: true, isWithheld: false };
/** @type {(read: NonNullable<State["history"]>) => HMSHistory} */
const history = remembered(({ last, withheld }) => ({ hasMore: last !== "", isWithheld: withheld }));
const removed = remembered((/** @type {Removed[]} */ list) =>
  list.map((one) => ({ ...one, removedAt: date(one.removedAt) })),
);

const poll = remembered((/** @type {Poll} */ held) => ({
  ...held,
  createdAt: date(held.createdAt),
  startedAt: date(held.startedAt),
  stoppedAt: date(held.stoppedAt),
}));
const polls = remembered((/** @type {State["polls"]} */ map) => record(map, poll));

const roles = remembered((/** @type {State["roles"]} */ map) => record(map, (/** @type {HMSRole} */ role) => role));
/** @type {(entry: HMSSessionEntry) => HMSSessionEntry} */
export const entryView = remembered((entry) => {
  const expiresAt = date(moment(entry.expires_at));
  return expiresAt ? { ...entry, expiresAt } : entry;
});
const entries = remembered((/** @type {State["metadata"]} */ map) => record(map, entryView));

/** @type {(held: Lock) => HMSLock} */
export const lockView = remembered(({ expiresAt, ...held }) => ({
  ...held,
  ...(expiresAt && { expiresAt: new Date(expiresAt) }),
}));
const locks = remembered((/** @type {State["locks"]} */ map) => record(map, lockView));
const sessionStore = remembered((/** @type {State["metadata"]} */ map) => record(map, (entry) => entry.data));

/**
 * What hmsStore.getState() gives. `outbox`, `missed`, `removed`, `entries`, `metadataRules`, `locks`, `limits`,
 * `clockOffset` are additions.
 */
export const view = remembered((/** @type {State} */ state) => {
  const { startedAt, joinedAt, lostAt, peerCount, ...room } = state.room;
  /** @type {HMSStore} */
  const shown = {
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
    typing: typing(state.typing),
    history: state.history ? history(state.history) : UNREAD,
    outbox: outbox(state.outbox),
    roles: roles(state.roles),
    sessionStore: sessionStore(state.metadata),
    sessionMetadata: state.metadata.get("default")?.data,
    entries: entries(state.metadata),
    metadataRules: state.rules,
    locks: locks(state.locks),
    limits: state.limits,
    polls: polls(state.polls),
    roleChangeRequests: state.roleChangeRequests,
    removed: removed(state.removed),
    clockOffset: state.clockOffset,
    errors: state.errors,
    tracks: {},
    hideLocalPeer: false,
  };
  return shown;
});
