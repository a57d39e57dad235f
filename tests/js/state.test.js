import assert from "node:assert/strict";
import { test } from "node:test";

import { facts } from "../../static/rooms/client/notices.js";
import { pack, unpack } from "../../static/rooms/client/state/pack.js";
import { HAND_RAISE } from "../../static/rooms/client/state/shapes.js";
import { nowhere } from "../../static/rooms/client/state/start.js";
import { apply } from "../../static/rooms/client/state/state.js";
import { view } from "../../static/rooms/client/state/view.js";

const peer = (id, fields = {}) => ({
  peer_id: id,
  person: `person-${id}`,
  role: "guest",
  joined_at: 5,
  groups: [],
  realtime: true,
  info: { name: id.toUpperCase(), data: "", user_id: `user-${id}`, type: "regular" },
  tracks: {},
  ...fields,
});

/** Alice in a room, at place 10 of session s1. */
function joined() {
  const local = { id: "alice", person: "person-alice", name: "Alice", data: "", userId: "user-alice", role: "host" };
  let state = apply(nowhere(), "connecting", { roomId: "r1", peer: local });
  state = apply(state, "joined", { session_id: "s1", seq: 10, name: "Alice", data: "" });
  return apply(state, "peer-list", { peers: {}, room: { name: "Team", session_id: "s1", started_at: 1 } });
}

const broadcast = (id, fields = {}) => ({
  message_id: id,
  timestamp: 7,
  private: false,
  info: { message: "hi", type: "chat" },
  peer: peer("bob"),
  ...fields,
});

const entry = (key, version, data) => ({ key, data, change_version: version, updated_by: "bob", updated_at: 9 });

test("the place is the highest number seen", () => {
  let state = apply(joined(), "on-broadcast", broadcast("m1"), 12);
  state = apply(state, "place", {}, 15);
  state = apply(state, "on-broadcast", broadcast("m2"), 14);
  assert.deepEqual(state.place, { session_id: "s1", seq: 15 });
});

test("how many are in the room is known over a loss, and not in another session", () => {
  const state = apply(joined(), "session-info", { session_id: "s1", peer_count: 300 });
  const back = (session) => apply(state, "joined", { session_id: session, seq: 20, name: "Alice", data: "" });
  assert.deepEqual(
    ["s1", "s2"].map((session) => view(back(session)).room.peerCount),
    [300, undefined],
  );
});

test("who is gone from a large room with a hand up is not shown any more", () => {
  const raised = peer("bob", { groups: [HAND_RAISE], hand_raised_at: 3 });
  const state = apply(joined(), "on-peer-update", raised, 11);
  const gone = apply(state, "on-peer-update", peer("bob", { realtime: false }), 12);
  assert.deepEqual([[...state.peers.keys()], [...gone.peers.keys()]], [["alice", "bob"], ["alice"]]);
  assert.equal(apply(gone, "on-peer-update", peer("alice", { realtime: false }), 13).peers.size, 1);
});

test("an unknown notification changes nothing but the place", () => {
  const before = joined();
  assert.equal(apply(before, "on-something-new", { a: 1 }), before);
  assert.equal(apply(before, "on-something-new", { a: 1 }, 11).place.seq, 11);
});

test("applying does not change the state it was given", () => {
  const before = joined();
  apply(before, "on-peer-join", peer("bob"), 11);
  apply(before, "on-broadcast", broadcast("m1"), 12);
  apply(before, "on-metadata-change", { values: [entry("pin", 1, "x")] }, 13);
  assert.deepEqual(before, joined());
});

test("people come, change and go", () => {
  let state = apply(joined(), "on-peer-join", peer("bob"), 11);
  state = apply(state, "on-peer-update", peer("bob", { role: "viewer", info: { name: "Bob", data: "{}" } }), 12);
  const { name, role, data, userId } = state.peers.get("bob");
  assert.deepEqual([name, role, data, userId], ["Bob", "viewer", "{}", "user-bob"]);
  state = apply(state, "on-peer-state", { peer_id: "bob", state: "reconnecting", at: 3 }, 13);
  assert.equal(state.peers.get("bob").state, "reconnecting");
  state = apply(state, "on-peer-leave", { peer_id: "bob" }, 14);
  assert.deepEqual([...state.peers.keys()], ["alice"]);
});

test("a peer list replaces everybody but oneself", () => {
  const state = apply(apply(joined(), "on-peer-join", peer("bob")), "peer-list", {
    peers: { carol: peer("carol") },
    room: { name: "Team", session_id: "s1", started_at: 1 },
  });
  assert.deepEqual([...state.peers.keys()], ["alice", "carol"]);
});

test("hands keep the order in which they went up", () => {
  let state = apply(joined(), "on-peer-join", peer("bob"), 11);
  state = apply(state, "on-peer-update", peer("bob", { groups: [HAND_RAISE] }), 12);
  state = apply(state, "on-peer-update", peer("bob", { groups: [HAND_RAISE], info: { name: "B" } }), 20);
  assert.equal(state.peers.get("bob").raisedAt, 12);
  state = apply(state, "on-peer-update", peer("bob"), 21);
  assert.equal(state.peers.get("bob").raisedAt, null);
});

test("a policy change is the local peer's role", () => {
  const state = apply(joined(), "on-policy-change", { name: "viewer", known_roles: { viewer: { name: "viewer" } } });
  assert.equal(state.peers.get("alice").role, "viewer");
  assert.deepEqual([...state.roles.keys()], ["viewer"]);
});

test("a message shows once, in order, with its recipients", () => {
  let state = apply(joined(), "on-broadcast", broadcast("m1"), 11);
  state = apply(state, "on-broadcast", broadcast("m2", { private: true, info: { message: "psst", type: "chat" } }), 12);
  state = apply(state, "on-broadcast", broadcast("m3", { roles: ["host"], peer: undefined }), 13);
  state = apply(state, "read", { id: "m1", read: true });
  state = apply(state, "on-broadcast", broadcast("m1"), 11);
  assert.equal(state.messages.get("m1").read, true);
  assert.deepEqual(
    [...state.messages.values()].map(({ id, sender, recipientPeer, recipientRoles }) => [
      id,
      sender,
      recipientPeer,
      recipientRoles,
    ]),
    [
      ["m1", "bob", undefined, undefined],
      ["m2", "bob", "alice", undefined],
      ["m3", undefined, undefined, ["host"]],
    ],
  );
});

test("an older version of a key is dropped", () => {
  let state = apply(joined(), "on-metadata-change", { values: [entry("pin", 3, "new"), entry("spotlight", 1, "bob")] });
  state = apply(state, "on-metadata-change", { values: [entry("pin", 2, "old")] });
  assert.equal(state.metadata.get("pin").data, "new");
});

test("a removed key holds null, and its version counts on", () => {
  let state = apply(joined(), "on-metadata-change", { values: [entry("pin", 1, "x")] });
  state = apply(state, "on-metadata-change", { values: [{ key: "pin", change_version: 2 }] });
  state = apply(state, "on-metadata-change", { values: [entry("pin", 1, "x")] });
  assert.deepEqual(state.metadata.get("pin"), { key: "pin", change_version: 2, data: null });
});

test("keys named like parts of objects are keys", () => {
  const state = apply(joined(), "on-metadata-change", {
    values: [entry("__proto__", 1, "a"), entry("constructor", 1, "b")],
  });
  assert.deepEqual([...state.metadata.keys()], ["__proto__", "constructor"]);
  assert.equal({}.polluted, undefined);
});

test("an own message waits in the outbox until it is acknowledged", () => {
  const draft = { clientId: "c1", message: "hi", type: "chat", time: 1, recipientPeer: "bob" };
  let state = apply(joined(), "sending", draft);
  assert.equal(state.outbox.get("c1").status, "sending");
  state = apply(state, "not-sent", { clientId: "c1", error: "too fast" });
  assert.deepEqual([state.outbox.get("c1").status, state.outbox.get("c1").error], ["failed", "too fast"]);
  state = apply(state, "sending", draft);
  state = apply(state, "sent", { clientId: "c1", id: "m9", time: 42 });
  assert.equal(state.outbox.size, 0);
  const { id, sender, senderName, time, read, recipientPeer, status } = state.messages.get("m9");
  assert.deepEqual(
    [id, sender, senderName, time, read, recipientPeer, status],
    ["m9", "alice", "Alice", 42, true, "bob", undefined],
  );
});

test("an own message whose answer was lost is as it is by then, or gone", () => {
  const sending = (clientId) => apply(joined(), "sending", { clientId, message: "hi", type: "chat", time: 1 });
  const reactions = [{ emoji: "👍", count: 1, persons: ["bob"] }];
  const now = { ...broadcast("m9"), info: { message: "hi all", type: "chat" }, edited_at: 50, reactions };
  const { message, editedAt, read, ...held } = apply(sending("c1"), "sent", {
    clientId: "c1",
    id: "m9",
    time: 42,
    now,
  }).messages.get("m9");
  assert.deepEqual([message, editedAt, read, held.reactions], ["hi all", 50, true, reactions]);

  const gone = apply(sending("c1"), "sent", { clientId: "c1", id: "m9", time: 42, now: null });
  assert.deepEqual([gone.messages.size, gone.outbox.size], [0, 0]);
});

test("resuming keeps all; another session begins with nothing but oneself", () => {
  let state = apply(joined(), "on-broadcast", broadcast("m1"), 11);
  state = apply(state, "on-peer-join", peer("bob"), 12);
  state = apply(state, "on-metadata-change", { values: [entry("pin", 4, "x")] }, 13);

  const resumed = apply(state, "joined", { session_id: "s1", seq: 30, resumed: true, name: "Alice", data: "" });
  assert.deepEqual(resumed, state); // its place moves with the events that follow

  const anew = apply(state, "joined", { session_id: "s2", seq: 2, resync: true, name: "Alice", data: "" });
  assert.deepEqual([anew.messages.size, anew.metadata.size, [...anew.peers.keys()]], [0, 0, ["alice"]]);
  assert.deepEqual(anew.place, { session_id: "s2", seq: 2 });
});

test("polls hold questions, own answers and results", () => {
  const info = { poll_id: "p1", title: "Tea?", type: "poll", vote: ["guest"], created_by: "bob" };
  let state = apply(joined(), "on-poll-start", { polls: [info] }, 11);
  const question = { index: 1, text: "Tea?", type: "single-choice" };
  const options = ["yes", "no"].map((text, at) => ({ index: at + 1, text }));
  const own = [{ response: { question: 1, option: 2 }, final: true }];
  const parts = { questions: [{ question, options }], own_responses: own };
  state = apply(state, "polls-read", { polls: [{ poll_id: "p1", ...parts }] });
  const result = {
    user_count: 3,
    max_user: 4,
    total_response: 3,
    questions: [{ question: 1, options: [1, 2], total: 3, skipped: 0 }],
  };
  state = apply(state, "on-poll-stats", { polls: [{ poll_id: "p1", ...result }] }, 12);
  state = apply(state, "on-poll-stop", { polls: [{ poll_id: "p1", stopped_at: 9 }] }, 13);
  const poll = state.polls.get("p1");
  assert.deepEqual([poll.state, poll.title, poll.rolesThatCanVote, poll.stoppedAt], ["stopped", "Tea?", ["guest"], 9]);
  assert.deepEqual(
    poll.questions[0].options.map(({ voteCount }) => voteCount),
    [1, 2],
  );
  assert.equal(poll.questions[0].responses[0].option, 2);
  assert.equal(poll.result.totalUsers, 3);
});

test("what is kept over a reload comes back equal, with the last 200 messages", () => {
  let state = joined();
  for (let n = 0; n < 250; n += 1) state = apply(state, "on-broadcast", broadcast(`m${n}`), 11 + n);
  state = apply(state, "on-metadata-change", { values: [entry("__proto__", 1, { a: [null] })] }, 300);
  state = apply(state, "sending", { clientId: "c1", message: "hi", type: "chat", time: 1 });
  const back = unpack(pack(state));
  assert.deepEqual(back.place, state.place);
  assert.deepEqual(back.peers, state.peers);
  assert.deepEqual(back.metadata, state.metadata);
  assert.deepEqual(back.outbox, state.outbox);
  assert.deepEqual([back.messages.size, [...back.messages.keys()][0]], [200, "m50"]);
  assert.equal(back.room.roomState, "Disconnected");
});

/** Alice in the room, connected, with a message, a value, a request and somebody removed. */
function inside() {
  let state = apply(joined(), "connection", { roomState: "Connected", isConnected: true, at: 100 });
  const host = { name: "host", permissions: { removeOthers: true } };
  state = apply(state, "on-policy-change", { name: "host", known_roles: { host } });
  state = apply(state, "on-broadcast", broadcast("m1"), 11);
  state = apply(state, "on-metadata-change", { values: [entry("pin", 9, "held"), entry("other", 3, "gone")] }, 12);
  state = apply(state, "on-role-change-request", { requested_by: "bob", role: "guest", token: "t" }, 13);
  return apply(state, "on-removed-change", { removed: [{ person: "p-eve", name: "Eve", reason: "spam" }] }, 14);
}

const resync = (seq, session = "s1") => ({ session_id: session, seq, resync: true, name: "Al", data: "" });

test("after a resync nothing of the session counts but what was said, however old the server's state is", () => {
  let state = apply(inside(), "joined", { ...resync(8), history: "h2" });
  assert.deepEqual(state.place, { session_id: "s1", seq: 8, history: "h2" });
  assert.deepEqual([state.metadata.size, state.roleChangeRequests, state.removed], [0, [], []]);
  state = apply(state, "on-metadata-change", { values: [entry("pin", 2, "restored")] });
  assert.equal(state.metadata.get("pin").data, "restored");
  assert.deepEqual([...state.messages.keys()], ["m1"]);
});

test("a gap among the messages stands between the old and the new, once", () => {
  let state = apply(inside(), "connection", { roomState: "Reconnecting", at: 200 });
  state = apply(state, "joined", resync(30));
  state = apply(state, "joined", resync(31)); // the state did not come whole
  state = apply(state, "on-broadcast", broadcast("m2"), 32);
  assert.deepEqual(state.missed, [{ after: "m1", since: 200 }]);
  assert.deepEqual(unpack(pack(state)).missed, state.missed);
  const anew = apply(state, "joined", resync(1, "s2"));
  assert.deepEqual([anew.messages.size, anew.missed.map(({ after }) => after)], [0, [null]]);
  assert.deepEqual(joined().missed, []);
});

test("what is read, or refused with the entry that stands, wins over what is held", () => {
  let state = apply(inside(), "read-metadata", entry("pin", 2, "as it stands"));
  assert.equal(state.metadata.get("pin").data, "as it stands");
  state = apply(state, "on-metadata-change", { values: [entry("pin", 3, "next")] }, 20);
  state = apply(state, "read-metadata", { ...entry("pin", 2, "as it stands"), seq: 19 }); // the event came first
  assert.equal(state.metadata.get("pin").data, "next");
});

test("the place names the history that its number is of", () => {
  let state = apply(joined(), "session-info", { session_id: "s1", peer_count: 2, history: "h1" });
  assert.deepEqual(state.place, { session_id: "s1", seq: 10, history: "h1" });
  state = apply(state, "place", { history: "h2" }, 11);
  assert.deepEqual(state.place, { session_id: "s1", seq: 11, history: "h2" });
});

test("hands stand in the order in which they went up for who comes late, too", () => {
  const raised = (id, at) => peer(id, { groups: [HAND_RAISE], hand_raised_at: at });
  const state = apply(joined(), "peer-list", { peers: { bob: raised("bob", 9_000), carol: raised("carol", 8_000) } });
  assert.deepEqual([state.peers.get("bob").raisedAt, state.peers.get("carol").raisedAt], [9_000, 8_000]);
});

test("who was removed is known to those who may remove, and to nobody else", () => {
  const { removed } = view(inside());
  assert.deepEqual(removed, [
    {
      person: "p-eve",
      name: "Eve",
      role: undefined,
      reason: "spam",
      removedBy: "",
      removedByPerson: "",
      removedAt: undefined,
    },
  ]);
  const demoted = apply(inside(), "on-policy-change", { name: "guest", known_roles: { guest: {} } });
  assert.deepEqual(demoted.removed, []);
});

test("a peer that is told of oneself is oneself", () => {
  let state = apply(joined(), "on-peer-state", { peer_id: "alice", state: "reconnecting" }, 11);
  state = apply(state, "on-peer-update", peer("alice", { state: "connected", groups: [HAND_RAISE] }));
  const { role, groups, state: connection, person } = state.peers.get("alice");
  assert.deepEqual([role, groups, connection, person], ["guest", [HAND_RAISE], "connected", "person-alice"]);
});

const KINDS = [undefined, null, true, 0, -1, 1e308, NaN, "", "toString", "__proto__", [], [null, 1, "x"], {}, () => {}];
// biome-ignore lint/suspicious/noThenProperty: what others send may have it
const EVIL = { toString: 1, valueOf: 1, __proto__: null, constructor: "x", then: 1 };
const NOTICES = {
  "on-policy-change": { name: "host", known_roles: { host: { permissions: {} } } },
  "peer-list": { peers: { bob: peer("bob") }, room: { name: "x", session_id: "s1", started_at: 1 } },
  "session-info": { peer_count: 1, session_id: "s1", history: "h" },
  "room-info": { name: "x" },
  "room-state": { peer_count: 1, room: {} },
  "on-peer-join": peer("bob"),
  "on-peer-update": peer("alice"),
  "on-peer-leave": { peer_id: "bob" },
  "on-peer-state": { peer_id: "alice", state: "connected" },
  "on-broadcast": broadcast("m1", { roles: ["host"], reply_to: "m0" }),
  "on-peer-typing": { peer_id: "bob", typing: true, private: false, roles: ["host"] },
  "on-message-edit": { message_id: "m0", info: { message: "x", type: "chat" }, mentions: ["a"], edited_at: 9 },
  "on-message-react": { message_id: "m0", emoji: "👍", on: true, count: 2, person: "p" },
  "on-message-delete": { message_id: "m0", by: "bob" },
  "on-messages-clear": { by: "bob" },
  "history-read": {
    messages: [broadcast("m2", { reactions: [{ emoji: "👍", count: 1, persons: ["p"] }] })],
    last: "m2",
  },
  "on-metadata-change": { values: [{ ...entry("pin", 1, "x"), expires_at: 9 }] },
  "on-lock-list": { locks: [{ name: "deck", holder: "bob", token: 3, expires_at: 4 }] },
  "on-lock-change": { name: "deck", holder: "bob", token: 3, expires_at: 4, reason: "locked" },
  "on-role-change-request": { requested_by: "bob", role: "guest", token: "t" },
  "on-removed-change": { removed: [{ person: "p", name: "x", removed_at: 1 }] },
  "on-poll-start": { polls: [{ poll_id: "p1", title: "x", started_at: 1, vote: ["host"] }] },
  "on-poll-stop": { polls: [{ poll_id: "p1", stopped_at: 1 }] },
  "on-poll-stats": { polls: [{ poll_id: "p1", questions: [{ question: 1, options: [1] }] }] },
  "polls-read": {
    polls: [
      {
        poll_id: "p1",
        questions: [{ question: { index: 1 }, options: [{ text: "x" }] }],
        own_responses: [{ response: { question: 1 } }],
        result: { questions: [{ question: 1, options: [1] }] },
      },
    ],
  },
};

/** The value with one of its parts, at any depth, replaced by another kind of thing; each such value. */
function* broken(value) {
  yield* KINDS;
  yield EVIL;
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    for (const other of broken(part)) {
      const copy = Array.isArray(value) ? [...value] : { ...value };
      copy[key] = other;
      yield copy;
    }
  }
}

test("whatever stands in a notification, the state stays one that can be shown", () => {
  const known = apply(apply(inside(), "polls-read", NOTICES["polls-read"]), "on-broadcast", broadcast("m0"));
  for (const [method, good] of Object.entries(NOTICES)) {
    for (const params of broken(good)) {
      const next = apply(known, method, params, 40);
      const shown = view(next);
      facts(view(known), shown, method, params);
      for (const { time } of Object.values(shown.messages.byID)) time.toISOString();
      for (const { name, token, expiresAt } of Object.values(shown.locks)) {
        assert.deepEqual([typeof name, typeof token], ["string", "number"]);
        expiresAt?.toISOString();
      }
      for (const { expiresAt } of Object.values(shown.entries)) expiresAt?.toISOString();
      for (const peer of Object.values(shown.peers)) {
        assert.deepEqual([typeof peer.id, typeof peer.name, typeof peer.metadata], ["string", "string", "string"]);
      }
      assert.equal(next.place.seq, 40);
      unpack(pack(next));
    }
  }
});

const messageOf = (id) => apply(joined(), "on-broadcast", broadcast(id)).messages.get(id);

test("what another tab tells of a message for some is as new as that, also where this one heard of it too early", () => {
  const secret = { ...messageOf("m2"), recipientPeer: "alice-2" };
  let state = apply(joined(), "on-broadcast", broadcast("m1"), 11);
  state = apply(state, "on-message-react", { message_id: "m2", emoji: "👍", on: true, count: 1, person: "bob" }, 13);
  state = apply(state, "shared", { messages: [{ ...secret, read: true }] });
  state = apply(state, "read", { id: "m2", read: false });
  const reactions = [{ emoji: "👍", count: 1, persons: ["bob"] }];
  const told = {
    messages: [
      { ...secret, read: true, reactions },
      { ...messageOf("m1"), message: "older" },
    ],
  };
  state = apply(state, "shared", told);
  assert.deepEqual([state.messages.get("m2").reactions, state.messages.get("m2").read], [reactions, false]);
  assert.equal(state.messages.get("m1").message, broadcast("m1").info.message); // of which it hears by itself
  assert.equal(apply(state, "shared", told), state);

  state = apply(state, "shared", { messages: [], gone: ["m2", "never held"] });
  assert.deepEqual(state.messages.keys(), ["m1"]);
});

test("of many messages the newest are held, whichever way they came", () => {
  let state = joined();
  for (let n = 0; n < 2_100; n += 1) state = apply(state, "on-broadcast", broadcast(`m${n}`), 11 + n);
  state = apply(state, "sending", { clientId: "c1", message: "mine", type: "chat" });
  state = apply(state, "sent", { clientId: "c1", id: "own", time: 8 });
  const older = { ...state.messages.get("m2099"), id: "older", time: 1 };
  state = apply(state, "shared", { messages: [older] });

  const ids = [...state.messages.keys()];
  assert.deepEqual([ids.length, ids[0], ids.at(-2), ids.at(-1)], [2_000, "m101", "m2099", "own"]);
});

test("how the room is set up comes with the people, changes by itself, and outlives a reload", () => {
  const room = { name: "Team", session_id: "s1", started_at: 1, locked: true, slow_mode: 30, description: "Tea" };
  Object.assign(room, { title: "Team", history: 20 });
  const shown = (state) => {
    const { name, title, locked, slowMode, description, history } = view(state).room;
    return { name, title, locked, slowMode, description, history };
  };
  const found = apply(joined(), "peer-list", { peers: {}, room });
  const told = { name: "Team", title: "Team", locked: true, slowMode: 30, description: "Tea", history: 20 };
  assert.deepEqual(shown(found), told);
  assert.deepEqual(shown(unpack(pack(found))), shown(found));
  const odd = { ...room, title: 7, locked: "yes", slow_mode: {}, description: null, history: "all" };
  const changed = apply(found, "on-room-change", odd, 11);
  const nothing = { name: "Team", title: "", locked: false, slowMode: 0, description: "", history: null };
  assert.deepEqual(shown(changed), nothing);
});
