import assert from "node:assert/strict";
import { test } from "node:test";

import { selectLimits, selectLocalPeer, selectLocks } from "../../static/rooms/hms.js";
import { goneWith, joinedPage, letIn } from "./page.js";
import { settle } from "./wire.js";

const told = (name, holder, token, seq, more = {}) => ({
  method: "on-lock-change",
  params: { name, holder, token, reason: "locked", ...more },
  seq,
});

/** A page that holds the lock `deck` until it is told to let go of it. */
async function holding(options) {
  const page = await joinedPage(options);
  const { id } = page.store.getState(selectLocalPeer);
  let letGo;
  const work = new Promise((resolve) => {
    letGo = resolve;
  });
  const held = {};
  const done = page.actions.withLock("deck", (lock) => {
    Object.assign(held, lock);
    return work;
  });
  await settle();
  page.socket.hear(told("deck", id, 6, 6));
  page.socket.answer("lock", { name: "deck", holder: id, token: 6, seq: 6 });
  await settle();
  return { ...page, id, held, letGo, done };
}

test("a lock is got, held while something is done, and let go of", async () => {
  const { actions, store, socket } = await joinedPage();
  const { id } = store.getState(selectLocalPeer);
  const seen = [];
  const doing = actions.withLock(
    "deck",
    async (lock) => {
      seen.push(lock, { ...store.getState(selectLocks) });
      return "done";
    },
    { expiresIn: 30, waitMs: 5_000 },
  );
  await settle();
  const { wait_ms: wait, ...params } = socket.request("lock").params;
  assert.deepEqual([params, wait > 4_000, wait <= 5_000], [{ name: "deck", expires_in: 30 }, true, true]);
  socket.hear(told("deck", id, 6, 6, { expires_at: 9_000 }));
  socket.answer("lock", { name: "deck", holder: id, token: 6, expires_at: 9_000, seq: 6 });
  await settle();
  const [{ signal, ...lock }, locks] = seen;
  assert.deepEqual([lock, signal.aborted], [{ name: "deck", token: 6 }, false]);
  assert.deepEqual(locks, { deck: { name: "deck", holder: id, token: 6, expiresAt: new Date(9_000) } });
  assert.deepEqual(socket.request("unlock").params, { name: "deck", token: 6 });
  socket.answer("unlock", { name: "deck", holder: null, token: null, seq: 7 });
  assert.equal(await doing, "done");
  assert.deepEqual({ ...store.getState(selectLocks) }, {});
});

test("what is thrown under a lock comes out, and the lock is let go of", async () => {
  const { actions, socket } = await joinedPage();
  for (const action of [
    () => {
      throw new RangeError("full");
    },
    async () => {
      throw new RangeError("full");
    },
  ]) {
    const doing = actions.withLock("deck", action);
    await settle();
    socket.answer("lock", { name: "deck", holder: "x", token: 6, seq: 5 });
    await settle();
    if (socket.request("unlock")) socket.refuse("unlock", { code: 409, message: "it is lost" });
    await assert.rejects(doing, new RangeError("full"));
  }
});

for (const [what, lose] of [
  ["another holds it", ({ socket }) => socket.hear(told("deck", "bob", 8, 8))],
  ["nobody holds it", ({ socket }) => socket.hear(told("deck", null, null, 8, { reason: "expired" }))],
  ["it is got anew", ({ socket, id }) => socket.hear(told("deck", id, 9, 9))],
  ["one leaves", ({ actions }) => actions.leave()],
  ["one is removed", ({ socket }) => socket.hear({ method: "on-peer-leave-request", params: { requested_by: "bob" } })],
]) {
  test(`the signal aborts when ${what}`, async () => {
    const page = await holding();
    page.socket.hear(told("other", "bob", 7, 7));
    assert.equal(page.held.signal.aborted, false);
    await lose(page);
    assert.equal(page.held.signal.aborted, true);
    assert.equal(page.held.signal.reason.code, 409);
    page.letGo("whatever was done");
    assert.equal(await page.done, "whatever was done");
    assert.equal(page.socket.request("unlock"), undefined);
  });
}

test("a lost connection is no lost lock, unless the server says so on the way back", async () => {
  const kept = await holding();
  kept.socket.drop();
  kept.actions.retryConnection();
  const next = await letIn({ join: { session_id: "s1", seq: 6, resumed: true } });
  assert.equal(kept.held.signal.aborted, false);
  kept.letGo();
  await settle();
  next.answer("unlock", { name: "deck", holder: null, token: null, seq: 7 });
  await kept.done;
});

test("after a resync the lock is the one that the list names", async () => {
  const resync = { session_id: "s1", seq: 20, resync: true };
  for (const token of [6, 15]) {
    const page = await holding();
    const after = [{ method: "on-lock-list", params: { locks: [{ name: "deck", holder: page.id, token }] } }];
    page.socket.drop();
    page.actions.retryConnection();
    await letIn({ join: resync, after });
    assert.equal(page.held.signal.aborted, token !== 6);
    await page.actions.leave();
    page.letGo();
  }
  const page = await holding();
  page.socket.drop();
  page.actions.retryConnection();
  await letIn({ join: { session_id: "s2", seq: 20 } });
  assert.equal(page.held.signal.aborted, true);
});

test("a lock that is refused says who holds it", async () => {
  const { actions, socket } = await joinedPage();
  const doing = actions.withLock("deck", () => assert.fail("it is not held"));
  await settle();
  assert.ok(socket.request("lock").params.wait_ms > 55_000);
  const theirs = { name: "deck", holder: "bob", token: 3 };
  socket.refuse("lock", { code: 409, message: "no", data: theirs });
  await assert.rejects(doing, ({ code, lock, entries }) => {
    assert.deepEqual([code, lock, entries], [409, theirs, undefined]);
    return true;
  });
});

test("calls of one page exclude each other, and wait no longer than they say", async () => {
  const { actions, socket, id, letGo, done } = await holding();
  const tried = actions.withLock("deck", () => assert.fail("another holds it"), { waitMs: 0 });
  const waits = actions.withLock("deck", () => "second");
  await assert.rejects(tried, ({ code, lock }) => code === 409 && lock.holder === id);
  await settle();
  const asked = () => socket.sent.filter(({ method }) => method === "lock").length;
  assert.equal(asked(), 1);
  letGo("first");
  await settle();
  socket.answer("unlock", { name: "deck", holder: null, token: null, seq: 7 });
  assert.equal(await done, "first");
  await settle();
  assert.equal(asked(), 2);
  socket.answer("lock", { name: "deck", holder: id, token: 8, seq: 8 });
  await settle();
  socket.answer("unlock", { name: "deck", holder: null, token: null, seq: 9 });
  assert.equal(await waits, "second");
});

test("who waits when the connection breaks asks again, and runs once", async () => {
  const { actions, store, socket } = await joinedPage();
  const { id } = store.getState(selectLocalPeer);
  let runs = 0;
  const doing = actions.withLock("deck", () => {
    runs += 1;
  });
  await settle();
  socket.drop();
  actions.retryConnection();
  const next = await letIn({ join: { session_id: "s1", seq: 5, resumed: true } });
  next.hear(told("deck", id, 6, 6));
  next.answer("lock", { name: "deck", holder: id, token: 6, seq: 6 });
  await settle();
  assert.deepEqual(next.request("unlock").params, { name: "deck", token: 6 });
  next.answer("unlock", { name: "deck", holder: null, token: null, seq: 7 });
  await doing;
  assert.equal(runs, 1);
});

test("a page that is loaded again lets go of what it held, and of what it gets for having waited", async () => {
  const page = await holding();
  const { id } = page;
  await goneWith("deck", page);
  const again = await joinedPage({ join: { session_id: "s1", seq: 6, resumed: true } });
  assert.equal(again.store.getState(selectLocalPeer).id, id);
  assert.deepEqual(again.socket.request("unlock").params, { name: "deck", token: 6 });
  again.socket.hear(told("other", id, 9, 9));
  assert.deepEqual(again.socket.request("unlock").params, { name: "other", token: 9 });
  again.socket.hear(told("other", "bob", 10, 10));
  assert.equal(again.socket.sent.filter(({ method }) => method === "unlock").length, 2);
});

test("the lock of another is freed by its token", async () => {
  const { actions, store, socket } = await joinedPage();
  socket.hear(told("deck", "bob", 6, 6));
  const freeing = actions.unlock(store.getState(selectLocks).deck);
  await settle();
  assert.deepEqual(socket.request("unlock").params, { name: "deck", token: 6 });
  socket.answer("unlock", { name: "deck", holder: null, token: null, seq: 7 });
  await freeing;
  assert.deepEqual({ ...store.getState(selectLocks) }, {});
});

test("a late reply does not bring back a lock that was lost since", async () => {
  const { actions, store, socket } = await joinedPage();
  const { id } = store.getState(selectLocalPeer);
  let signal;
  const doing = actions.withLock("deck", (lock) => {
    signal = lock.signal;
  });
  await settle();
  socket.hear(told("deck", id, 6, 6));
  socket.hear(told("deck", "bob", 7, 7));
  socket.answer("lock", { name: "deck", holder: id, token: 6, seq: 6 });
  await doing;
  assert.equal(signal.aborted, true);
  assert.equal(store.getState(selectLocks).deck.holder, "bob");
});

test("what the server allows is known once one is in the room, and after a reload", async () => {
  const limits = { max_value_bytes: 16_384, rate: 10, resume_seconds: 60, odd: "x" };
  const page = await joinedPage({ join: { session_id: "s1", seq: 5, limits } });
  const known = { maxValueBytes: 16_384, rate: 10, resumeSeconds: 60 };
  assert.deepEqual(page.store.getState(selectLimits), known);
  await goneWith("maxValueBytes", page);
  const again = await joinedPage({ join: { session_id: "s1", seq: 5, resumed: true } });
  assert.deepEqual(again.store.getState(selectLimits), known);
});
