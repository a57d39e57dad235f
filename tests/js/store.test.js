import assert from "node:assert/strict";
import { test } from "node:test";

import * as select from "../../static/rooms/client/selectors.js";
import { apply } from "../../static/rooms/client/state/state.js";
import { Store } from "../../static/rooms/client/store.js";

const peer = (id, fields = {}) => ({
  peer_id: id,
  role: "guest",
  groups: [],
  info: { name: id, data: "", user_id: id },
  ...fields,
});

function storeWith(...changes) {
  const store = new Store();
  const change = (method, params, seq) => store.set(apply(store.raw, method, params, seq));
  change("connecting", { roomId: "r1", peer: { id: "alice", name: "Alice", data: "", role: "host" } });
  change("on-policy-change", {
    name: "host",
    known_roles: { host: { name: "host", permissions: { endRoom: true } }, guest: { name: "guest" } },
  });
  for (const given of changes) change(...given);
  return { store, change };
}

const metadata = (data, version, key = "default") => [
  "on-metadata-change",
  { values: [{ key, data, change_version: version }] },
];

test("a subscriber hears changes of its part only, with the old value", () => {
  const { store, change } = storeWith();
  const heard = [];
  store.subscribe((value, old) => heard.push([value, old]), select.selectSessionMetadata);
  change(...metadata({ a: [1] }, 1));
  change("on-peer-join", peer("bob"));
  change(...metadata({ a: [1] }, 2)); // equal, though another object
  change(...metadata({ a: [2] }, 3));
  assert.deepEqual(heard, [
    [{ a: [1] }, undefined],
    [{ a: [2] }, { a: [1] }],
  ]);
});

test("a subscription ends when told so", () => {
  const { store, change } = storeWith();
  let calls = 0;
  const end = store.subscribe(() => (calls += 1), select.selectPeers);
  change("on-peer-join", peer("bob"));
  end();
  change("on-peer-join", peer("carol"));
  assert.equal(calls, 1);
});

test("a subscriber may change the store", () => {
  const { store, change } = storeWith();
  const heard = [];
  store.subscribe(
    (count) => {
      heard.push(count);
      if (count === 2) change("on-peer-join", peer("carol"));
    },
    (state) => state.room.peers.length,
  );
  change("on-peer-join", peer("bob"));
  assert.deepEqual(heard, [2, 3]);
});

test("a subscriber or a selector that throws is reported, and the others hear", (t) => {
  const reported = t.mock.method(console, "error", () => {});
  const { store, change } = storeWith(metadata("first", 1));
  const heard = [];
  store.subscribe(() => {
    throw new Error("of the app");
  }, select.selectSessionMetadata);
  store.subscribe(
    () => {},
    (state) => `${state.sessionMetadata}`,
  );
  store.subscribe((value) => heard.push(value), select.selectSessionMetadata);
  change(...metadata({ toString: 1, valueOf: 1 }, 2));
  change(...metadata("next", 3));
  assert.deepEqual(heard, [{ toString: 1, valueOf: 1 }, "next"]);
  assert.equal(reported.mock.callCount(), 3);
});

test("triggerOnSubscribe gives the present value first", () => {
  const { store } = storeWith();
  store.triggerOnSubscribe();
  const heard = [];
  store.subscribe((value) => heard.push(value), select.selectLocalPeerName);
  assert.deepEqual(heard, ["Alice"]);
});

test("people have the SDK's shape", () => {
  const { store } = storeWith([
    "on-peer-join",
    peer("bob", {
      person: "P-bob",
      joined_at: 5,
      groups: ["_handraise"],
      info: { name: "Bob", data: '{"status":"away"}', user_id: "b-1", type: "regular" },
    }),
    7,
  ]);
  const bob = store.getState(select.selectPeerByID("bob"));
  assert.deepEqual(bob, {
    id: "bob",
    person: "P-bob",
    name: "Bob",
    roleName: "guest",
    isLocal: false,
    auxiliaryTracks: [],
    customerUserId: "b-1",
    metadata: '{"status":"away"}',
    joinedAt: new Date(5),
    groups: ["_handraise"],
    isHandRaised: true,
    type: "regular",
    state: "connected",
    raisedAt: 7,
  });
  assert.deepEqual(
    store.getState(select.selectPeers).map(({ id }) => id),
    ["alice", "bob"],
  );
  assert.deepEqual(store.getState(select.selectRemotePeers), [bob]);
  assert.equal(store.getState(select.selectLocalPeer).isLocal, true);
  assert.equal(store.getState(select.selectPeerNameByID("bob")), "Bob");
  assert.equal(store.getState(select.selectPeerNameByID("constructor")), undefined);
  assert.deepEqual(store.getState(select.selectPeerMetadata("bob")), { status: "away" });
  assert.deepEqual(store.getState(select.selectPeersWithHandRaised), [bob]);
  assert.equal(store.getState(select.selectHasPeerHandRaised("bob")), true);
  assert.deepEqual(store.getState(select.selectPeersByRole("guest")), [bob]);
});

test("metadata that is not JSON is {}, and so is null", () => {
  const { store: other } = storeWith(["on-peer-join", peer("bob", { info: { name: "Bob", data: "null" } })]);
  assert.deepEqual(other.getState(select.selectPeerMetadata("bob")), {});
  const { store } = storeWith(["on-peer-join", peer("bob", { info: { name: "Bob", data: "away {" } })]);
  assert.deepEqual(store.getState(select.selectPeerMetadata("bob")), {});
  assert.deepEqual(store.getState(select.selectPeerMetadata("nobody")), {});
});

test("roles and permissions follow the local peer", () => {
  const { store, change } = storeWith();
  assert.deepEqual(store.getState(select.selectAvailableRoleNames), ["host", "guest"]);
  assert.deepEqual(store.getState(select.selectPermissions), { endRoom: true });
  change("on-policy-change", { name: "guest", known_roles: { guest: { name: "guest", permissions: {} } } });
  assert.equal(store.getState(select.selectLocalPeerRole).name, "guest");
});

test("messages have the SDK's shape and are told apart by their recipients", () => {
  const said = (id, fields) => [
    "on-broadcast",
    { message_id: id, timestamp: 8, peer: peer("bob"), info: { message: id, type: "chat" }, ...fields },
  ];
  const { store, change } = storeWith(said("m1"), said("m2", { private: true }), said("m3", { roles: ["host"] }));
  change("sending", { clientId: "c1", message: "to bob", type: "chat", time: 9, recipientPeer: "bob" });
  assert.equal(store.getState(select.selectOutbox)[0].status, "sending");
  change("sent", { clientId: "c1", id: "m4", time: 10 });

  const ids = (selector) => store.getState(selector).map(({ id }) => id);
  assert.deepEqual(ids(select.selectHMSMessages), ["m1", "m2", "m3", "m4"]);
  assert.deepEqual(ids(select.selectBroadcastMessages), ["m1"]);
  assert.deepEqual(ids(select.selectMessagesByPeerID("bob")), ["m2", "m4"]);
  assert.deepEqual(ids(select.selectMessagesByRole("host")), ["m3"]);
  assert.equal(store.getState(select.selectUnreadHMSMessagesCount), 3);
  change("read", { read: true });
  assert.equal(store.getState(select.selectUnreadHMSMessagesCount), 0);
  const { id, sender, senderName, senderUserId, message, type, time, ignored } = store.getState(
    select.selectHMSMessages,
  )[0];
  assert.deepEqual(
    [id, sender, senderName, senderUserId, message, type, time, ignored],
    ["m1", "bob", "bob", "bob", "m1", "chat", new Date(8), false],
  );
});

test("the session store shows values, and entries where versions matter", () => {
  const { store } = storeWith(metadata("pinned", 2), metadata(["x"], 1, "constructor"));
  assert.equal(store.getState(select.selectSessionMetadata), "pinned");
  assert.deepEqual(store.getState(select.selectSessionStore("constructor")), ["x"]);
  assert.equal(store.getState(select.selectSessionStore("toString")), undefined);
  assert.deepEqual({ ...store.getState(select.selectSessionStore()) }, { default: "pinned", constructor: ["x"] });
  assert.equal(store.getState(select.selectSessionEntry("default")).change_version, 2);
});

test("parts that did not change are the same objects", () => {
  const { store, change } = storeWith(["on-peer-join", peer("bob")]);
  const before = store.getState();
  change(...metadata("x", 1));
  const after = store.getState();
  assert.equal(after.peers, before.peers);
  assert.equal(after.messages, before.messages);
  assert.notEqual(after.sessionStore, before.sessionStore);
});

test("peers of one person are one row, shown as oneself or as the peer that is connected", () => {
  const { store, change } = storeWith(
    ["on-peer-join", peer("bob-1", { person: "bob", state: "reconnecting" })],
    ["on-peer-join", peer("carol")],
    ["on-peer-join", peer("dave")],
    ["on-peer-join", peer("bob-2", { person: "bob", state: "connected" })],
  );
  const rows = () =>
    store.getState(select.selectPersons).map((one) => [one.peer.id, one.state, one.peers.map(({ id }) => id)]);
  assert.deepEqual(rows(), [
    ["alice", "connected", ["alice"]],
    ["bob-2", "connected", ["bob-1", "bob-2"]],
    ["carol", "connected", ["carol"]],
    ["dave", "connected", ["dave"]],
  ]);
  assert.equal(store.getState(select.selectPersonCount), 4);
  assert.equal(store.getState(select.selectPeerCount), 5);
  change("on-peer-leave", { peer_id: "bob-2" });
  assert.deepEqual(rows()[1], ["bob-1", "reconnecting", ["bob-1"]]);
});

test("the last host is the one beside whom nobody may change roles and end the room", () => {
  const { store, change } = storeWith(
    ["on-peer-join", peer("bob")],
    [
      "on-policy-change",
      { name: "host", known_roles: { host: { permissions: { endRoom: true, changeRole: true } }, guest: {} } },
    ],
  );
  const isLast = () => store.getState(select.selectIsLastHost);
  assert.equal(isLast(), true);
  change("on-peer-join", peer("carol", { role: "host" }));
  assert.equal(isLast(), false);
  change("on-peer-leave", { peer_id: "carol" });
  change("on-policy-change", { name: "guest", known_roles: { host: {}, guest: {} } });
  assert.equal(isLast(), false);
});
