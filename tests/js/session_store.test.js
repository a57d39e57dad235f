import assert from "node:assert/strict";
import { test } from "node:test";

import { RpcError } from "../../static/rooms/client/connection/error.js";
import { explained } from "../../static/rooms/client/refusals.js";
import { selectSessionEntry, selectSessionStore } from "../../static/rooms/hms.js";
import { cutAndReopened, hearPolicy, joinedPage, letIn } from "./page.js";
import { settle } from "./wire.js";

const RESUMED = { join: { session_id: "s1", seq: 5, resumed: true } };
const entry = (key, version, data, more = {}) => ({ key, data, change_version: version, ...more });
const changed = (values, seq) => ({ method: "on-metadata-change", params: { values }, seq });

test("what a write says of an entry goes with it, and it resolves with the entry", async () => {
  const { actions, store, socket } = await joinedPage();
  const setting = actions.sessionStore.set("slide", 7, {
    ifChangeVersion: 12,
    expiresIn: 600,
    owner: true,
    onLeave: "null",
    ifLock: { name: "deck", token: 5, holder: "me" },
  });
  await settle();
  assert.deepEqual(socket.request("set-metadata").params, {
    key: "slide",
    data: 7,
    if_change_version: 12,
    expires_in: 600,
    owner: true,
    on_leave: "null",
    if_lock: { name: "deck", token: 5 },
  });
  const stored = entry("slide", 13, 7, { owner: "alice", expires_at: 9_000 });
  socket.answer("set-metadata", { ...stored, seq: 6, history: "h1" });
  assert.deepEqual(await setting, { ...stored, expiresAt: new Date(9_000) });
  assert.deepEqual(store.getState(selectSessionEntry("slide")), await setting);
});

for (const [call, change] of [
  [(store) => store.patch("a", { title: "Q3" }, { expiresIn: 5 }), { key: "a", patch: { title: "Q3" }, expires_in: 5 }],
  [(store) => store.patch("a", [{ op: "remove", path: "/0" }]), { key: "a", patch: [{ op: "remove", path: "/0" }] }],
  [(store) => store.increment("a"), { key: "a", increment: 1 }],
  [(store) => store.increment("a", -2.5, { owner: "bob" }), { key: "a", increment: -2.5, owner: "bob" }],
  [(store) => store.remove("a", { ifChangeVersion: 3 }), { key: "a", remove: true, if_change_version: 3 }],
]) {
  test(`a change of one entry: ${call}`, async () => {
    const { actions, store, socket } = await joinedPage();
    const changing = call(actions.sessionStore);
    await settle();
    const { change_id: id, ...params } = socket.request("update-metadata").params;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(params, { changes: [change] });
    socket.answer("update-metadata", { entries: [entry("a", 4, "as it is")], seq: 6 });
    assert.deepEqual(await changing, entry("a", 4, "as it is"));
    assert.equal(store.getState(selectSessionStore("a")), "as it is");
  });
}

test("the entries of one call are shown at once, to who made it and to who hears of it", async () => {
  const { actions, store, socket } = await joinedPage();
  const seen = [];
  store.subscribe(
    (pair) => seen.push(pair),
    ({ sessionStore: { a, b } }) => [a, b],
  );
  const changes = [
    { key: "a", value: 1, ifChangeVersion: 0 },
    { key: "b", remove: true },
  ];
  const updating = actions.sessionStore.update(changes, { changeId: "mine", ifLock: { name: "deck", token: 5 } });
  await settle();
  assert.deepEqual(socket.request("update-metadata").params, {
    change_id: "mine",
    changes: [
      { key: "a", data: 1, if_change_version: 0 },
      { key: "b", remove: true },
    ],
    if_lock: { name: "deck", token: 5 },
  });
  socket.answer("update-metadata", { entries: [entry("a", 1, 1), entry("b", 8)], seq: 6 });
  assert.deepEqual(await updating, [entry("a", 1, 1), entry("b", 8, null)]);
  socket.hear(changed([entry("a", 2, 2), entry("b", 9, 2)], 7));
  assert.deepEqual(seen, [
    [1, null],
    [2, 2],
  ]);
});

test("an entry at version 0 replaces what is held, and any may follow it", async () => {
  const { store, socket } = await joinedPage();
  socket.hear(changed([entry("secret", 5, "x"), entry("other", 1, "y")], 6));
  socket.hear(changed([entry("secret", 0, null)], 7));
  assert.equal(store.getState(selectSessionStore("secret")), null);
  assert.equal(store.getState(selectSessionStore("other")), "y");
  socket.hear(changed([entry("secret", 2, "z")], 8));
  assert.equal(store.getState(selectSessionStore("secret")), "z");
});

test("touching changes the time of an entry alone", async () => {
  const { actions, store, socket } = await joinedPage();
  socket.hear(changed([entry("here", 3, "x", { expires_at: 1_000 })], 6));
  const touching = actions.sessionStore.touch("here", 30);
  await settle();
  assert.deepEqual(socket.request("touch-metadata").params, { key: "here", expires_in: 30 });
  socket.answer("touch-metadata", { ...entry("here", 3, "x"), expires_at: 31_000, seq: 6 });
  assert.deepEqual((await touching).expiresAt, new Date(31_000));
  assert.deepEqual(store.getState(selectSessionEntry("here")).expiresAt, new Date(31_000));
});

test("what is not JSON rejects with the path to it, and nothing is sent", async () => {
  const { actions, socket } = await joinedPage();
  const { set, patch, increment, update } = actions.sessionStore;
  const before = socket.sent.length;
  const odd = [
    [set("a", undefined), /sessionStore\.set: value is undefined/],
    [patch("a", { at: [() => {}] }), /sessionStore\.patch: patch\.at\[0\] is a function/],
    [increment("a", Number.NaN), /sessionStore\.increment: increment is NaN/],
    [
      update([
        { key: "b", value: 1 },
        { key: "a", value: undefined },
      ]),
      /sessionStore\.update: value is undefined/,
    ],
  ];
  for (const [changing, message] of odd) await assert.rejects(changing, message);
  assert.equal(socket.sent.length, before);
});

test("a refusal says what an app needs to know of it", async () => {
  const { actions, store, socket } = await joinedPage();
  const rule = { key: "a", write: ["host"] };
  const stands = [entry("a", 2, "theirs", { expires_at: 5_000 }), entry("b", 3, "theirs too")];
  for (const [code, data, told] of [
    [409, stands[1], { entries: [stands[1]] }],
    [409, { entries: stands }, { entries: [{ ...stands[0], expiresAt: new Date(5_000) }, stands[1]] }],
    [409, { name: "l", holder: "p", token: 5 }, { lock: { name: "l", holder: "p", token: 5 } }],
    [409, { name: "l", holder: null, token: null }, { lock: { name: "l", holder: null, token: null } }],
    [403, { key: "a", rule, roles: ["host"] }, { rule }],
    [413, { limit: "max_keys", used: 9, max: 9 }, {}],
    [422, { index: 1 }, {}],
  ]) {
    const changing = actions.sessionStore.increment("a");
    await settle();
    socket.refuse("update-metadata", { code, message: "no", data });
    const error = await changing.catch((caught) => caught);
    const { message: _, description: __, name: ___, isTerminal: ____, ...parts } = error;
    assert.deepEqual(parts, { code, data, ...told });
  }
  assert.deepEqual(
    [store.getState(selectSessionStore("a")), store.getState(selectSessionStore("b"))],
    ["theirs", "theirs too"],
  );
});

test("a refusal for the rate says when to try again", () => {
  const error = new RpcError({ code: 429, message: "too fast", data: { retry_after_ms: 250 } });
  assert.throws(() => explained(error), { code: 429, retryAfterMs: 250 });
});

// --- Once, over a loss of the connection ---

test("a change whose answer was lost is repeated under its id, and the first answer counts", async () => {
  const { actions, store, socket } = await joinedPage();
  const adding = actions.sessionStore.increment("score");
  const setting = actions.sessionStore.set("other", 1);
  await settle();
  const { params } = socket.request("update-metadata");
  socket.drop();
  await assert.rejects(setting, { code: 1003 });
  actions.retryConnection();
  const next = await letIn(RESUMED);
  assert.deepEqual(next.request("update-metadata").params, params);
  next.hear(changed([entry("score", 9, 9)], 9)); // of others, since
  next.answer("update-metadata", { entries: [entry("score", 8, 8)], seq: 6 });
  assert.deepEqual(await adding, entry("score", 8, 8));
  assert.equal(store.getState(selectSessionStore("score")), 9);
});

test("each call has an id of its own", async () => {
  const { actions, socket } = await joinedPage();
  for (let call = 0; call < 3; call += 1) actions.sessionStore.increment("score").catch(() => {});
  await settle();
  const ids = socket.sent.filter(({ method }) => method === "update-metadata").map(({ params }) => params.change_id);
  assert.equal(new Set(ids).size, 3);
});

test("a change that may have been made is not repeated where nobody would know it again", async (t) => {
  const { actions, socket } = await joinedPage();
  const adding = actions.sessionStore.increment("score");
  await settle();
  socket.drop();
  const waiting = actions.sessionStore.increment("later"); // was never on the wire
  actions.retryConnection();
  const next = await letIn({ join: { session_id: "s2", seq: 1 } });
  await assert.rejects(adding, { code: 1003 });
  assert.deepEqual(next.request("update-metadata").params.changes, [{ key: "later", increment: 1 }]);

  const now = Date.now();
  t.mock.method(Date, "now", () => now + 301_000);
  const last = await cutAndReopened(actions, next);
  hearPolicy(last);
  last.hear({ method: "on-resume", params: { session_id: "s2", seq: 1, resumed: true } });
  await assert.rejects(waiting, { code: 1003 });
});

// --- mutate ---

/** Answers as the server does, for the one key `list`. */
function serve(socket, held) {
  const { send } = socket;
  socket.send = (text) => {
    send.call(socket, text);
    const { id, method, params } = JSON.parse(text);
    const answer = {
      "get-metadata": () => ({ result: { ...held } }),
      "update-metadata": () => updated(params.changes[0]),
    };
    const frame = answer[method]?.();
    if (frame) queueMicrotask(() => socket.hear({ id, ...frame }));
  };
  function updated({ data, if_change_version: version }) {
    held.calls = (held.calls ?? 0) + 1;
    if (held.before) held.before.shift()?.(held);
    const { before, calls, ...stands } = held;
    if (version !== held.change_version) return { error: { code: 409, message: "no", data: { entries: [stands] } } };
    held.data = data;
    held.change_version += 1;
    return { result: { entries: [{ ...stands, data, change_version: held.change_version }], seq: 6 } };
  }
  return held;
}

/** What somebody else does first. */
const other = (name) => (held) => {
  held.data = [...(held.data ?? []), name];
  held.change_version += 1;
};

test("mutate sets what is made of the value, again on what stands if somebody else was faster", async () => {
  const { actions, store, socket } = await joinedPage();
  const held = serve(socket, { ...entry("list", 0, null), before: [other("bob"), other("carol")] });
  const seen = [];
  const written = await actions.sessionStore.mutate("list", async (list = []) => {
    seen.push([...list]);
    list.push("alice"); // its own copy
    return list;
  });
  assert.deepEqual(seen, [[], ["bob"], ["bob", "carol"]]);
  assert.deepEqual(written, entry("list", 3, ["bob", "carol", "alice"]));
  assert.deepEqual([held.data, store.getState(selectSessionStore("list"))], [written.data, written.data]);
  assert.equal(socket.sent.filter(({ method }) => method === "get-metadata").length, 1);
});

test("fifty at once of one page lose nothing and are not in each other's way", async () => {
  const { actions, socket } = await joinedPage();
  const held = serve(socket, entry("list", 0, null));
  const numbers = Array.from({ length: 50 }, (_, number) => number);
  const add = (number) => actions.sessionStore.mutate("list", (list = []) => [...list, number]);
  await Promise.all(numbers.map(add));
  assert.deepEqual(held.data, numbers);
  assert.equal(held.calls, 50);
});

test("what the function throws comes out, nothing is written, and the next may go", async () => {
  const { actions, socket } = await joinedPage();
  const held = serve(socket, entry("list", 0, null));
  const failing = actions.sessionStore.mutate("list", () => {
    throw new RangeError("full");
  });
  const next = actions.sessionStore.mutate("list", () => ["next"]);
  await assert.rejects(failing, new RangeError("full"));
  assert.deepEqual((await next).data, ["next"]);
  assert.equal(held.calls, 1);
});

test("mutate gives up after its attempts, with the conflict", async () => {
  const { actions, socket } = await joinedPage();
  serve(socket, { ...entry("list", 0, null), before: [other("bob"), other("carol")] });
  const mutating = actions.sessionStore.mutate("list", (list = []) => [...list, "alice"], { attempts: 2 });
  await assert.rejects(mutating, ({ code, entries }) => code === 409 && entries[0].data.length === 2);
});

test("mutate makes nothing of a value that may not be read", async () => {
  const { actions, socket } = await joinedPage();
  socket.hear(changed([entry("secret", 0, null)], 6));
  const mutating = actions.sessionStore.mutate("secret", (list = []) => [...list, "x"]);
  await settle();
  socket.refuse("update-metadata", {
    code: 409,
    message: "no",
    data: { entries: [{ key: "secret", change_version: 5 }] },
  });
  await assert.rejects(mutating, { code: 409 });
});

test("mutate whose answer was lost is made once", async () => {
  const { actions, socket } = await joinedPage();
  socket.hear(changed([entry("list", 3, ["bob"])], 6));
  const mutating = actions.sessionStore.mutate("list", (list) => [...list, "alice"], { expiresIn: 60 });
  await settle();
  const { params } = socket.request("update-metadata");
  const change = { key: "list", data: ["bob", "alice"], if_change_version: 3, expires_in: 60 };
  assert.deepEqual(params.changes, [change]);
  socket.drop();
  actions.retryConnection();
  const next = await letIn(RESUMED);
  assert.deepEqual(next.request("update-metadata").params, params);
  next.answer("update-metadata", { entries: [entry("list", 4, ["bob", "alice"])], seq: 7 });
  assert.deepEqual((await mutating).data, ["bob", "alice"]);
});
