import assert from "node:assert/strict";
import { test } from "node:test";

import { HAND_RAISE, apply, nowhere, pack, unpack } from "../../static/rooms/state.js";

const peer = (id, fields = {}) => ({
  peer_id: id,
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
  const local = { id: "alice", name: "Alice", data: "", userId: "user-alice", role: "host" };
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
  state = apply(state, "read-metadata", entry("pin", 3, "same version"));
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

test("resuming keeps all; another session begins with nothing but oneself", () => {
  let state = apply(joined(), "on-broadcast", broadcast("m1"), 11);
  state = apply(state, "on-peer-join", peer("bob"), 12);
  state = apply(state, "on-metadata-change", { values: [entry("pin", 4, "x")] }, 13);

  const resumed = apply(state, "joined", { session_id: "s1", seq: 30, resumed: true, name: "Alice", data: "" });
  assert.deepEqual(resumed, state); // its place moves with the events that follow

  const again = apply(state, "joined", { session_id: "s1", seq: 30, resync: true, name: "Al", data: "" });
  assert.deepEqual([again.messages.size, again.peers.get("alice").name, again.peers.get("bob").name], [1, "Al", "BOB"]);
  assert.deepEqual(again.place, { session_id: "s1", seq: 30 });

  const anew = apply(state, "joined", { session_id: "s2", seq: 2, resync: true, name: "Alice", data: "" });
  assert.deepEqual([anew.messages.size, anew.metadata.size, [...anew.peers.keys()]], [0, 0, ["alice"]]);
  assert.deepEqual(anew.place, { session_id: "s2", seq: 2 });
});

test("polls hold questions, own answers and results", () => {
  const info = { poll_id: "p1", title: "Tea?", type: "poll", vote: ["guest"], created_by: "bob" };
  let state = apply(joined(), "on-poll-start", { polls: [info] }, 11);
  state = apply(state, "poll-questions", {
    poll_id: "p1",
    questions: [
      {
        question: { index: 1, text: "Tea?", type: "single-choice" },
        options: [
          { index: 1, text: "yes" },
          { index: 2, text: "no" },
        ],
      },
    ],
  });
  state = apply(state, "poll-own-responses", { poll_id: "p1", responses: [{ question: 1, option: 2 }] });
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
