// What is known of the room and the people in it: changes that the server tells of, see state.js.

import { inHistory, inRoom, localPeer, withEntry, without } from "./parts.js";
import { moment, number, peerFrom, record, records, removedFrom, rulesFrom, text } from "./shapes.js";

/** @import { HMSRole } from "../../hms.js" */
/** @import { HeardChange, OwnChange, Peer, Room, State, Wire } from "./types.js" */

/** @type {HeardChange} */
function withPeer(state, wire, seq) {
  const id = text(wire.peer_id);
  if (id === undefined) return state;
  // How a large room says that somebody who had a hand up is not to be shown any more.
  if (wire.realtime === false && id !== state.room.localPeer) return withoutPeer(state, id);
  return { ...state, peers: withEntry(state.peers, id, peerFrom(id, wire, state.peers.get(id), seq)) };
}

/** @type {(state: State, id: string) => State} */
const withoutPeer = (state, id) => ({
  ...state,
  peers: without(state.peers, id),
  typing: without(state.typing, id),
});

/**
 * How a room is set up.
 * @type {(wire: Wire, held: Room) => Partial<Room>}
 */
const roomFrom = (wire, held) => ({
  name: text(wire.name) ?? held.name,
  title: text(wire.title) ?? "",
  sessionId: text(wire.session_id) ?? held.sessionId,
  startedAt: moment(wire.started_at) ?? null,
  locked: wire.locked === true,
  slowMode: number(wire.slow_mode) ?? 0,
  description: text(wire.description) ?? "",
  history: number(wire.history) ?? null,
});

/** @satisfies {Record<string, HeardChange>} */
export const PEOPLE_HEARD = {
  "on-policy-change": (state, { name, known_roles: known, plugins }) => {
    const local = localPeer(state);
    const role = text(name);
    const peers = local && role ? withEntry(state.peers, local.id, { ...local, role }) : state.peers;
    /** @type {Map<string, HMSRole>} */
    const roles = new Map(Object.entries(record(known)).map(([key, value]) => [key, record(value)]));
    const removed = role && roles.get(role)?.permissions?.removeOthers ? state.removed : [];
    return { ...state, peers, roles, removed, rules: rulesFrom(record(plugins).metadata) };
  },

  "peer-list": (state, { peers: listed, room }) => {
    /** @type {Map<string, Peer>} */
    const peers = new Map();
    const local = localPeer(state);
    // The list is of the others.
    if (local) peers.set(local.id, local);
    for (const wire of records(Object.values(record(listed)))) {
      const id = text(wire.peer_id);
      if (id !== undefined) peers.set(id, peerFrom(id, wire, state.peers.get(id)));
    }
    return inRoom({ ...state, peers }, roomFrom(record(room), state.room));
  },

  "on-room-change": (state, room) => inRoom(state, roomFrom(room, state.room)),

  "session-info": (state, { peer_count: count, history }) =>
    inRoom(inHistory(state, history), { peerCount: number(count) ?? state.room.peerCount }),

  "room-info": (state, { name }) => inRoom(state, { name: text(name) ?? state.room.name }),

  "on-peer-join": withPeer,

  "on-peer-update": withPeer,

  "on-peer-leave": (state, { peer_id: id }) => withoutPeer(state, text(id) ?? ""),

  "on-peer-state": (state, { peer_id: id, state: told }) => {
    const peer = state.peers.get(text(id) ?? "");
    if (!peer) return state;
    return { ...state, peers: withEntry(state.peers, peer.id, { ...peer, state: text(told) ?? peer.state }) };
  },

  "on-role-change-request": (state, { requested_by: by, role, token }) => {
    const roleName = text(role);
    if (state.roleChangeRequests.length || roleName === undefined) return state; // one at a time
    return { ...state, roleChangeRequests: [{ requestedBy: text(by), roleName, token }] };
  },

  "on-removed-change": (state, { removed }) => ({
    ...state,
    removed: records(removed).flatMap((wire) => {
      const person = text(wire.person);
      return person === undefined ? [] : [removedFrom(person, wire)];
    }),
  }),
};

/** @satisfies {{ changed: OwnChange<"changed">, "answered-role": OwnChange<"answered-role"> }} */
export const PEOPLE_OWN = {
  changed: (state, { name, data }) => {
    const local = localPeer(state);
    if (!local) return state;
    const peer = { ...local, name: name ?? local.name, data: data ?? local.data };
    return { ...state, peers: withEntry(state.peers, peer.id, peer) };
  },

  "answered-role": (state) => ({ ...state, roleChangeRequests: [] }),
};
