// What this peer knows of the room: plain data, changed only by apply(). Times are milliseconds since 1970.

export const HAND_RAISE = "_handraise";
const MESSAGES_KEPT = 200; // over a reload of the page

/** @returns the state of a peer that is nowhere. */
export const nowhere = () => ({
  room: {
    id: "",
    name: "",
    sessionId: "",
    startedAt: null,
    joinedAt: null,
    peerCount: null,
    localPeer: "",
    isConnected: false,
    roomState: "Disconnected",
  },
  place: null, // {session_id, seq}: all up to seq has been applied
  roles: new Map(),
  peers: new Map(),
  messages: new Map(),
  outbox: new Map(), // own messages that the server has not acknowledged, by client id
  metadata: new Map(), // the session store's entries
  polls: new Map(),
  roleChangeRequests: [],
  errors: [],
});

/**
 * The next state after a notification from the server, or after something this page did.
 * What is not known or changes nothing returns the same state.
 */
export function apply(state, method, params, seq) {
  const next = (CHANGES.get(method) ?? unchanged)(state, params, seq);
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

/** A peer as the server describes it, over what was known of it; what is not said stays. */
function peerFrom(wire, held, seq = 0) {
  const info = wire.info ?? {};
  const groups = wire.groups ?? held?.groups ?? [];
  const raised = groups.includes(HAND_RAISE);
  return {
    id: wire.peer_id,
    name: info.name ?? held?.name ?? "",
    role: wire.role ?? held?.role,
    data: info.data ?? held?.data ?? "",
    userId: info.user_id ?? held?.userId,
    type: info.type ?? held?.type ?? "regular",
    joinedAt: wire.joined_at ?? held?.joinedAt ?? null,
    state: wire.state ?? held?.state ?? "connected",
    groups,
    raisedAt: raised ? (held?.raisedAt ?? seq) : null, // the order in which hands went up
  };
}

function withPeer(state, wire, seq) {
  const peer = peerFrom(wire, state.peers.get(wire.peer_id), seq);
  return { ...state, peers: withEntry(state.peers, peer.id, peer) };
}

const message = (params, state) => ({
  id: params.message_id,
  sender: params.peer?.peer_id,
  senderName: params.peer?.info?.name,
  senderUserId: params.peer?.info?.user_id,
  senderRole: params.peer?.role,
  recipientPeer: params.private ? state.room.localPeer : undefined,
  recipientRoles: params.roles,
  time: params.timestamp,
  read: false,
  type: params.info.type,
  message: params.info.message,
});

const pollFrom = (info, held) => ({
  ...held,
  id: info.poll_id,
  title: info.title ?? held?.title ?? "",
  type: info.type ?? held?.type ?? "poll",
  state: info.state ?? held?.state,
  duration: info.duration ?? held?.duration,
  anonymous: info.anonymous ?? held?.anonymous,
  mode: info.mode ?? held?.mode,
  rolesThatCanVote: info.vote ?? held?.rolesThatCanVote,
  rolesThatCanViewResponses: info.responses ?? held?.rolesThatCanViewResponses,
  createdBy: info.created_by ?? held?.createdBy,
  startedBy: info.started_by ?? held?.startedBy,
  stoppedBy: info.stopped_by ?? held?.stoppedBy,
  createdAt: info.created_at ?? held?.createdAt,
  startedAt: info.started_at ?? held?.startedAt,
  stoppedAt: info.stopped_at ?? held?.stoppedAt,
});

function withPolls(state, infos, fields = {}) {
  const polls = new Map(state.polls);
  for (const info of infos) polls.set(info.poll_id, { ...pollFrom(info, polls.get(info.poll_id)), ...fields });
  return { ...state, polls };
}

function withResult(poll, result) {
  const questions = poll.questions?.map((question) => {
    const counts = result.questions?.find((entry) => entry.question === question.index);
    if (!counts) return question;
    const options = question.options?.map((option, at) => ({ ...option, voteCount: counts.options?.[at] ?? 0 }));
    const { correct, skipped, total } = counts;
    return {
      ...question,
      options,
      result: { correctResponses: correct, skippedCount: skipped, totalResponses: total },
    };
  });
  const { user_count: totalUsers, max_user: maxUsers, total_response: totalResponses } = result;
  return { ...poll, questions, result: { totalUsers, maxUsers, totalResponses } };
}

function withOwnResponses(poll, responses) {
  const questions = poll.questions?.map((question) => {
    const given = responses.filter((entry) => entry.question === question.index);
    if (!given.length) return question;
    return { ...question, responses: given.map((entry) => ({ ...entry, questionIndex: entry.question })) };
  });
  return { ...poll, questions };
}

function changePoll(state, id, change) {
  const poll = state.polls.get(id);
  return poll ? { ...state, polls: withEntry(state.polls, id, change(poll)) } : state;
}

const CHANGES = new Map(
  Object.entries({
    // From the server.

    "on-policy-change": (state, { name, known_roles: known }) => {
      const local = state.peers.get(state.room.localPeer);
      const peers = local ? withEntry(state.peers, local.id, { ...local, role: name }) : state.peers;
      return { ...state, peers, roles: new Map(Object.entries(known)) };
    },

    "peer-list": (state, { peers: listed, room }) => {
      const peers = new Map();
      const local = state.peers.get(state.room.localPeer);
      if (local) peers.set(local.id, local);
      for (const wire of Object.values(listed)) peers.set(wire.peer_id, peerFrom(wire, state.peers.get(wire.peer_id)));
      const { name, session_id: sessionId, started_at: startedAt } = room;
      return inRoom({ ...state, peers }, { name, sessionId, startedAt });
    },

    "session-info": (state, params) => inRoom(state, { peerCount: params.peer_count }),

    "room-info": (state, { name }) => inRoom(state, { name: name ?? state.room.name }),

    "on-peer-join": withPeer,

    "on-peer-update": withPeer,

    "on-peer-leave": (state, params) => ({ ...state, peers: without(state.peers, params.peer_id) }),

    "on-peer-state": (state, params) => {
      const peer = state.peers.get(params.peer_id);
      if (!peer) return state;
      return { ...state, peers: withEntry(state.peers, peer.id, { ...peer, state: params.state }) };
    },

    "on-broadcast": (state, params) => {
      if (state.messages.has(params.message_id)) return state;
      return { ...state, messages: withEntry(state.messages, params.message_id, message(params, state)) };
    },

    "on-metadata-change": (state, params) => {
      const metadata = new Map(state.metadata);
      for (const entry of params.values) {
        const held = metadata.get(entry.key);
        if (!held || held.change_version < entry.change_version) {
          metadata.set(entry.key, { ...entry, data: entry.data ?? null });
        } // else stale
      }
      return { ...state, metadata };
    },

    "on-role-change-request": (state, params) => {
      if (state.roleChangeRequests.length) return state; // one at a time
      const { requested_by: requestedBy, role: roleName, token } = params;
      return { ...state, roleChangeRequests: [{ requestedBy, roleName, token }] };
    },

    "on-poll-start": (state, params) => withPolls(state, params.polls, { state: "started" }),

    "on-poll-stop": (state, params) => withPolls(state, params.polls, { state: "stopped" }),

    "on-poll-stats": (state, params) =>
      params.polls.reduce((held, stats) => changePoll(held, stats.poll_id, (poll) => withResult(poll, stats)), state),

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

    joined: (state, { session_id: sessionId, seq, resumed = false, name, data }) => {
      const local = state.peers.get(state.room.localPeer);
      if (resumed || state.place?.session_id === sessionId) {
        const said = { ...local, name: name || local.name, data: data || local.data };
        const place = resumed ? state.place : { session_id: sessionId, seq }; // what was missed follows
        return { ...state, place, peers: withEntry(state.peers, local.id, said) };
      }
      const { messages, metadata, polls, roleChangeRequests } = nowhere();
      const peers = new Map([[local.id, { ...local, name, data, groups: [], raisedAt: null }]]);
      const place = { session_id: sessionId, seq };
      const anew = { ...state, place, messages, metadata, polls, roleChangeRequests, peers };
      return inRoom(anew, { sessionId, peerCount: null });
    },

    connection: (state, { roomState, isConnected = state.room.isConnected, at = null }) =>
      inRoom(state, { roomState, isConnected, joinedAt: state.room.joinedAt ?? at }),

    failed: (state, { error }) => ({ ...state, errors: [...state.errors, error] }),

    "read-metadata": (state, entry) => {
      const held = state.metadata.get(entry.key);
      if (held && held.change_version >= entry.change_version) return state;
      return { ...state, metadata: withEntry(state.metadata, entry.key, { ...entry, data: entry.data ?? null }) };
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
      const { status, error, ...held } = entry;
      const local = state.peers.get(state.room.localPeer);
      const own = {
        ...held,
        id,
        time,
        sender: local?.id,
        senderName: local?.name,
        senderUserId: local?.userId,
        senderRole: local?.role,
        read: true,
      };
      return { ...state, outbox: without(state.outbox, clientId), messages: withEntry(state.messages, id, own) };
    },

    read: (state, { id, read }) => {
      const messages = new Map(state.messages);
      for (const [key, held] of messages) if (id === undefined || key === id) messages.set(key, { ...held, read });
      return { ...state, messages };
    },

    changed: (state, { name, data }) => {
      const local = state.peers.get(state.room.localPeer);
      if (!local) return state;
      const peer = { ...local, name: name ?? local.name, data: data ?? local.data };
      return { ...state, peers: withEntry(state.peers, peer.id, peer) };
    },

    "answered-role": (state) => ({ ...state, roleChangeRequests: [] }),

    "polls-read": (state, { polls }) => withPolls(state, polls),

    "poll-questions": (state, { poll_id: id, questions }) =>
      changePoll(state, id, (poll) => ({
        ...poll,
        questions: questions.map(({ question, options, answer }) => ({ ...question, options, answer })),
      })),

    "poll-own-responses": (state, { poll_id: id, responses }) =>
      changePoll(state, id, (poll) => withOwnResponses(poll, responses)),

    "poll-result": (state, result) => changePoll(state, result.poll_id, (poll) => withResult(poll, result)),
  }),
);

/** The part of the state that outlives a reload, as JSON. */
export function pack(state) {
  const { id, sessionId, startedAt, joinedAt, name, localPeer, peerCount } = state.room;
  return JSON.stringify({
    room: { id, sessionId, startedAt, joinedAt, name, localPeer, peerCount },
    place: state.place,
    peers: [...state.peers.values()],
    messages: [...state.messages.values()].slice(-MESSAGES_KEPT),
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
    messages: byId(packed.messages),
    outbox: byId(packed.outbox, "clientId"),
    metadata: byId(packed.metadata, "key"),
  };
}
