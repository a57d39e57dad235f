import assert from "node:assert/strict";
import { test } from "node:test";

import { RpcError } from "../../static/rooms/client/connection/error.js";
import { Rpc } from "../../static/rooms/client/connection/rpc.js";
import { Clock, settle, Wire } from "./wire.js";

/** An Rpc over a wire; its greeting is one `join`. */
function connection({ address = async () => "ws://test/", random = () => 1, makeSocket } = {}) {
  const wire = new Wire();
  const clock = new Clock();
  const greet = (call) => call("join", {});
  const rpc = new Rpc({ address, greet, makeSocket: makeSocket ?? wire.makeSocket, random, clock });
  const events = [];
  for (const type of ["notification", "lost", "restored", "ended", "pong"]) {
    rpc.addEventListener(type, ({ detail }) => events.push([type, detail]));
  }
  return { rpc, wire, clock, events };
}

async function opened(options) {
  const made = connection(options);
  const opening = made.rpc.open();
  await greeted(made.wire);
  await opening;
  return made;
}

async function greeted(wire) {
  await settle();
  wire.socket.open();
  await settle();
  wire.socket.answer("join", { seq: 1 });
  await settle();
}

test("join is the first frame, and calls wait for its answer", async () => {
  const { rpc, wire } = connection();
  rpc.open();
  const call = rpc.call("broadcast", { info: {} });
  await settle();
  wire.socket.open();
  await settle();
  assert.deepEqual(
    wire.socket.sent.map(({ method }) => method),
    ["join"],
  );
  wire.socket.answer("join", {});
  await settle();
  assert.deepEqual(
    wire.socket.sent.map(({ method }) => method),
    ["join", "broadcast"],
  );
  wire.socket.answer("broadcast", { message_id: "m1" });
  assert.deepEqual(await call, { message_id: "m1" });
});

test("answers find their calls whatever their order, and errors reject with code and data", async () => {
  const { rpc, wire } = await opened();
  const first = rpc.call("one");
  const second = rpc.call("two");
  wire.socket.answer("two", { n: 2 });
  wire.socket.refuse("one", { code: 409, message: "stale", data: { key: "default" } });
  assert.deepEqual(await second, { n: 2 });
  await assert.rejects(first, { name: "HMSException", code: 409, message: "stale", data: { key: "default" } });
});

test("notifications are events, unknown answers are nothing", async () => {
  const { wire, events } = await opened();
  wire.socket.hear({ method: "on-peer-join", params: { peer_id: "bob" }, seq: 4 });
  wire.socket.hear({ id: "999", result: {} });
  assert.deepEqual(events, [["notification", { method: "on-peer-join", params: { peer_id: "bob" }, seq: 4 }]]);
});

test("a lost connection comes back, with calls made meanwhile and those safe to repeat, in their order", async () => {
  const { rpc, wire, events, clock } = await opened();
  const safe = rpc.call("broadcast", { client_id: "c1" }, { again: true });
  const unsafe = rpc.call("set-metadata", {});
  wire.socket.drop();
  const queued = rpc.call("peer-update", { name: "B" });
  await assert.rejects(unsafe, { code: 1003 });
  clock.tick(500);
  await greeted(wire);
  assert.equal(wire.sockets.length, 2);
  assert.deepEqual(
    wire.socket.sent.map(({ method }) => method),
    ["join", "broadcast", "peer-update"],
  );
  wire.socket.answer("broadcast", { message_id: "m1" });
  wire.socket.answer("peer-update", {});
  await Promise.all([safe, queued]);
  assert.deepEqual(
    events.map(([type]) => type),
    ["lost", "restored"],
  );
});

test("tries wait longer and longer, up to a bound, and never all at one moment", async () => {
  const delays = [];
  for (const random of [() => 1, () => 0]) {
    const { wire, events, clock } = await opened({ random });
    wire.socket.drop();
    for (let attempt = 1; attempt < 8; attempt += 1) {
      clock.tick(15_000);
      await settle();
      wire.socket.drop();
    }
    delays.push(events.map(([, { delay }]) => delay));
  }
  assert.deepEqual(delays[0], [500, 1000, 2000, 4000, 6000, 6000, 6000, 6000]);
  assert.deepEqual(delays[1], [250, 500, 1000, 2000, 3000, 3000, 3000, 3000]);
});

test("after a restart of the server everybody spreads out", async () => {
  const { wire, events } = await opened();
  wire.socket.drop(1012);
  assert.deepEqual(events, [["lost", { attempt: 1, delay: 2000, code: 1012 }]]);
});

test("hurry() tries at once", async () => {
  const { rpc, wire, clock } = await opened();
  wire.socket.drop();
  rpc.hurry();
  await greeted(wire);
  assert.equal(wire.sockets.length, 2);
  clock.tick(500); // the try that was planned is not made as well
  await settle();
  assert.equal(wire.sockets.length, 2);
});

for (const code of [4002, 4003]) {
  test(`close code ${code} is the end`, async () => {
    const { rpc, wire, events, clock } = await opened();
    const waiting = rpc.call("broadcast", {}, { again: true });
    wire.socket.drop(code);
    await assert.rejects(waiting, { code, isTerminal: true });
    await assert.rejects(rpc.call("broadcast"), { code });
    clock.tick(60_000);
    await settle();
    assert.equal(wire.sockets.length, 1);
    assert.deepEqual(
      events.map(([type]) => type),
      ["ended"],
    );
  });
}

for (const code of [1000, 1001, 1006, 1011, 1012, 4001, 4008, 4029]) {
  test(`close code ${code} is tried again`, async () => {
    const { wire, clock } = await opened();
    wire.socket.drop(code);
    clock.tick(15_000);
    await settle();
    assert.equal(wire.sockets.length, 2);
  });
}

test("silence after a ping is a loss", async () => {
  const { wire, events, clock } = await opened();
  const first = wire.socket;
  clock.tick(10_000);
  assert.ok(first.request("ping"));
  clock.tick(7_900);
  assert.equal(events.length, 0);
  clock.tick(100);
  assert.deepEqual(
    events.map(([type]) => type),
    ["lost"],
  );
  assert.equal(first.closedWith, 1000);
});

test("a socket that does not come up, or is not greeted, is given up", async () => {
  const { rpc, wire, clock } = connection();
  rpc.open().catch(() => {});
  await settle();
  clock.tick(15_000);
  assert.equal(wire.socket.closedWith, 1000);
  clock.tick(500);
  await settle();
  assert.equal(wire.sockets.length, 2);
  wire.socket.open();
  await settle();
  clock.tick(15_000);
  assert.equal(wire.socket.closedWith, 1000);
  clock.tick(1_000);
  await greeted(wire);
  assert.equal(wire.sockets.length, 3);
  clock.tick(4_900);
  assert.equal(wire.socket.closedWith, undefined);
});

test("any frame is a sign of life, and pongs are told", async () => {
  const { wire, events, clock } = await opened();
  for (let beat = 0; beat < 10; beat += 1) {
    clock.tick(10_000);
    wire.socket.answer("ping", { timestamp: 1, seq: beat });
  }
  assert.deepEqual(
    events.map(([type, detail]) => [type, detail.seq]),
    Array.from({ length: 10 }, (_, n) => ["pong", n]),
  );
});

test("late timers of a sleeping tab are no silence", async () => {
  const { wire, events, clock } = await opened();
  clock.tick(10_000);
  wire.socket.answer("ping", { timestamp: 1 });
  clock.sleep(600_000); // the beat comes ten minutes late
  clock.tick(1);
  assert.deepEqual(
    events.map(([type]) => type),
    ["pong"],
  );
});

test("answers that ask for patience are tried again, others not", async () => {
  const { rpc, wire, clock } = await opened();
  const call = rpc.call("broadcast", {});
  for (let attempt = 1; attempt < 4; attempt += 1) {
    const { id } = wire.socket.request("broadcast");
    wire.socket.refuse("broadcast", { code: attempt % 2 ? 429 : 503, message: "later" });
    clock.tick(2_000 * attempt);
    assert.notEqual(wire.socket.request("broadcast").id, id);
  }
  wire.socket.refuse("broadcast", { code: 429, message: "too fast" });
  await assert.rejects(call, { code: 429, message: "too fast" });
});

test("the first connection gives up when the server cannot be reached", async () => {
  const { rpc, wire, clock } = connection();
  const opening = rpc.open();
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await settle();
    wire.socket.drop();
    clock.tick(15_000);
  }
  await assert.rejects(opening, { code: 1003, message: "the server cannot be reached" });
  assert.equal(wire.sockets.length, 5);
});

test("a refusal of the address or of the greeting is final", async () => {
  const refusal = new RpcError({ code: 403, message: "room not available", isTerminal: true });
  const refused = connection({ address: () => Promise.reject(refusal) });
  await assert.rejects(refused.rpc.open(), refusal);
  assert.equal(refused.wire.sockets.length, 0);

  const { rpc, wire } = connection();
  const opening = rpc.open();
  await settle();
  wire.socket.open();
  await settle();
  wire.socket.refuse("join", { code: 410, message: "session is gone" });
  await assert.rejects(opening, { code: 410, isTerminal: true });
});

test("a greeting that is refused for the moment is tried again", async () => {
  const { rpc, wire, clock } = connection();
  const opening = rpc.open();
  await settle();
  wire.socket.open();
  await settle();
  wire.socket.refuse("join", { code: 503, message: "later" });
  await settle();
  clock.tick(500);
  await greeted(wire);
  await opening;
  assert.equal(wire.sockets.length, 2);
});

test("frames of a socket that was let go are not heard", async () => {
  const { wire, events, clock } = await opened();
  const [old] = wire.sockets;
  old.drop();
  clock.tick(500);
  await greeted(wire);
  events.length = 0;
  old.hear({ method: "on-peer-leave", params: { peer_id: "bob" } });
  old.drop();
  assert.deepEqual(events, []);
});

test("close() ends quietly and rejects what waits", async () => {
  const { rpc, wire, events, clock } = await opened();
  const waiting = rpc.call("broadcast");
  rpc.close();
  await assert.rejects(waiting, { code: 1003 });
  clock.tick(60_000);
  await settle();
  assert.deepEqual([events, wire.sockets.length, wire.socket.closedWith], [[], 1, 1000]);
});

test("a socket that the browser does not allow rejects with its reason", async () => {
  const makeSocket = () => {
    throw new DOMException("An insecure WebSocket connection may not be initiated", "SecurityError");
  };
  const { rpc, events } = connection({ makeSocket });
  await assert.rejects(rpc.open(), { name: "HMSException", message: /^An insecure WebSocket/ });
  await assert.rejects(rpc.call("broadcast"), { message: /^An insecure/ });
  assert.deepEqual(
    events.map(([type]) => type),
    ["ended"],
  );
});

for (const odd of [new TypeError("endpoint of null"), "just text", undefined, null]) {
  test(`an address that fails with ${odd} rejects in the end`, async () => {
    const { rpc, clock } = connection({ address: () => Promise.reject(odd) });
    const opening = assert.rejects(rpc.open(), { name: "HMSException", code: 1003 });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await settle();
      clock.tick(15_000);
    }
    await opening;
  });
}

for (const text of ["not JSON", "null", "7", "[]"]) {
  test(`a frame that is ${text} is a broken connection`, async () => {
    const { rpc, wire, clock } = await opened();
    const call = rpc.call("broadcast", {}, { again: true });
    wire.socket.onmessage({ data: text });
    clock.tick(500);
    await greeted(wire);
    wire.socket.answer("broadcast", { message_id: "m1" });
    assert.deepEqual(await call, { message_id: "m1" });

    const first = connection();
    const opening = assert.rejects(first.rpc.open(), { message: /cannot be read/ });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await settle();
      first.wire.socket.open();
      first.wire.socket.onmessage({ data: text });
      first.clock.tick(15_000);
    }
    await opening;
  });
}

test("a call that is not JSON rejects at once, and those that wait with it are sent", async () => {
  const { rpc, wire } = connection();
  const opening = rpc.open();
  await assert.rejects(rpc.call("role-change-request", { role: 10n }), { code: 400, message: /^role-change-request:/ });
  const call = rpc.call("broadcast");
  await greeted(wire);
  await opening;
  wire.socket.answer("broadcast", { message_id: "m1" });
  assert.deepEqual(await call, { message_id: "m1" });
});

test("a patient call is tried until it is not too fast any more", async () => {
  const { rpc, wire, clock } = await opened();
  const call = rpc.call("broadcast", {}, { patient: true });
  for (let attempt = 1; attempt < 20; attempt += 1) {
    wire.socket.refuse("broadcast", { code: 429, message: "too fast" });
    wire.socket.hear({ method: "on-peer-leave", params: {} }); // alive
    clock.tick(4_000);
    wire.socket.hear({ method: "on-peer-leave", params: {} });
    clock.tick(4_000);
  }
  wire.socket.answer("broadcast", { message_id: "m1" });
  assert.deepEqual(await call, { message_id: "m1" });
});

test("a connection that is up for lost is lost at once", async () => {
  const { rpc, wire, events, clock } = await opened();
  rpc.lose();
  rpc.lose();
  assert.deepEqual(
    events.map(([type]) => type),
    ["lost"],
  );
  clock.tick(500);
  await greeted(wire);
  assert.deepEqual(
    events.map(([type]) => type),
    ["lost", "restored"],
  );
});

test("spans are not measured by a clock that can be set", async (t) => {
  t.mock.method(Date, "now", () => assert.fail("Date.now"));
  const wire = new Wire();
  const { makeSocket } = wire;
  const rpc = new Rpc({ address: async () => "ws://test/", greet: (call) => call("join", {}), makeSocket });
  const opening = rpc.open();
  await greeted(wire);
  await opening;
  rpc.hurry();
  wire.socket.answer("ping", { timestamp: 1 });
  rpc.close();
});

test("a page that is put aside says so, and is back at once when it is shown again", async () => {
  const { rpc, wire, events, clock } = await opened();
  const [before] = wire.sockets;
  rpc.hide();
  rpc.hide();
  assert.equal(before.closedWith, 3001);
  clock.tick(7_000); // not while it is being closed
  await settle();
  assert.equal(wire.sockets.length, 1);
  rpc.hurry();
  await greeted(wire);
  assert.deepEqual(
    events.map(([type]) => type),
    ["lost", "restored"],
  );
});

test("a page that was not closed after all comes back by itself", async () => {
  const { rpc, wire, clock } = await opened();
  rpc.hide();
  clock.tick(15_000);
  await greeted(wire);
  assert.equal(wire.sockets.length, 2);
});
