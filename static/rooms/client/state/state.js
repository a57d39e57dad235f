// What this peer knows of the room: plain data, changed only by apply(). Times are milliseconds since 1970.

import { Messages } from "./messages.js";
import { POLL_CHANGES } from "./polls.js";
import {
  entryFrom,
  isEntry,
  messageFrom,
  moment,
  number,
  peerFrom,
  record,
  records,
  removedFrom,
  text,
} from "./shapes.js";

export { HAND_RAISE } from "./shapes.js";

const MESSAGES_KEPT = 200; // of them, over a reload of the page

/** @returns the state of a peer that is nowhere. */
export const nowhere = () => ({
  room: {
    id: "",
    name: "",
    sessionId: "",
    startedAt: null,
    joinedAt: null,
    lostAt: null, // when the connection was last lost
    peerCount: null,
    localPeer: "",
    isConnected: false,
    roomState: "Disconnected",
  },
  place: null, // {session_id, seq, history}: all up to seq, as that run of the database numbered it, has been applied
  clockOffset: null, // ms to add to performance.now() for the server's time
  roles: new Map(),
  peers: new Map(),
  messages: new Messages(),
  missed: [], // gaps among the messages, as {after: the id of the message before, or null; since}
  outbox: new Map(), // own messages that the server has not acknowledged, by client id
  metadata: new Map(), // the session store's entries
  polls: new Map(),
  roleChangeRequests: [],
  removed: [], // who was removed from the session, for those who may let them in again
  errors: [],
});

/**
 * The next state after a notification from the server, or after something this page did.
 * What is not known or changes nothing returns the same state.
 */
export function apply(state, method, params, seq) {
  const next = (CHANGES.get(method) ?? unchanged)(state, record(params), seq);
  return Number.isInteger(seq) ? moved(next, seq) : next;
}

const unchanged = (state) => state;

function moved(state, seq) {
  if (!state.place || state.place.seq >= seq) return state;
  return { ...state, place: { ...state.place, seq } };
}

const inRoom = (state, fields) => ({ ...state, room: { ...state.room, ...fields } });

function withEntry(map, key, value) {
  return new Map(map).set(key, value);
}

function without(map, key) {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

function withPeer(state, wire, seq) {
  if (text(wire.peer_id) === undefined) return state;
  const peer = peerFrom(wire, state.peers.get(wire.peer_id), seq);
  return { ...state, peers: withEntry(state.peers, peer.id, peer) };
}

/** Messages may be missing since the last one that is held. */
function withGap(state, messages) {
  const after = messages.newest?.id ?? null;
  if (state.missed.some((gap) => gap.after === after)) return state.missed;
  const since = state.room.lostAt ?? messages.newest?.time ?? null;
  return [...state.missed, { after, since }];
}

const CHANGES = new Map(
  Object.entries({
    // From the server.

    "on-policy-change": (state, { name, known_roles: known }) => {
      const local = state.peers.get(state.room.localPeer);
      const role = text(name);
      const peers = local && role ? withEntry(state.peers, local.id, { ...local, role }) : state.peers;
      const roles = new Map(Object.entries(record(known)).map(([key, value]) => [key, record(value)]));
      const removed = roles.get(role)?.permissions?.removeOthers ? state.removed : [];
      return { ...state, peers, roles, removed };
    },

    "peer-list": (state, { peers: listed, room }) => {
      const peers = new Map();
      const local = state.peers.get(state.room.localPeer);
      if (local) peers.set(local.id, local);
      for (const wire of records(Object.values(record(listed)))) {
        const id = text(wire.peer_id);
        if (id !== undefined) peers.set(id, peerFrom(wire, state.peers.get(id)));
      }
      const { name, session_id: sessionId, started_at: startedAt } = record(room);
      return inRoom(
        { ...state, peers },
        {
          name: text(name) ?? state.room.name,
          sessionId: text(sessionId) ?? state.room.sessionId,
          startedAt: moment(startedAt) ?? null,
        },
      );
    },

    "session-info": (state, { peer_count: count, history }) =>
      inRoom(inHistory(state, history), { peerCount: number(count) ?? state.room.peerCount }),

    "room-info": (state, { name }) => inRoom(state, { name: text(name) ?? state.room.name }),

    "on-peer-join": withPeer,

    "on-peer-update": withPeer,

    "on-peer-leave": (state, params) => ({ ...state, peers: without(state.peers, params.peer_id) }),

    "on-peer-state": (state, { peer_id: id, state: told }) => {
      const peer = state.peers.get(id);
      if (!peer) return state;
      return { ...state, peers: withEntry(state.peers, id, { ...peer, state: text(told) ?? peer.state }) };
    },

    "on-broadcast": (state, params) => {
      const id = text(params.message_id);
      if (id === undefined || state.messages.has(id)) return state;
      return { ...state, messages: state.messages.with(messageFrom(params, state.room.localPeer)) };
    },

    "on-metadata-change": (state, params) => {
      const metadata = new Map(state.metadata);
      for (const entry of records(params.values).filter(isEntry)) {
        const held = metadata.get(entry.key);
        if (!held || held.change_version < entry.change_version) metadata.set(entry.key, entryFrom(entry));
      }
      return { ...state, metadata };
    },

    "on-role-change-request": (state, { requested_by: by, role, token }) => {
      if (state.roleChangeRequests.length || text(role) === undefined) return state; // one at a time
      return { ...state, roleChangeRequests: [{ requestedBy: text(by), roleName: role, token }] };
    },

    "on-removed-change": (state, { removed }) => ({
      ...state,
      removed: records(removed)
        .filter(({ person }) => typeof person === "string")
        .map(removedFrom),
    }),

    ...POLL_CHANGES,

    // From this page.

    connecting: (state, { roomId, peer }) => {
      const held = state.peers.get(peer.id);
      const local = { ...peerFrom({ peer_id: peer.id }, held), ...(held ? {} : peer) };
      const peers = withEntry(state.peers, peer.id, local);
      return inRoom(
        { ...state, peers },
        { id: roomId, localPeer: peer.id, roomState: "Connecting", isConnected: false },
      );
    },

    // The peer of before is not this page's: another one, which keeps what was said.
    newcomer: (state, { id }) => {
      const local = { ...state.peers.get(state.room.localPeer), id, groups: [], raisedAt: null };
      return inRoom({ ...state, place: null, peers: new Map([[id, local]]) }, { localPeer: id });
    },

    // This tab began as a copy of one that goes on: it tells of the gap that there may be, and sends what waits.
    copied: (state) => inRoom({ ...state, outbox: new Map() }, { joinedAt: null }),

    joined: (state, { session_id: sessionId, seq, history, resumed = false, name, data }) => {
      const local = state.peers.get(state.room.localPeer);
      if (resumed) {
        const said = { ...local, name: name || local.name, data: data || local.data };
        return inHistory({ ...state, peers: withEntry(state.peers, local.id, said) }, history);
      }
      const isSame = state.room.sessionId === sessionId;
      const { metadata, roleChangeRequests, removed, ...anew } = nowhere();
      const messages = isSame ? state.messages : anew.messages;
      const here = isSame ? state : { ...state, missed: [] };
      const missed = state.room.joinedAt === null ? here.missed : withGap(here, messages);
      const self = { ...local, name, data, groups: [], raisedAt: null };
      const peers = isSame ? withEntry(state.peers, local.id, self) : new Map([[local.id, self]]); // peer-list follows
      const polls = isSame ? state.polls : anew.polls; // replaced as they are read again, which keeps what is typed
      const place = { session_id: sessionId, seq };
      const held = { ...state, messages, missed, metadata, polls, roleChangeRequests, removed, peers, place };
      return inRoom(inHistory(held, history), { sessionId, lostAt: null, peerCount: null });
    },

    connection: (state, { roomState, isConnected = state.room.isConnected, at }) => {
      if (roomState === "Reconnecting") return inRoom(state, { roomState, isConnected, lostAt: at });
      return inRoom(state, { roomState, isConnected, joinedAt: state.room.joinedAt ?? at });
    },

    place: (state, { history }) => inHistory(state, history),

    clock: (state, { offset }) => ({ ...state, clockOffset: offset }),

    failed: (state, { error }) => ({ ...state, errors: [...state.errors, error] }),

    // A reply comes in its place among the events: what it says is newer than what is held, whatever the version.
    "read-metadata": (state, entry) => {
      if (!isEntry(entry) || isOvertaken(state, entry)) return state;
      return { ...state, metadata: withEntry(state.metadata, entry.key, entryFrom(entry)) };
    },

    sending: (state, { error, ...entry }) => ({
      ...state,
      outbox: withEntry(state.outbox, entry.clientId, { ...entry, status: "sending" }),
    }),

    "not-sent": (state, { clientId, error }) => {
      const entry = state.outbox.get(clientId);
      if (!entry) return state;
      return { ...state, outbox: withEntry(state.outbox, clientId, { ...entry, status: "failed", error }) };
    },

    discarded: (state, { clientId }) => ({ ...state, outbox: without(state.outbox, clientId) }),

    sent: (state, { clientId, id, time }) => {
      const entry = state.outbox.get(clientId);
      if (!entry) return state;
      const { status, error, session, ...held } = entry;
      const local = state.peers.get(state.room.localPeer);
      const own = {
        ...held,
        id,
        time,
        sender: local?.id,
        senderPerson: local?.person,
        senderName: local?.name,
        senderUserId: local?.userId,
        senderRole: local?.role,
        read: true,
      };
      const messages = state.messages.has(id) ? state.messages : state.messages.with(own);
      return { ...state, outbox: without(state.outbox, clientId), messages };
    },

    // What another tab of the same person has got or sent.
    shared: (state, { messages: given }) => {
      const unknown = given.filter(({ id }) => !state.messages.has(id));
      if (!unknown.length) return state;
      const all = [...state.messages.values(), ...unknown].sort((a, b) => a.time - b.time);
      return { ...state, messages: new Messages(all) };
    },

    read: (state, { id, read }) => {
      const isMeant = (held) => (id === undefined || held.id === id) && held.read !== read;
      const messages = state.messages.values().map((held) => (isMeant(held) ? { ...held, read } : held));
      return { ...state, messages: new Messages(messages) };
    },

    changed: (state, { name, data }) => {
      const local = state.peers.get(state.room.localPeer);
      if (!local) return state;
      const peer = { ...local, name: name ?? local.name, data: data ?? local.data };
      return { ...state, peers: withEntry(state.peers, peer.id, peer) };
    },

    "answered-role": (state) => ({ ...state, roleChangeRequests: [] }),
  }),
);

/** Which run of the database numbers the events from here on. */
function inHistory(state, history) {
  if (!state.place || text(history) === undefined || state.place.history === history) return state;
  return { ...state, place: { ...state.place, history } };
}

/** Whether an event that came before this reply tells of a later version. */
function isOvertaken(state, { key, change_version: version, seq }) {
  return Number.isInteger(seq) && seq < state.place?.seq && version < state.metadata.get(key)?.change_version;
}

/** The part of the state that outlives a reload, as JSON. */
export function pack(state) {
  const { id, sessionId, startedAt, joinedAt, name, localPeer, peerCount } = state.room;
  return JSON.stringify({
    room: { id, sessionId, startedAt, joinedAt, name, localPeer, peerCount },
    place: state.place,
    peers: [...state.peers.values()],
    messages: state.messages.values(MESSAGES_KEPT),
    missed: state.missed,
    outbox: [...state.outbox.values()],
    metadata: [...state.metadata.values()],
  });
}

/** The state that pack() wrote. */
export function unpack(text) {
  const packed = JSON.parse(text);
  const start = nowhere();
  const byId = (list, key = "id") => new Map(list.map((entry) => [entry[key], entry]));
  return {
    ...start,
    room: { ...start.room, ...packed.room },
    place: packed.place,
    peers: byId(packed.peers),
    messages: new Messages(packed.messages),
    missed: packed.missed ?? [],
    outbox: byId(packed.outbox, "clientId"),
    metadata: byId(packed.metadata, "key"),
  };
}
