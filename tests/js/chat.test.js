import assert from "node:assert/strict";
import { test } from "node:test";

import { nowhere } from "../../static/rooms/client/state/start.js";
import { apply } from "../../static/rooms/client/state/state.js";
import { view } from "../../static/rooms/client/state/view.js";
import { TYPING_LASTS, Typing } from "../../static/rooms/client/typing.js";

const said = (id, more = {}) => ({
  message_id: id,
  timestamp: 1_000 + Number(id.slice(1)),
  private: false,
  info: { message: id, type: "chat" },
  peer: { peer_id: "bob", person: "p-bob", info: { name: "Bob" } },
  ...more,
});
const heard = (...ids) => ids.reduce((state, id) => apply(state, "on-broadcast", said(id)), nowhere());
const ids = (state) => state.messages.keys();

test("a message that is changed says what it says now, in its place", () => {
  const before = heard("m1", "m2");
  const edit = { message_id: "m1", info: { message: "otherwise", type: "chat" }, mentions: ["al"], edited_at: 5_000 };
  const after = apply(before, "on-message-edit", edit, 9);
  const shown = view(after).messages.byID.m1;
  assert.deepEqual(
    [ids(after), shown.message, shown.editedAt, shown.mentions],
    [["m1", "m2"], "otherwise", new Date(5_000), ["al"]],
  );
  assert.equal(shown.senderName, "Bob");
  assert.equal(before.messages.get("m1").message, "m1");
  assert.equal(apply(before, "on-message-edit", { ...edit, message_id: "m9" }), before);
});

test("a message that is deleted is gone, and its place is not", () => {
  const after = apply(heard("m1", "m2", "m3"), "on-message-delete", { message_id: "m2", by: "bob" });
  assert.deepEqual(ids(after), ["m1", "m3"]);
  assert.deepEqual(ids(apply(after, "on-broadcast", said("m4"))), ["m1", "m3", "m4"]);
  assert.equal(apply(after, "on-message-delete", { message_id: "m2" }), after);
});

test("an answer names its message until that is deleted", () => {
  const before = apply(heard("m1", "m2"), "on-broadcast", said("m3", { reply_to: "m1" }));
  assert.equal(view(before).messages.byID.m3.replyTo, "m1");
  assert.ok(!("replyTo" in view(before).messages.byID.m2));
  const edit = { message_id: "m3", info: { message: "otherwise", type: "chat" }, edited_at: 5_000 };
  assert.equal(apply(before, "on-message-edit", edit).messages.get("m3").replyTo, "m1");
  assert.equal(apply(before, "on-message-delete", { message_id: "m2" }).messages.get("m3").replyTo, "m1");
  assert.equal(apply(before, "on-message-delete", { message_id: "m1" }).messages.get("m3").replyTo, "");
});

test("a chat that is cleared is empty, and nothing older is to be read", () => {
  const bell = said("m2", { info: { message: "ring", type: "bell" } });
  const before = apply(heard("m1"), "on-broadcast", bell);
  const after = apply(before, "on-messages-clear", { by: "bob" });
  assert.deepEqual(ids(after), ["m2"]);
  assert.deepEqual(view(after).history, { hasMore: false, isWithheld: false });
  assert.deepEqual(ids(apply(after, "on-broadcast", said("m3"))), ["m2", "m3"]);
});

test("reactions are counted, and gone with the last person", () => {
  const react = (state, person, on, count) =>
    apply(state, "on-message-react", { message_id: "m1", emoji: "👍", person, on, count });
  let state = react(react(heard("m1"), "p1", true, 1), "p2", true, 2);
  assert.deepEqual(state.messages.get("m1").reactions, [{ emoji: "👍", count: 2, persons: ["p1", "p2"] }]);
  assert.deepEqual(react(state, "p2", true, 2).messages.get("m1").reactions, state.messages.get("m1").reactions);
  state = react(react(state, "p1", false, 1), "p2", false, 0);
  assert.deepEqual(state.messages.get("m1").reactions, []);
});

test("pages of history stand before what is held, in their order, and hold none twice", () => {
  assert.deepEqual(view(nowhere()).history, { hasMore: true, isWithheld: false });
  let state = apply(heard("m5"), "history-read", { messages: ["m5", "m4", "m3"].map((id) => said(id)), last: "m3" });
  assert.deepEqual([ids(state), view(state).history.hasMore], [["m3", "m4", "m5"], true]);
  const first = said("m1", { private: true, peer_id: "al", reactions: [{ emoji: "👍", count: 1, persons: ["p"] }] });
  state = apply(state, "history-read", { messages: [said("m2"), first], last: "", withheld: true });
  assert.deepEqual(ids(state), ["m1", "m2", "m3", "m4", "m5"]);
  assert.deepEqual(view(state).history, { hasMore: false, isWithheld: true });
  const { recipientPeer, reactions, read } = state.messages.get("m1");
  assert.deepEqual([recipientPeer, reactions.length, read], ["al", 1, true]);
});

test("a gap is filled once the message before it was read again", () => {
  const missed = [
    { after: null, since: 1 },
    { after: "m2", since: 2 },
  ];
  const deleted = apply({ ...heard("m1", "m2"), missed }, "on-message-delete", { message_id: "m2" });
  assert.deepEqual(apply(deleted, "history-read", { messages: [said("m9")], last: "m9" }).missed, [missed[0]]);
  let state = apply({ ...heard("m2"), missed }, "history-read", {
    messages: ["m9", "m8"].map((id) => said(id)),
    last: "m8",
  });
  assert.deepEqual(state.missed, missed);
  state = apply(state, "history-read", { messages: ["m3", "m2"].map((id) => said(id)), last: "m2" });
  assert.deepEqual(state.missed, [missed[0]]);
  const end = { messages: [], last: "" };
  assert.deepEqual(apply(state, "history-read", { ...end, withheld: true }).missed, [missed[0]]);
  assert.deepEqual(apply(state, "history-read", end).missed, []);
});

test("what is held from before a gap is as it is read again", () => {
  const missing = { session_id: "s", seq: 9, name: "Al", data: "" };
  const bell = said("m3", { info: { message: "ring", type: "bell" } });
  const answer = said("m6", { reply_to: "m5" });
  let state = apply(apply(heard("m1", "m2", "m4", "m5"), "on-broadcast", bell), "on-broadcast", answer);
  state = { ...state, room: { ...state.room, sessionId: "s", joinedAt: 1, localPeer: "al" } };
  state = apply(apply(apply(state, "read", { id: "m4", read: true }), "joined", missing), "on-broadcast", said("m8"));
  const edited = said("m4", { edited_at: 5_000, info: { message: "otherwise", type: "chat" } });
  state = apply(state, "history-read", { messages: [said("m7"), answer, edited], last: "m4" });
  // One that came since is newer than any page, and of what stands before the page nothing is known yet.
  assert.deepEqual(ids(state), ["m1", "m2", "m3", "m4", "m6", "m7", "m8"]);
  const { message, editedAt, read } = state.messages.get("m4");
  assert.deepEqual([message, editedAt, read, state.messages.get("m6").replyTo], ["otherwise", 5_000, true, ""]);
  assert.deepEqual([...state.unsure], ["m1", "m2"]);
  const end = { messages: [said("m2")], last: "" };
  assert.deepEqual(ids(apply(state, "history-read", end)), ["m2", "m3", "m4", "m6", "m7", "m8"]);
  const some = apply(state, "history-read", { ...end, withheld: true });
  assert.deepEqual([ids(some)[0], [...some.unsure]], ["m1", ["m1"]]);
});

test("somebody writes until it says otherwise, sends or leaves", () => {
  const typing = (state) => view(state).typing.map(({ peerID, isPrivate }) => [peerID, isPrivate]);
  const begin = apply(nowhere(), "on-peer-typing", { peer_id: "bob", typing: true, private: true });
  assert.deepEqual(typing(begin), [["bob", true]]);
  assert.deepEqual(typing(apply(begin, "on-peer-typing", { peer_id: "bob", typing: false })), []);
  assert.deepEqual(typing(apply(begin, "on-broadcast", said("m1"))), []);
  assert.deepEqual(typing(apply(begin, "on-peer-leave", { peer_id: "bob" })), []);
  assert.deepEqual(typing(apply(begin, "rested", { peerID: "bob" })), []);
});

test("who is writing is told every few seconds, and is over by itself where it is heard", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const calls = [];
  let heard = () => {};
  const client = {
    state: nowhere(),
    hearing: { after: (_method, action) => (heard = action) },
    call: async (method, params) => calls.push([method, params]),
    change: (method, params) => (client.state = apply(client.state, method, params)),
  };
  const typing = new Typing(client);
  for (now of [0, 1_000, 2_999, 3_000]) await typing.tell(true, {});
  await typing.tell(true, { recipientPeer: "bob" });
  typing.sent();
  await typing.tell(true, { recipientPeer: "bob" });
  await typing.tell(false, {});
  await typing.tell(false, {});
  assert.deepEqual(calls, [
    ["peer-typing", { typing: true }],
    ["peer-typing", { typing: true }],
    ["peer-typing", { typing: true, peer_id: "bob" }],
    ["peer-typing", { typing: true, peer_id: "bob" }],
    ["peer-typing", { typing: false }],
  ]);
  const hear = () => {
    client.change("on-peer-typing", { peer_id: "al", typing: true });
    heard({ peer_id: "al" });
  };
  hear();
  t.mock.timers.tick(TYPING_LASTS - 1);
  hear();
  t.mock.timers.tick(TYPING_LASTS - 1);
  assert.equal(client.state.typing.size, 1);
  t.mock.timers.tick(1);
  assert.equal(client.state.typing.size, 0);
});
