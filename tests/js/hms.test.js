import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Actions } from "../../static/rooms/client/actions.js";
import { Core } from "../../static/rooms/client/core.js";
import { CoreActions } from "../../static/rooms/client/core_actions.js";
import {
  HMSReactiveStore,
  selectHMSMessages,
  selectIsConnectedToRoom,
  selectLocalPeer,
  selectMissed,
  selectOutbox,
  selectPeers,
  selectPolls,
  selectRemoved,
  selectRoomState,
  selectSessionEntry,
  selectSessionMetadata,
  selectSessionStore,
} from "../../static/rooms/hms.js";
import {
  answers,
  cutAndReopened,
  hearPolicy,
  joinedPage,
  letIn,
  newPage,
  ORIGIN,
  placeOf,
  requests,
  Storage,
  token,
  whenWritten,
  wire,
} from "./page.js";
import { Locks, nextTurn, settle } from "./wire.js";

let storage;
beforeEach(() => {
  storage = globalThis.sessionStorage;
});

const said = (id, text = "hi", seq) => ({
  method: "on-broadcast",
  params: {
    message_id: id,
    timestamp: 8,
    info: { message: text, type: "chat" },
    peer: { peer_id: "bob", role: "guest", groups: [], info: { name: "Bob", data: "", user_id: "b" } },
  },
  seq,
});

test("joining: init with the token, join first, metadata there when it is connected", async () => {
  const page = newPage();
  const connected = [];
  page.store.subscribe(
    (is) => connected.push([is, page.store.getState(selectSessionMetadata)]),
    selectIsConnectedToRoom,
  );
  const joining = page.actions.join({
    userName: "Alice",
    authToken: token(),
    initEndpoint: `${ORIGIN}/#https://prod`,
    metaData: '{"a":1}',
  });
  const socket = await letIn({ metadata: { data: { pinned: "x" }, change_version: 3 } });
  await joining;

  assert.equal(new URL(requests[0].url).origin, ORIGIN);
  assert.equal(requests[0].headers.Authorization, `Bearer ${token()}`);
  const query = new URL(socket.url).searchParams;
  assert.equal(query.get("token"), token());
  const local = page.store.getState(selectLocalPeer);
  assert.equal(query.get("peer"), local.id);
  assert.deepEqual(socket.sent[0].params, { name: "Alice", data: '{"a":1}', observe: ["default"] });
  assert.deepEqual(
    socket.sent.map(({ method }) => method),
    ["join"],
  );
  assert.deepEqual(
    [local.name, local.roleName, local.customerUserId, local.metadata],
    ["Alice", "host", "alice-1", '{"a":1}'],
  );
  assert.deepEqual(connected, [[true, { pinned: "x" }]]);
  assert.equal(page.store.getState(selectRoomState), "Connected");
});

test("of frames that come in one turn, as in Node, each has its consequences before the next is heard", async (t) => {
  globalThis.setImmediate = nextTurn;
  t.after(() => {
    globalThis.setImmediate = undefined;
  });
  const { actions, store } = newPage();
  const joining = actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
  await settle();
  const { socket } = wire;
  socket.open();
  hearPolicy(socket);
  while (!socket.request("join")) await new Promise(nextTurn);
  const [, id] = /peer=([^&]+)/.exec(socket.url);
  const bob = { peer_id: "bob", role: "guest", groups: [], info: { name: "Bob", data: "" } };
  socket.answer("join", { session_id: "s1", seq: 5, observed: ["default"] });
  socket.hear({ method: "peer-list", params: { peers: { bob }, room: { name: "Team", session_id: "s1" } } });
  socket.hear({ method: "on-peer-update", params: { ...bob, peer_id: id, info: { name: "Alice", data: "" } } });
  socket.hear({ method: "on-peer-leave-request", params: { reason: "enough" } });
  socket.drop(1006);
  await joining;
  assert.deepEqual(
    store
      .getState(selectPeers)
      .map(({ name }) => name)
      .sort(),
    ["Alice", "Bob"],
  );
  await new Promise(nextTurn);
  await new Promise(nextTurn);
  assert.equal(store.getState(selectRoomState), "Disconnected"); // the end, and no loss that one comes back from
});

test("a refusal rejects the join and is told", async () => {
  answers["/init"] = [[403, { code: 404, message: "room not available" }]];
  const page = newPage();
  await assert.rejects(page.actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN }), {
    code: 404,
    message: "room not available",
  });
  assert.equal(page.store.getState(selectRoomState), "Disconnected");
  assert.deepEqual(
    page.told.map(([type]) => type),
    ["ERROR"],
  );
});

test("what is not JSON rejects and nothing is sent", async () => {
  const { actions, socket } = await joinedPage();
  const before = socket.sent.length;
  const cycle = {};
  cycle.self = cycle;
  for (const value of [undefined, () => {}, 10n, cycle, { a: undefined }, [Symbol("x")]]) {
    await assert.rejects(
      actions.setSessionMetadata(value),
      /^HMSException: setSessionMetadata: value.* which JSON cannot hold$/,
    );
  }
  await assert.rejects(actions.sessionStore.set("pin", { a: () => {} }), /sessionStore.set: value.a is a function/);
  await assert.rejects(actions.changeMetadata({ a: undefined }), /changeMetadata: value.a is undefined/);
  assert.equal(socket.sent.length, before);
});

test("setting metadata: the store holds what the server stored", async () => {
  const { actions, store, socket } = await joinedPage();
  const setting = actions.setSessionMetadata({ hello: "world" });
  await settle();
  assert.deepEqual(socket.request("set-metadata").params, { key: "default", data: { hello: "world" } });
  socket.answer("set-metadata", {
    key: "default",
    data: { hello: "world" },
    change_version: 1,
    updated_by: "me",
    updated_at: 1,
    seq: 6,
  });
  assert.equal(await setting, undefined);
  assert.deepEqual(store.getState(selectSessionMetadata), { hello: "world" });
});

test("a late reply does not put back an old value", async () => {
  const { actions, store, socket } = await joinedPage();
  const setting = actions.setSessionMetadata("mine");
  await settle();
  const entry = { key: "default", data: "newer", change_version: 2, updated_by: "bob", updated_at: 1 };
  socket.hear({ method: "on-metadata-change", params: { values: [entry] }, seq: 7 });
  socket.answer("set-metadata", { key: "default", data: "mine", change_version: 1, seq: 6 });
  await setting;
  assert.equal(store.getState(selectSessionMetadata), "newer");
});

test("a version conflict carries the entry that stands, and the store has it", async () => {
  const { actions, store, socket } = await joinedPage();
  const setting = actions.setSessionMetadata("mine", { ifChangeVersion: 0 });
  await settle();
  assert.equal(socket.request("set-metadata").params.if_change_version, 0);
  const entry = { key: "default", data: "theirs", change_version: 4, updated_by: "bob", updated_at: 1 };
  socket.refuse("set-metadata", { code: 409, message: "version conflict", data: entry });
  await assert.rejects(setting, { code: 409, message: "version conflict", data: entry });
  assert.equal(store.getState(selectSessionEntry("default")).change_version, 4);
});

test("observing sends the whole set, default always in it", async () => {
  const { actions, store, socket } = await joinedPage();
  const observing = actions.sessionStore.observe(["pin", "spotlight"]);
  await settle();
  assert.deepEqual(socket.request("listen-metadata-change").params.keys, ["default", "pin", "spotlight"]);
  socket.answer("listen-metadata-change", {});
  await observing;
  socket.hear({
    method: "on-metadata-change",
    params: { values: [{ key: "pin", data: "x", change_version: 1 }] },
    seq: 9,
  });
  assert.equal(store.getState(selectSessionStore("pin")), "x");
  const ending = actions.sessionStore.unobserve("pin");
  await settle();
  assert.deepEqual(socket.request("listen-metadata-change").params.keys, ["default", "spotlight"]);
  socket.answer("listen-metadata-change", {});
  await ending;
});

test("a message is in the store when it is acknowledged, and on its way before", async () => {
  const { actions, store, socket, told } = await joinedPage();
  const sending = actions.sendDirectMessage("psst", "bob");
  await settle();
  const { client_id: clientId, ...params } = socket.request("broadcast").params;
  assert.deepEqual(params, { info: { message: "psst", type: "chat" }, peer_id: "bob" });
  assert.deepEqual(
    store.getState(selectOutbox).map(({ message, status }) => [message, status]),
    [["psst", "sending"]],
  );
  assert.deepEqual(store.getState(selectHMSMessages), []);
  told.length = 0;
  socket.answer("broadcast", { message_id: "m1", timestamp: 1234, seq: 6 });
  await sending;
  const [message] = store.getState(selectHMSMessages);
  assert.deepEqual(
    [
      message.id,
      message.message,
      message.senderName,
      message.recipientPeer,
      message.read,
      message.time,
      message.clientId,
    ],
    ["m1", "psst", "Alice", "bob", true, new Date(1234), clientId],
  );
  assert.deepEqual([store.getState(selectOutbox), told], [[], []]);
});

test("a message that fails can be sent again under the same client id", async () => {
  const { actions, store, socket } = await joinedPage();
  const sending = actions.sendBroadcastMessage("hello");
  await settle();
  const first = socket.request("broadcast").params;
  socket.refuse("broadcast", { code: 413, message: "message: too long" });
  await assert.rejects(sending, { code: 413 });
  const [failed] = store.getState(selectOutbox);
  assert.deepEqual([failed.status, failed.error], ["failed", "message: too long"]);
  const retrying = actions.retryMessage(failed.clientId);
  await settle();
  assert.deepEqual(socket.request("broadcast").params, first);
  socket.answer("broadcast", { message_id: "m1", timestamp: 1, seq: 6 });
  await retrying;
  assert.equal(store.getState(selectOutbox).length, 0);
});

test("blank messages are not sent", async () => {
  const { actions, socket } = await joinedPage();
  await assert.rejects(actions.sendBroadcastMessage(" \n "), { code: 400 });
  assert.equal(socket.request("broadcast"), undefined);
});

test("an unacknowledged message survives the loss of the connection and comes once", async () => {
  const { actions, store, socket, told } = await joinedPage();
  const sending = actions.sendBroadcastMessage("hello");
  await settle();
  const { client_id: clientId } = socket.request("broadcast").params;
  socket.drop();
  assert.equal(store.getState(selectRoomState), "Reconnecting");
  actions.retryConnection();
  const next = await letIn({ join: { session_id: "s1", seq: 9, resumed: true }, after: [said("m8", "missed", 8)] });
  assert.deepEqual(placeOf(next), { session_id: "s1", seq: 5 });
  assert.equal(next.request("join"), undefined);
  assert.equal(next.request("broadcast").params.client_id, clientId);
  next.answer("broadcast", { message_id: "m9", timestamp: 1, seq: 9 });
  await sending;
  assert.deepEqual(
    store.getState(selectHMSMessages).map(({ message }) => message),
    ["missed", "hello"],
  );
  assert.deepEqual(
    told.map(([type]) => type).filter((type) => type.startsWith("RE")),
    ["RECONNECTING", "RECONNECTED"],
  );
  assert.equal(store.getState(selectRoomState), "Connected");
});

test("after a greeting that was cut off before the state had come, the whole state is asked for", async () => {
  const { actions, store, socket } = await joinedPage();
  const second = await cutAndReopened(actions, socket);
  second.hear({ method: "on-resume", params: { session_id: "s1", seq: 9, resync: true } });
  hearPolicy(second);
  await settle();
  assert.deepEqual(second.request("listen-metadata-change").params, { keys: ["default"] });
  const third = await cutAndReopened(actions, second);
  assert.deepEqual(placeOf(third), {});
  assert.equal(third.request("join").params.resume, undefined);
  third.answer("join", { session_id: "s1", seq: 9 });
  const bob = { peer_id: "bob", role: "guest", groups: [], info: { name: "Bob", data: "", user_id: "b" } };
  third.hear({ method: "peer-list", params: { peers: { bob }, room: { session_id: "s1" } } });
  await settle();
  third.answer("listen-metadata-change", {});
  const tea = { key: "default", data: "tea", change_version: 1 };
  third.hear({ method: "on-metadata-change", params: { values: [tea] } });
  await settle();
  third.answer("get-peer", { ...bob, peer_id: store.getState(selectLocalPeer).id, role: "viewer" });
  await settle();
  assert.equal(
    store
      .getState(selectPeers)
      .map(({ name }) => name)
      .includes("Bob"),
    true,
  );
  assert.equal(store.getState(selectLocalPeer).roleName, "viewer");
  assert.equal(store.getState(selectSessionMetadata), "tea");
  assert.equal(store.getState(selectRoomState), "Connected");
});

test("who resumes says nothing first, and hears what it missed before anything that it asks", async () => {
  const { actions, store, socket } = await joinedPage();
  const next = await cutAndReopened(actions, socket);
  const asking = actions.setSessionMetadata("x");
  assert.deepEqual(next.sent, []);
  next.hear({ method: "on-resume", params: { session_id: "s1", seq: 5, resumed: true } });
  next.hear(said("m1", "missed", 6)); // in one go with it
  hearPolicy(next);
  assert.deepEqual(texts({ store }), ["missed"]);
  await settle();
  assert.equal(store.getState(selectRoomState), "Connected");
  next.answer("set-metadata", { key: "default", data: "x", change_version: 1, seq: 7 });
  await asking;
  assert.deepEqual(placeOf(await cutAndReopened(actions, next)), { session_id: "s1", seq: 7 });
});

test("a page whose peer is in the session no longer joins anew", async () => {
  const { actions, store, socket } = await joinedPage();
  const next = await cutAndReopened(actions, socket);
  hearPolicy(next);
  await settle();
  const { id } = store.getState(selectLocalPeer);
  assert.deepEqual(next.request("join").params, {
    name: "Alice",
    data: "",
    resume: { session_id: "s1", seq: 5 },
    observe: ["default"],
  });
  next.answer("join", { session_id: "s2", seq: 1, resync: true });
  await settle();
  assert.equal(peerOf(next), id);
  assert.deepEqual(next.request("listen-metadata-change").params, { keys: ["default"] });
});

for (const params of [null, 7, {}, { session_id: "s1" }]) {
  test(`an on-resume that holds ${JSON.stringify(params)} counts as none`, async (t) => {
    t.mock.method(console, "error", () => {});
    const { actions, socket } = await joinedPage();
    const next = await cutAndReopened(actions, socket);
    next.hear({ method: "on-resume", params });
    hearPolicy(next);
    await settle();
    assert.deepEqual(next.request("join").params.resume, { session_id: "s1", seq: 5 });
  });
}

test("events that a slow line brings before the answer to join are taken from the replay, in order", async () => {
  const { actions, store, socket } = await joinedPage();
  socket.hear(said("m1", "first", 6));
  const next = await cutAndReopened(actions, socket);
  hearPolicy(next);
  await settle();
  next.hear(said("m3", "third", 8));
  next.answer("join", { session_id: "s1", seq: 8, resumed: true });
  await settle();
  next.hear(said("m2", "second", 7));
  next.hear(said("m3", "third", 8));
  await settle();
  const heard = store.getState(selectHMSMessages).map(({ message }) => message);
  assert.deepEqual(heard, ["first", "second", "third"]);
});

test("the place to resume from is the highest seq of notifications and replies", async () => {
  const { actions, socket } = await joinedPage();
  socket.hear(said("m1", "hi", 11));
  const setting = actions.setSessionMetadata("x");
  await settle();
  socket.answer("set-metadata", { key: "default", data: "x", change_version: 1, seq: 14 });
  await setting;
  socket.drop();
  actions.retryConnection();
  const next = await letIn({ join: { session_id: "s1", seq: 14, resumed: true } });
  assert.deepEqual(placeOf(next), { session_id: "s1", seq: 14 });
});

test("after a resync people and values are the server's, and the keys are observed again", async () => {
  const bob = { peer_id: "bob", role: "guest", groups: [], info: { name: "Bob", data: "", user_id: "b" } };
  const { actions, store, socket, told } = await joinedPage({ peers: { bob } });
  const observing = actions.sessionStore.observe("pin");
  await settle();
  socket.answer("listen-metadata-change", {});
  await observing;
  socket.drop();
  actions.retryConnection();
  const carol = { ...bob, peer_id: "carol", info: { name: "Carol", data: "", user_id: "c" } };
  const next = await letIn({ join: { session_id: "s2", seq: 3, resync: true }, peers: { carol } });
  assert.deepEqual(next.request("join").params.observe, ["default", "pin"]);
  assert.deepEqual(
    store.getState(selectPeers).map(({ name }) => name),
    ["Alice", "Carol"],
  );
  assert.deepEqual(
    told.filter(([type]) => type.startsWith("PEER_")).map(([type, data]) => [type, data.name]),
    [
      ["PEER_LIST", undefined],
      ["PEER_LEFT", "Bob"],
      ["PEER_JOINED", "Carol"],
    ],
  );
});

test("a reload of the page takes up the same peer at its place, with its messages", async () => {
  const before = await joinedPage();
  before.socket.hear(said("m1", "hello", 11));
  const { id } = before.store.getState(selectLocalPeer);
  const written = await whenWritten("hello");
  // The page goes away without a word; a new one finds what was kept.
  const old = storage;
  await before.actions.leave();
  globalThis.sessionStorage = storage = new Storage();
  storage.setItem(...written);
  assert.equal(old.size, 0);

  const page = newPage();
  const joining = page.actions.join({ userName: "Alicia", authToken: token(), initEndpoint: ORIGIN });
  const socket = await letIn({ join: { session_id: "s1", seq: 12, resumed: true }, after: [said("m2", "missed", 12)] });
  await joining;
  assert.equal(new URL(socket.url).searchParams.get("peer"), id);
  assert.deepEqual(placeOf(socket), {}); // for there is a name to tell
  const resume = { session_id: "s1", seq: 11 };
  assert.deepEqual(socket.sent[0].params, { name: "Alicia", data: "", resume, observe: ["default"] });
  assert.equal(page.store.getState(selectLocalPeer).name, "Alicia");
  assert.deepEqual(
    page.store.getState(selectHMSMessages).map(({ message }) => message),
    ["hello", "missed"],
  );
});

test("where nothing may be stored, joining works all the same", async () => {
  Object.defineProperty(globalThis, "sessionStorage", {
    configurable: true,
    get() {
      throw new Error("denied");
    },
  });
  try {
    const { store, actions } = await joinedPage();
    assert.equal(store.getState(selectRoomState), "Connected");
    await actions.leave();
  } finally {
    Object.defineProperty(globalThis, "sessionStorage", { configurable: true, writable: true, value: storage });
  }
});

test("two stores on one page are two peers", async () => {
  const first = await joinedPage();
  const second = await joinedPage();
  assert.notEqual(first.store.getState(selectLocalPeer).id, second.store.getState(selectLocalPeer).id);
});

test("leaving says so, closes, and forgets", async () => {
  const { actions, store, socket } = await joinedPage();
  await actions.leave();
  assert.deepEqual(socket.sent.at(-1), { method: "leave", params: { client_reason: "user request" } });
  assert.equal(socket.closedWith, 1000);
  assert.deepEqual(
    [store.getState(selectIsConnectedToRoom), store.getState(selectRoomState), store.getState(selectPeers)],
    [false, "Disconnected", []],
  );
  assert.equal(storage.size, 0);
  await assert.rejects(actions.sendBroadcastMessage("hi"), { code: 410 });
});

test("being removed, and the end of the room", async () => {
  const bob = { peer_id: "bob", role: "host", groups: [], info: { name: "Bob", data: "", user_id: "b" } };
  const cases = [
    [{ requested_by: "bob", reason: "bye", room_end: false }, "REMOVED_FROM_ROOM"],
    [{ requested_by: "bob", reason: "over", room_end: true }, "ROOM_ENDED"],
    [{ reason: "session expired", room_end: false }, "ROOM_ENDED"],
  ];
  for (const [params, type] of cases) {
    const { socket, store, told } = await joinedPage({ peers: { bob } });
    told.length = 0;
    socket.hear({ method: "on-peer-leave-request", params });
    const [[toldType, data]] = told;
    assert.deepEqual([toldType, data.reason, data.roomEnded], [type, params.reason, params.room_end]);
    assert.equal(store.getState(selectRoomState), "Disconnected");
    assert.equal(storage.size, 0);
  }
});

test("opened elsewhere: the end here, but the peer is kept for coming back", async () => {
  const { actions, store, socket, told } = await joinedPage();
  const { id } = store.getState(selectLocalPeer);
  told.length = 0;
  socket.hear({ method: "on-error", params: { code: 4002, message: "opened elsewhere" } });
  socket.drop(4002);
  assert.deepEqual(
    told.map(([type, { code, isTerminal }]) => [type, code, isTerminal]),
    [["ERROR", 4002, true]],
  );
  assert.equal(wire.sockets.length, 1);

  const joining = actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
  const next = await letIn({ join: { session_id: "s1", seq: 5, resumed: true } });
  await joining;
  assert.equal(new URL(next.url).searchParams.get("peer"), id);
});

test("an error from the server is the end", async () => {
  const { socket, told } = await joinedPage();
  told.length = 0;
  socket.hear({ method: "on-error", params: { code: 410, message: "session is gone" } });
  assert.deepEqual(
    told.map(([type, { code, message }]) => [type, code, message]),
    [["ERROR", 410, "session is gone"]],
  );
  assert.equal(socket.closedWith, 1000);
});

test("a token that expired is renewed by its room code, and the peer resumes", async () => {
  const fresh = token({ iat: 2 });
  answers["/v2/token"] = [
    [200, { token: token() }],
    [200, { token: fresh }],
  ];
  const page = newPage();
  const authToken = await page.actions.getAuthTokenByRoomCode(
    { roomCode: "abc-defg-hij", userId: "alice-1" },
    { endpoint: `${ORIGIN}/v2/token` },
  );
  const { secret, ...asked } = JSON.parse(requests[0].body);
  assert.deepEqual(asked, { code: "abc-defg-hij", user_id: "alice-1" });
  const joining = page.actions.join({ userName: "Alice", authToken, initEndpoint: ORIGIN });
  const socket = await letIn();
  await joining;

  answers["/init"] = [
    [401, { code: 401, message: "token expired" }],
    [200, { endpoint: "ws://rooms.test/v2/ws" }],
  ];
  socket.hear({ method: "on-error", params: { code: 401, message: "token expired" } });
  socket.drop(4001);
  page.actions.retryConnection();
  await settle();
  const next = await letIn({ join: { session_id: "s1", seq: 5, resumed: true } });
  assert.equal(new URL(next.url).searchParams.get("token"), fresh);
  const bodies = requests.filter(({ pathname }) => pathname === "/v2/token").map(({ body }) => JSON.parse(body).secret);
  assert.deepEqual(bodies, [secret, secret]);
  assert.equal(page.store.getState(selectRoomState), "Connected");
});

test("a token that expired and cannot be renewed is the end", async () => {
  const { actions, socket, told } = await joinedPage({}, { authToken: token({ jti: "not by a code" }) });
  answers["/init"] = [[401, { code: 401, message: "token expired" }]];
  socket.drop(4001);
  actions.retryConnection();
  await settle();
  assert.deepEqual(told.at(-1)[0], "ERROR");
  assert.equal(told.at(-1)[1].code, 401);
});

test("poll: its questions are fetched, and an answer is sent by type", async () => {
  const { actions, store, socket, told } = await joinedPage();
  socket.hear({ method: "on-poll-start", params: { polls: [{ poll_id: "p1", title: "Tea?", type: "poll" }] }, seq: 6 });
  await settle();
  const question = { index: 1, text: "Tea?", type: "single-choice" };
  socket.answer("poll-questions-get", {
    poll_id: "p1",
    last: true,
    questions: [{ question, options: [{ index: 1, text: "yes" }] }],
  });
  socket.answer("poll-responses", { poll_id: "p1", last: true, responses: [] });
  socket.answer("poll-result", { poll_id: "p1", user_count: 0, questions: [] });
  await settle();
  assert.deepEqual(told.at(-1)[0], "POLL_STARTED");
  assert.equal(told.at(-1)[1].questions[0].options[0].text, "yes");

  const answering = actions.interactivityCenter.addResponsesToPoll("p1", [{ questionIndex: 1, option: 1 }]);
  await settle();
  const { params } = socket.request("poll-response");
  assert.deepEqual(params, {
    poll_id: "p1",
    responses: [{ question: 1, type: "single-choice", skipped: false, option: 1 }],
  });
  // Whether it was counted nobody knows: said again it counts once.
  const next = await cutAndReopened(actions, socket);
  next.hear({ method: "on-resume", params: { session_id: "s1", seq: 6, resumed: true } });
  hearPolicy(next);
  await settle();
  assert.deepEqual(next.request("poll-response").params, params);
  next.answer("poll-response", { poll_id: "p1", result: [{ question: 1, correct: false }] });
  await settle();
  next.answer("poll-responses", {
    poll_id: "p1",
    responses: [{ response: { question: 1, type: "single-choice", option: 1 } }],
  });
  await answering;
  assert.equal(store.getState((state) => state.polls.p1).questions[0].responses[0].option, 1);
});

const tokenRequests = () =>
  requests.filter(({ pathname }) => pathname === "/v2/token").map(({ body }) => JSON.parse(body));
const code = { roomCode: "abc-defg-hij" };

test("a browser has one long secret for a server and another for the next, and a page may bring its own", async () => {
  answers["/v2/token"] = [[200, { token: token() }]];
  const ask = (origin, more) => newPage().actions.getAuthTokenByRoomCode({ ...code, ...more }, { endpoint: origin });
  await ask(`${ORIGIN}/v2/token`);
  await ask(`${ORIGIN}/v2/token`);
  await ask("http://others.test/v2/token");
  await ask(`${ORIGIN}/v2/token`, { secret: "chosen by the page" });
  const [first, second, other, own] = tokenRequests().map(({ secret }) => secret);
  assert.match(first, /^[0-9a-f]{64}$/);
  assert.equal(second, first);
  assert.notEqual(other, first);
  assert.equal(own, "chosen by the page");
});

test("where nothing may be stored the secret lasts as long as the page", async () => {
  answers["/v2/token"] = [[200, { token: token() }]];
  const endpoint = "http://private.test/v2/token";
  const ask = () => newPage().actions.getAuthTokenByRoomCode(code, { endpoint });
  globalThis.localStorage = { getItem: () => "x", setItem: () => assert.fail(new Error("denied")) };
  await ask();
  await ask();
  const [first, second] = tokenRequests().map(({ secret }) => secret);
  assert.match(first, /^[0-9a-f]{64}$/);
  assert.equal(second, first);
});

/** A page that had joined with these claims and went away without a word; what it kept is in the storage. */
async function gone(claims = {}) {
  const page = await joinedPage({}, { authToken: token(claims) });
  page.socket.hear(said("m1", "hello", 6));
  const { id } = page.store.getState(selectLocalPeer);
  page.socket.hear({ method: "on-error", params: { code: 410, message: "gone" } });
  assert.equal(page.store.getState(selectRoomState), "Disconnected");
  return id;
}

const peerOf = ({ url }) => new URL(url).searchParams.get("peer");

test("a token of the same person and role takes up the kept peer, any other does not", async () => {
  const id = await gone({ owner: "code:alice" });
  for (const claims of [{ owner: "code:eve" }, { owner: "code:alice", role: "guest" }]) {
    const { socket, store } = await joinedPage({}, { authToken: token(claims) });
    assert.notEqual(peerOf(socket), id);
    assert.deepEqual(store.getState(selectHMSMessages), []);
  }
  const resumed = { join: { session_id: "s1", seq: 6, resumed: true } };
  const again = await joinedPage(resumed, { authToken: token({ owner: "code:alice" }) });
  assert.equal(peerOf(again.socket), id);
});

const refused = { code: 403, message: "peer: this peer id belongs to somebody else" };

test("a kept peer id that /init refuses is given up for a new one, which joins as a newcomer", async () => {
  const id = await gone();
  answers["/init"] = [[403, refused], ...answers["/init"]];
  const { socket, store, told } = await joinedPage();
  assert.notEqual(peerOf(socket), id);
  assert.equal(socket.sent[0].params.resume, undefined);
  assert.deepEqual(
    store.getState(selectPeers).map((peer) => peer.id),
    [peerOf(socket)],
  );
  assert.deepEqual(
    store.getState(selectHMSMessages).map(({ message }) => message),
    ["hello"],
  );
  assert.deepEqual(
    told.filter(([type]) => type === "ERROR"),
    [],
  );
});

for (const where of ["the socket", "join"]) {
  test(`a peer id that ${where} refuses during the session is given up for a new one`, async () => {
    const { actions, socket, store, told } = await joinedPage();
    const next = await cutAndReopened(actions, socket);
    if (where === "join") {
      hearPolicy(next);
      await settle();
      next.refuse("join", refused);
    } else next.hear({ method: "on-error", params: refused });
    await settle();
    assert.notEqual(next.closedWith, undefined);
    actions.retryConnection();
    const third = await letIn();
    assert.notEqual(peerOf(third), peerOf(socket));
    assert.equal(third.request("join").params.resume, undefined);
    assert.equal(store.getState(selectRoomState), "Connected");
    assert.deepEqual(
      told.filter(([type]) => type === "ERROR"),
      [],
    );
  });
}

test("a peer id that is refused twice is the end, with the reason", async () => {
  answers["/init"] = [[403, refused]];
  const joining = newPage().actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
  await assert.rejects(joining, refused);
  assert.equal(requests.length, 2);
});

test("who was removed is told so when joining, and when it comes back", async () => {
  const removed = { code: 403, message: "removed from this session: spam", data: { removed: true, reason: "spam" } };
  const { actions, socket, store, told } = await joinedPage();
  answers["/init"] = [[403, removed]];
  socket.drop();
  actions.retryConnection();
  await settle();
  assert.equal(store.getState(selectRoomState), "Disconnected");
  const [type, data] = told.at(-1);
  assert.deepEqual([type, data.reason, data.roomEnded], ["REMOVED_FROM_ROOM", "spam", false]);
  assert.equal(storage.size, 0);
  await assert.rejects(actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN }), removed);
});

test("being removed by somebody who has left is being removed", async () => {
  const { socket, told } = await joinedPage();
  const params = { requested_by: "who left", reason: "bye", room_end: false };
  socket.hear({ method: "on-peer-leave-request", params });
  assert.equal(told.at(-1)[0], "REMOVED_FROM_ROOM");
});

test("who may remove others knows who was removed, and lets them in", async () => {
  const { actions, socket, store } = await joinedPage({ permissions: { removeOthers: true } });
  const eve = { person: "p-eve", name: "Eve", role: "guest", reason: "spam", removed_by: "Alice", removed_at: 5 };
  socket.hear({ method: "on-removed-change", params: { removed: [eve] }, seq: 6 });
  const [{ person, name, removedBy, removedAt }] = store.getState(selectRemoved);
  assert.deepEqual([person, name, removedBy, removedAt], ["p-eve", "Eve", "Alice", new Date(5)]);
  const letting = actions.letIn(person);
  await settle();
  assert.deepEqual(socket.request("peer-let-in").params, { person: "p-eve" });
  socket.answer("peer-let-in", { person });
  await letting;
  assert.ok(socket.request("peers-removed"));
});

test("a role that may remove others brings the list of who was removed", async () => {
  const { socket, store } = await joinedPage();
  assert.equal(socket.request("peers-removed"), undefined);
  const host = { name: "host", permissions: { removeOthers: true } };
  socket.hear({ method: "on-policy-change", params: { name: "host", known_roles: { host } } });
  await settle();
  socket.answer("peers-removed", { removed: [{ person: "p-eve", name: "Eve" }] });
  await settle();
  assert.equal(store.getState(selectRemoved)[0].name, "Eve");
});

test("a pin names the message alone", async () => {
  const { actions, socket } = await joinedPage();
  const pinning = actions.pinMessage("m1", "words of one's own");
  await settle();
  assert.deepEqual(socket.request("pin-message").params, { id: "m1" });
  socket.answer("pin-message", { pinned: [] });
  await pinning;
});

test("people and messages carry the person, oneself too", async () => {
  const { actions, socket, store } = await joinedPage({ self: { person: "p-alice" } });
  assert.equal(store.getState(selectLocalPeer).person, "p-alice");
  const message = said("m1", "hi", 6);
  message.params.peer.person = "p-bob";
  socket.hear(message);
  const sending = actions.sendBroadcastMessage("hello");
  await settle();
  socket.answer("broadcast", { message_id: "m2", timestamp: 9, seq: 7 });
  await sending;
  assert.deepEqual(
    store.getState(selectHMSMessages).map(({ senderPerson }) => senderPerson),
    ["p-bob", "p-alice"],
  );
});

test("a newcomer is called what the server calls it", async () => {
  const self = { role: "viewer", info: { name: "Guest", data: "" } };
  const { store } = await joinedPage({ self }, { userName: "\u200b" });
  const { name, roleName } = store.getState(selectLocalPeer);
  assert.deepEqual([name, roleName], ["Guest", "viewer"]);
});

/** Waits until something is so, over messages between tabs and timers of the script's own. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const direct = (id, text, seq) => {
  const message = said(id, text, seq);
  message.params.private = true;
  return message;
};

const texts = ({ store }) => store.getState(selectHMSMessages).map(({ message }) => message);

/** Tabs of one browser share its locks, and each has a storage of its own. */
function browser(t) {
  const locks = new Locks();
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { locks } });
  t.after(() => delete globalThis.navigator);
  return locks;
}

/** What a browser gives to the duplicate of a tab. */
async function copiedStorage() {
  const copy = new Storage();
  copy.setItem(...(await whenWritten("hello")));
  return copy;
}

/** Joins a tab whose storage is given; it may wait for what another tab holds. */
async function joinedTab(kept, options) {
  globalThis.sessionStorage = storage = kept;
  const page = newPage();
  const before = wire.sockets.length;
  const joining = page.actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
  await until(() => wire.sockets.length > before);
  page.socket = await letIn(options);
  await joining;
  return page;
}

test("a duplicated tab is a peer of its own, and both have everything that was said", async (t) => {
  browser(t);
  const first = await joinedPage();
  first.socket.hear(said("m1", "hello", 6));
  const copy = await copiedStorage();
  first.socket.hear(direct("m2", "after the copy, to you alone", 7));
  const second = await joinedTab(copy, { join: { session_id: "s1", seq: 8 } });
  assert.notEqual(peerOf(second.socket), peerOf(first.socket));
  assert.equal(second.socket.sent[0].params.resume, undefined);

  first.socket.hear(said("m3", "on its way to the first", 8)); // the second joined behind it
  await until(() => texts(second).length === 3);
  first.socket.hear(direct("m4", "to the first alone", 9));
  second.socket.hear(direct("m5", "to the second alone", 10));
  const sending = second.actions.sendDirectMessage("from the second", "bob");
  await settle();
  second.socket.answer("broadcast", { message_id: "m6", timestamp: 1_000, seq: 11 });
  await sending;
  await until(() => texts(first).length === 6 && texts(second).length === 6);
  assert.deepEqual(texts(first).toSorted(), texts(second).toSorted());
  assert.deepEqual(second.store.getState(selectMissed), []);
  await second.actions.leave();
  assert.equal(first.store.getState(selectRoomState), "Connected");
  assert.equal(first.socket.closedWith, undefined);
});

test("tabs of which one is behind hold the same after a clearing: what was said since, and nothing from before", async (t) => {
  browser(t);
  const first = await joinedPage();
  first.socket.hear(said("m0", "hello", 6));
  const second = await joinedTab(await copiedStorage(), { join: { session_id: "s1", seq: 6 } });
  const cleared = (seq) => ({ method: "on-messages-clear", params: { by: "bob" }, seq });
  first.socket.hear(direct("m1", "before", 7));
  first.socket.hear(cleared(8));
  first.socket.hear(direct("m2", "since", 9));
  await until(() => texts(second).includes("since"));
  second.socket.hear(cleared(8));
  await until(() => texts(second).length);
  assert.deepEqual([texts(first), texts(second)], [["since"], ["since"]]);

  second.socket.hear(cleared(11));
  first.socket.hear(direct("m3", "before again", 10));
  first.socket.hear(cleared(11));
  first.socket.hear(direct("m4", "since then", 12));
  await until(() => texts(second).includes("since then"));
  assert.deepEqual([texts(first), texts(second)], [["since then"], ["since then"]]);
});

test("a reload in the same tab finds its peer, whose lock the page before gives up a moment later", async (t) => {
  const locks = browser(t);
  const first = await joinedPage();
  first.socket.hear(said("m1", "hello", 6));
  const kept = await copiedStorage();
  const id = peerOf(first.socket);
  assert.deepEqual(locks.names, [`hmsroom:${id}`]);
  setTimeout(() => first.actions.leave(), 50);
  const again = await joinedTab(kept, { join: { session_id: "s1", seq: 6, resumed: true } });
  assert.equal(peerOf(again.socket), id);
  await again.actions.leave();
  await settle();
  assert.deepEqual(locks.names, []);
});

test("leaving while another tab holds the peer rejects the join, and nothing is held", async (t) => {
  const locks = browser(t);
  const first = await joinedPage();
  first.socket.hear(said("m1", "hello", 6));
  globalThis.sessionStorage = await copiedStorage();
  const page = newPage();
  const joining = page.actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
  await settle();
  await page.actions.leave();
  await assert.rejects(joining, { code: 1000 });
  assert.deepEqual(locks.names, [`hmsroom:${peerOf(first.socket)}`]);
});

const ODD_JOINS = [null, 7, [], {}, { session_id: "s1" }, { seq: 1 }, { session_id: 7, seq: 1 }];

for (const answer of ODD_JOINS) {
  test(`join() rejects when it is answered with ${JSON.stringify(answer)}`, async () => {
    const page = newPage();
    const joining = page.actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
    await settle();
    wire.socket.open();
    await settle();
    wire.socket.answer("join", answer);
    await assert.rejects(joining, { code: 1003, message: "join: the answer names no session" });
    assert.equal(page.store.getState(selectRoomState), "Disconnected");
  });
}

test("join() rejects with the browser's reason where it allows no such socket", async () => {
  globalThis.WebSocket = function () {
    throw new DOMException("insecure", "SecurityError");
  };
  const joining = newPage().actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
  await assert.rejects(joining, { message: "insecure" });
});

test("join() rejects for a token or an address that are none, and may be tried again", async () => {
  const { actions } = newPage();
  for (const authToken of [undefined, "x", "a.b.c", "e30.bnVsbA.x"]) {
    await assert.rejects(actions.join({ userName: "Alice", authToken, initEndpoint: "::" }));
  }
  const joining = actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
  await letIn();
  await joining;
});

test("an answer without a token rejects", async () => {
  answers["/v2/token"] = [[200, null]];
  const asking = newPage().actions.getAuthTokenByRoomCode(code, { endpoint: `${ORIGIN}/v2/token` });
  await assert.rejects(asking, { code: 1003 });
});

test("leaving rejects a join that is under way, and what was called meanwhile", async () => {
  const { actions } = newPage();
  const joining = actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
  await settle();
  const calls = [actions.changeName("B"), actions.sendBroadcastMessage("one"), actions.sendBroadcastMessage("two")];
  const settled = Promise.allSettled([joining, ...calls]);
  await settle();
  await actions.leave();
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ["rejected", "rejected", "rejected", "rejected"],
  );
});

test("messages arrive in the order of typing, however often the server asks for patience", async () => {
  const { actions, store, socket } = await joinedPage();
  const taken = [];
  const sending = ["one", "two", "three", "four"].map((text) => actions.sendBroadcastMessage(text));
  for (let number = 1; taken.length < 4; number += 1) {
    await until(() => socket.sent.filter(({ method }) => method === "broadcast").length === number);
    const { message } = socket.request("broadcast").params.info;
    if (number % 3 === 1) {
      socket.refuse("broadcast", { code: 429, message: "too fast" });
      continue;
    }
    taken.push(message);
    socket.answer("broadcast", { message_id: `m${number}`, timestamp: number, seq: 10 + number });
  }
  await Promise.all(sending);
  assert.deepEqual(taken, ["one", "two", "three", "four"]);
  assert.deepEqual(texts({ store }), taken);
});

test("a message that waits behind others is not said in a room joined later, nor once it was discarded", async () => {
  const { actions, store, socket } = await joinedPage();
  const sending = ["one", "two", "three"].map((text) => actions.sendBroadcastMessage(text));
  const settled = Promise.allSettled(sending);
  await settle();
  actions.discardMessage(store.getState(selectOutbox)[1].clientId);
  socket.answer("broadcast", { message_id: "m1", timestamp: 1, seq: 6 });
  await settle();
  assert.equal(socket.request("broadcast").params.info.message, "three");
  await actions.leave();
  const joining = actions.join({ userName: "Alice", authToken: token({ room_id: "r2" }), initEndpoint: ORIGIN });
  const next = await letIn({ join: { session_id: "s9", seq: 1 } });
  await joining;
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ["fulfilled", "rejected", "rejected"],
  );
  assert.equal(next.request("broadcast"), undefined);
});

test("after a reload the messages on their way go in their order, but not into another session", async () => {
  const page = await joinedPage();
  page.socket.hear(said("m1", "hello", 6));
  const settled = Promise.allSettled(["one", "two"].map((text) => page.actions.sendBroadcastMessage(text)));
  await settle();
  let kept;
  await until(() => {
    kept = storage.getItem("hmsroom:r1:host:alice-1");
    return kept?.includes('"two"');
  });
  await page.actions.leave();
  await settled;
  for (const session of ["s1", "s2"]) {
    globalThis.sessionStorage = storage = new Storage();
    storage.setItem("hmsroom:r1:host:alice-1", kept);
    const again = await joinedPage({ join: { session_id: session, seq: 7, resync: true } });
    if (session === "s1") {
      assert.equal(again.socket.request("broadcast").params.info.message, "one");
      again.socket.answer("broadcast", { message_id: "m2", timestamp: 1, seq: 8 });
      await settle();
      assert.equal(again.socket.request("broadcast").params.info.message, "two");
    } else {
      assert.equal(again.socket.request("broadcast"), undefined);
      assert.deepEqual(
        again.store.getState(selectOutbox).map(({ status }) => status),
        ["failed", "failed"],
      );
    }
    await again.actions.leave();
  }
});

test("a key that the server refuses to observe is not asked for with every greeting", async () => {
  const { actions, socket } = await joinedPage();
  const observing = actions.sessionStore.observe("x".repeat(1_000));
  await settle();
  socket.refuse("listen-metadata-change", { code: 413, message: "keys: too long" });
  await assert.rejects(observing, { code: 413 });
  socket.drop();
  actions.retryConnection();
  const next = await letIn({ join: { session_id: "s1", seq: 9, resync: true } });
  assert.deepEqual(next.request("listen-metadata-change").params, { keys: ["default"] });
});

test("a compare-and-set loop ends after the database went back", async () => {
  const { actions, store, socket } = await joinedPage({ metadata: { data: ["a", "b"], change_version: 9 } });
  socket.drop();
  actions.retryConnection();
  const restored = { key: "default", data: ["a"], change_version: 2 };
  const next = await letIn({ join: { session_id: "s1", seq: 3, history: "h2", resync: true }, metadata: restored });
  assert.equal(store.getState(selectSessionEntry("default")).change_version, 2);
  // Somebody else is faster, in the history that counts now.
  const setting = actions.setSessionMetadata(["a", "c"], { ifChangeVersion: 2 });
  await settle();
  next.refuse("set-metadata", { code: 409, message: "version conflict", data: { ...restored, change_version: 1 } });
  await assert.rejects(setting, { code: 409 });
  assert.equal(store.getState(selectSessionEntry("default")).change_version, 1);
});

test("the place carries the history that the server named last", async () => {
  const { actions, socket } = await joinedPage({ join: { session_id: "s1", seq: 5, history: "h1" } });
  socket.hear({ method: "session-info", params: { session_id: "s1", peer_count: 1, history: "h2" } });
  socket.hear(said("m1", "hi", 6));
  const next = await cutAndReopened(actions, socket);
  assert.deepEqual(placeOf(next), { session_id: "s1", seq: 6, history: "h2" });
  hearPolicy(next);
  next.hear({ method: "session-info", params: { session_id: "s1", peer_count: 1, history: "h3" } }); // before join
  await settle();
  assert.deepEqual(next.request("join").params.resume, { session_id: "s1", seq: 6, history: "h2" });
  const third = await cutAndReopened(actions, next);
  assert.deepEqual(placeOf(third), { session_id: "s1", seq: 6, history: "h2" });
});

const poll = (id, state, more = {}) => ({ poll_id: id, title: id, type: "poll", state, ...more });
const whole = (id, state, votes = 0) => {
  const question = { index: 1, text: "Tea?", type: "single-choice" };
  const result = { poll_id: id, user_count: votes, questions: [{ question: 1, options: [votes], total: votes }] };
  const questions = [{ question, options: [{ index: 1, text: "yes" }] }];
  return poll(id, state, { questions, result, own_responses: [] });
};

test("after a resync polls are the server's: the ended have ended, the new are there, in one call", async () => {
  const { actions, store, socket, told } = await joinedPage({ permissions: { pollRead: true } });
  const reading = actions.interactivityCenter.getPolls();
  await settle();
  socket.answer("poll-list", { polls: [whole("p1", "started"), whole("p0", "started")], last: "" });
  await reading;
  socket.drop();
  actions.retryConnection();
  told.length = 0;
  const next = await letIn({ join: { session_id: "s1", seq: 40, resync: true }, permissions: { pollRead: true } });
  const sent = next.sent.length;
  next.answer("poll-list", { polls: [whole("p1", "stopped", 3), whole("p2", "started")], last: "" });
  await settle();
  const shown = store.getState(selectPolls).map(({ id, state, result }) => [id, state, result.totalUsers]);
  assert.deepEqual(shown, [
    ["p1", "stopped", 3],
    ["p2", "started", 0],
  ]);
  assert.equal(store.getState((state) => state.polls.p1).questions[0].options[0].voteCount, 3);
  const news = told.filter(([type]) => type.startsWith("POLL")).map(([type, { id }]) => [type, id]);
  assert.deepEqual(news, [
    ["POLL_STOPPED", "p1"],
    ["POLL_STARTED", "p2"],
  ]);
  assert.equal(next.sent.length, sent);
});

test("where the rest of the actions comes later, polls that ran before are no news, and one that began is", async () => {
  const core = new Core();
  const told = [];
  core.notices.onNotification(({ data }) => told.push(data.id), "POLL_STARTED");
  const joining = new CoreActions(core).join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN });
  const socket = await letIn({ permissions: { pollRead: true } });
  await joining;
  core.client.change("polls-seen", { polls: [{ poll_id: "new" }] }); // as seen when it began
  const actions = new Actions(core);
  await settle();
  socket.answer("poll-list", { polls: [whole("old", "started"), whole("new", "started")], last: "" });
  await settle();
  await actions.leave();
  assert.deepEqual(told, ["new"]);
});

test("what is given to a new store is ignored", () => {
  assert.equal(new HMSReactiveStore({}).getStore().getState(selectRoomState), "Disconnected");
});

test("polls are read to the last page, and one by one from a server that gives them bare", async () => {
  const { actions, socket } = await joinedPage();
  const reading = actions.interactivityCenter.getPolls();
  await settle();
  assert.deepEqual(socket.request("poll-list").params, { count: 100, full: true });
  socket.answer("poll-list", { polls: [whole("p1", "stopped"), poll("draft", "created")], last: "p1" });
  await settle();
  assert.equal(socket.request("poll-list").params.start, "p1");
  socket.answer("poll-list", { polls: [poll("p2", "stopped")], last: "" });
  await settle();
  const { questions } = whole("p2", "stopped");
  socket.answer("poll-questions-get", { questions, last: false });
  socket.answer("poll-responses", { responses: [], last: true });
  socket.answer("poll-result", { poll_id: "p2", user_count: 7, questions: [] });
  await settle();
  assert.equal(socket.request("poll-questions-get").params.index, 1);
  socket.answer("poll-questions-get", { questions: [{ ...questions[0], question: { index: 2 } }], last: true });
  const found = await reading;
  assert.deepEqual(
    found.map(({ id, questions: known }) => [id, known.length]),
    [
      ["p1", 1],
      ["p2", 2],
    ],
  );
});

test("right answers travel before the end only if that is asked for", async () => {
  const { actions, socket } = await joinedPage();
  const options = [{ text: "4", isCorrectAnswer: true }, { text: "5" }];
  const questions = [
    { text: "2+2", type: "single-choice", options },
    { text: "2+2", type: "single-choice", options, answer: { option: 1 } },
    { text: "2+2", type: "single-choice", options, answer: { option: 1, hidden: false } },
    { text: "2+2", type: "multiple-choice", options },
    { text: "why", type: "short-answer", answer: { text: "so" } },
  ];
  const adding = actions.interactivityCenter.addQuestionsToPoll("p1", questions);
  await settle();
  const sent = socket.request("poll-questions-set").params.questions.map(({ answer }) => answer);
  assert.deepEqual(sent, [
    { option: 1, hidden: true },
    { option: 1, hidden: true },
    { option: 1, hidden: false },
    { options: [1], hidden: true },
    { text: "so", hidden: true },
  ]);
  socket.answer("poll-questions-set", { poll_id: "p1" });
  await adding;
});

test("what its person answered in another tab is read", async () => {
  const { socket } = await joinedPage();
  socket.hear({ method: "on-poll-start", params: { polls: [poll("p1", "started")] }, seq: 6 });
  await settle();
  socket.hear({ method: "on-poll-response", params: { poll_id: "p1" }, seq: 7 });
  await settle();
  assert.equal(socket.request("poll-responses").params.poll_id, "p1");
});

test("when a poll ends its right answers are read", async () => {
  const { store, socket } = await joinedPage();
  socket.hear({ method: "on-poll-stop", params: { polls: [poll("p1", "stopped")] }, seq: 6 });
  await settle();
  const [{ question, options }] = whole("p1", "stopped").questions;
  socket.answer("poll-questions-get", { questions: [{ question, options, answer: { option: 1 } }], last: true });
  socket.answer("poll-responses", { responses: [], last: true });
  socket.answer("poll-result", { poll_id: "p1", questions: [] });
  await settle();
  assert.deepEqual(store.getState((state) => state.polls.p1).questions[0].answer, { option: 1 });
});

test("the time is the server's, and a step of this computer's clock does not change it", async (t) => {
  const there = 1_700_000_000_000;
  const { actions } = await joinedPage({ join: { session_id: "s1", seq: 5, timestamp: there } });
  t.mock.method(Date, "now", () => there + 3_600_000);
  assert.ok(Math.abs(actions.serverNow() - there) < 60_000);
});

test("the browser's word that the network is gone, or back, counts at once", async (t) => {
  const window = new EventTarget();
  globalThis.addEventListener = window.addEventListener.bind(window);
  t.after(() => delete globalThis.addEventListener);
  const { store, told } = await joinedPage();
  window.dispatchEvent(new Event("offline"));
  assert.equal(store.getState(selectRoomState), "Reconnecting");
  assert.equal(told.at(-1)[0], "RECONNECTING");
  window.dispatchEvent(new Event("online"));
  await letIn({ join: { session_id: "s1", seq: 5, resumed: true } });
  assert.equal(store.getState(selectRoomState), "Connected");
});

test("a notification that cannot be understood is reported, and the next is heard", async (t) => {
  t.mock.method(console, "error", () => {});
  const { store, socket } = await joinedPage();
  for (const params of [undefined, null, 7, "x", [], { polls: [null], peers: 1, values: "x", peer_id: {} }]) {
    for (const method of ["on-broadcast", "on-poll-start", "on-poll-stop", "peer-list", "on-metadata-change", "x"]) {
      socket.hear({ method, params });
    }
  }
  socket.hear(said("m1", "still here", 9));
  assert.deepEqual(texts({ store }), ["still here"]);
});

test("a gap among the messages is told and kept, and those on both sides of it stay", async () => {
  const { actions, store, socket, told } = await joinedPage();
  socket.hear(said("m1", "before", 6));
  socket.drop();
  actions.retryConnection();
  const next = await letIn({ join: { session_id: "s1", seq: 20, resync: true } });
  next.hear(said("m9", "after", 21));
  assert.deepEqual(texts({ store }), ["before", "after"]);
  const [{ after, since }] = store.getState(selectMissed);
  assert.equal(after, "m1");
  assert.ok(since instanceof Date);
  assert.deepEqual(
    told.filter(([type]) => type === "MESSAGES_MISSED"),
    [["MESSAGES_MISSED", { after, since }]],
  );
});
