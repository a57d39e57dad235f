import assert from "node:assert/strict";
import { test } from "node:test";

import { facts, HMSNotificationTypes, Notices } from "../../static/rooms/client/notices.js";
import { nowhere } from "../../static/rooms/client/state/start.js";
import { apply } from "../../static/rooms/client/state/state.js";
import { view } from "../../static/rooms/client/state/view.js";

const peer = (id, fields = {}) => ({ peer_id: id, role: "guest", groups: [], info: { name: id, data: "" }, ...fields });

const start = apply(nowhere(), "connecting", { roomId: "r", peer: { id: "alice", name: "alice", role: "host" } });

/** What is told of a change to the state, as [type, name or text]. */
function told(state, method, params) {
  const next = apply(state, method, params);
  return facts(view(state), view(next), method, params).map(({ type, data }) => [type, data?.name ?? data?.message]);
}

test("who cleared the chat is told, where it is known", () => {
  const both = apply(start, "on-peer-join", peer("bob"));
  const by = (id) =>
    facts(view(both), view(both), "on-messages-clear", { by: id }).map(({ type, data }) => [type, data.by?.name]);
  assert.deepEqual(by("bob"), [["MESSAGES_CLEARED", "bob"]]);
  for (const nobody of ["", "eve", null, {}]) assert.deepEqual(by(nobody), [["MESSAGES_CLEARED", undefined]]);
});

test("people who come and go", () => {
  assert.deepEqual(told(start, "on-peer-join", peer("bob")), [["PEER_JOINED", "bob"]]);
  const both = apply(start, "on-peer-join", peer("bob"));
  assert.deepEqual(told(both, "on-peer-leave", { peer_id: "bob" }), [["PEER_LEFT", "bob"]]);
  const left = { peer_id: "bob", reason: "peer kicked" };
  const [{ data }] = facts(view(both), view(apply(both, "on-peer-leave", left)), "on-peer-leave", left);
  assert.equal(data.reason, "peer kicked");
  assert.deepEqual(told(start, "on-peer-leave", { peer_id: "bob" }), []);
});

test("each part of a person that changes is told by itself", () => {
  const both = apply(start, "on-peer-join", peer("bob"));
  const changes = [
    [{ info: { name: "Rob", data: "" } }, [["NAME_UPDATED", "Rob"]]],
    [{ info: { name: "bob", data: "{}" } }, [["METADATA_UPDATED", "bob"]]],
    [{ role: "viewer" }, [["ROLE_UPDATED", "bob"]]],
    [{ groups: ["_handraise"] }, [["HAND_RAISE_CHANGED", "bob"]]],
    [{ groups: ["other"] }, []],
  ];
  for (const [fields, expected] of changes)
    assert.deepEqual(told(both, "on-peer-update", peer("bob", fields)), expected);
});

test("the first list of people is told as one, a later one by its differences", () => {
  const list = { peers: { carol: peer("carol") }, room: { name: "r", session_id: "s" } };
  assert.deepEqual(told(start, "peer-list", list), [["PEER_LIST", undefined]]);
  const away = apply(apply(start, "on-peer-join", peer("bob")), "connection", { roomState: "Reconnecting" });
  assert.deepEqual(told(away, "peer-list", list), [
    ["PEER_LEFT", "bob"],
    ["PEER_JOINED", "carol"],
  ]);
});

test("a message is told once", () => {
  const message = { message_id: "m", timestamp: 1, info: { message: "hi", type: "chat" }, peer: peer("bob") };
  assert.deepEqual(told(start, "on-broadcast", message), [["NEW_MESSAGE", "hi"]]);
  assert.deepEqual(told(apply(start, "on-broadcast", message), "on-broadcast", message), []);
});

test("listeners hear the types they asked for, until they stop", () => {
  const notices = new Notices();
  const heard = { all: [], one: [], some: [] };
  const { PEER_JOINED, PEER_LEFT, NEW_MESSAGE } = HMSNotificationTypes;
  notices.onNotification(({ type }) => heard.all.push(type));
  const end = notices.onNotification(({ type }) => heard.one.push(type), PEER_LEFT);
  notices.onNotification(({ type }) => heard.some.push(type), [PEER_JOINED, PEER_LEFT]);
  for (const type of [PEER_JOINED, NEW_MESSAGE, PEER_LEFT]) notices.tell(type, null);
  end();
  notices.tell(PEER_LEFT, null);
  assert.deepEqual(heard, {
    all: [PEER_JOINED, NEW_MESSAGE, PEER_LEFT, PEER_LEFT],
    one: [PEER_LEFT],
    some: [PEER_JOINED, PEER_LEFT, PEER_LEFT],
  });
});

test("a listener that throws is reported, and the others hear", (t) => {
  const reported = t.mock.method(console, "error", () => {});
  const notices = new Notices();
  const heard = [];
  notices.onNotification(() => {
    throw new Error("of the app");
  });
  notices.onNotification(({ type }) => heard.push(type));
  notices.tell("PEER_LEFT", null);
  assert.deepEqual([heard, reported.mock.callCount()], [["PEER_LEFT"], 1]);
});

test("a gap is told with the time since which messages may be missing", () => {
  const inRoom = apply(start, "joined", { session_id: "s", seq: 1, name: "alice", data: "" });
  const been = apply(inRoom, "connection", { roomState: "Connected", at: 5 });
  const away = apply(been, "connection", { roomState: "Reconnecting", at: 7_000 });
  const params = { session_id: "s", seq: 9, resync: true, name: "alice", data: "" };
  const gaps = facts(view(away), view(apply(away, "joined", params)), "joined", params);
  assert.deepEqual(gaps, [{ type: "MESSAGES_MISSED", data: { after: null, since: new Date(7_000) } }]);
  assert.deepEqual(told(been, "joined", { ...params, resync: false, resumed: true }), []);
});

test("that a code is another one is told by its role", () => {
  const heard = facts(view(start), view(start), "on-room-code-change", { role: "guest" });
  assert.deepEqual(heard, [{ type: "ROOM_CODE_CHANGED", data: { role: "guest" } }]);
  assert.deepEqual(facts(view(start), view(start), "on-room-code-change", { role: {} }), []);
});
