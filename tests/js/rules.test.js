// Who may write which key: the same cases as tests/wire/test_rules.py and tests/operations/metadata/test_rights.py.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ruleOf } from "../../static/rooms/client/rules.js";
import {
  selectMayRemove,
  selectMayWrite,
  selectMetadataRule,
  selectMetadataRules,
} from "../../static/rooms/client/selectors.js";
import { nowhere } from "../../static/rooms/client/state/start.js";
import { apply } from "../../static/rooms/client/state/state.js";
import { view } from "../../static/rooms/client/state/view.js";
import { Store } from "../../static/rooms/client/store.js";

const FITTING = [
  { key: "spotlight", write: ["host"] },
  { key: "cursor:$peer", write: "owner" },
  { key: "vote:$user:*", write: "none", create: ["host", "guest"], read: ["host"] },
  { key: "deck:*", write: ["host"], lock: "deck" },
  { key: "deck:1", write: ["guest"] },
  { key: "a.c", write: "server" },
];

const RIGHTS = [
  { key: "spotlight", write: ["host"] },
  { key: "cursor:$peer", write: "owner" },
  { key: "vote:$user", create: ["host", "guest"], write: "none", read: ["host"] },
  { key: "hidden", write: ["host", "guest"], read: ["host"] },
  { key: "billing", write: "server" },
  { key: "notes", write: ["viewer"], remove: ["host"], max_bytes: 8 },
  { key: "sealed", write: "none" },
  { key: "open" },
  { key: "mine", write: "owner" },
];

const ROLES = {
  host: { name: "host", permissions: { writeMetadata: true, manageRoom: true } },
  guest: { name: "guest", permissions: { writeMetadata: true } },
  viewer: { name: "viewer", permissions: { writeMetadata: false } },
};

const policy = (role, rules, roomRules = 0) => ({
  name: role,
  known_roles: ROLES,
  plugins: rules.length ? { metadata: { rules, room_rules: roomRules } } : {},
});

/** The state of somebody in a room: peer-Guest, whose person is person-guest. */
function inside(role, rules, values = []) {
  const local = { id: `peer-${role}`, person: `person-${role}`, name: role, data: "" };
  let state = apply(nowhere(), "connecting", { roomId: "r1", peer: local });
  state = apply(state, "on-policy-change", policy(role, rules));
  return apply(state, "on-metadata-change", { values });
}

const stands = (key, data, more = {}) => ({ key, data, change_version: 1, ...more });

test("the first rule that fits counts", () => {
  const cases = [
    ["spotlight", "spotlight"],
    ["spotlight2", undefined],
    ["cursor:bob", "cursor:$peer"],
    ["cursor:", undefined],
    ["cursor:bob:x", "cursor:$peer"],
    ["cursor::", "cursor:$peer"],
    ["cursor:*", "cursor:$peer"],
    ["vote:me:soup", "vote:$user:*"],
    ["vote:me:", "vote:$user:*"],
    ["vote:me", undefined],
    ["vote::soup", undefined],
    ["deck:1", "deck:*"],
    ["deck:\n", "deck:*"],
    ["deck:1:2", "deck:*"],
    ["deck", undefined],
    ["abc", undefined],
    ["a.c", "a.c"],
  ];
  for (const [key, rule] of cases) assert.equal(ruleOf(FITTING, key)?.key, rule, key);
  assert.equal(ruleOf([{ key: "*" }], "anything:at all").key, "*");
});

test("who may write, and who may remove", () => {
  const cases = [
    // role, key, what stands, may write, may remove
    ["host", "spotlight", null, true, true],
    ["guest", "spotlight", null, false, false],
    ["viewer", "free", null, false, false],
    ["guest", "free", null, true, true],
    ["viewer", "open", null, false, false],
    ["guest", "open", null, true, true],
    ["viewer", "notes", null, true, false],
    ["viewer", "notes", "hello", true, false],
    ["host", "notes", "hello", false, true],
    ["guest", "cursor:peer-guest", null, true, true],
    ["host", "cursor:peer-guest", null, false, false],
    ["guest", "cursor:peer-host", null, false, false],
    ["viewer", "cursor:peer-viewer", null, false, false],
    ["guest", "vote:person-guest", null, true, false],
    ["guest", "vote:person-guest", "yes", false, false],
    ["guest", "vote:peer-guest", null, false, false],
    ["host", "vote:person-guest", null, false, false],
    ["viewer", "vote:person-viewer", null, false, false],
    ["guest", "hidden", null, true, true],
    ["viewer", "hidden", null, false, false],
    ["guest", "cursor:peer-guest:x", null, false, false],
    ["host", "billing", null, false, false],
    ["host", "sealed", 1, false, false],
    ["guest", "mine", null, true, true],
  ];
  for (const [role, key, data, write, remove] of cases) {
    const shown = view(inside(role, RIGHTS, data === null ? [] : [stands(key, data)]));
    const found = [selectMayWrite(key)(shown), selectMayRemove(key)(shown)];
    assert.deepEqual(found, [write, remove], `${role} ${key} ${data}`);
  }
});

test("what is somebody's is theirs to write", () => {
  const values = [stands("mine", 1, { owner: "peer-guest" }), stands("cursor:peer-host", 1, { owner: "peer-host" })];
  assert.equal(selectMayWrite("mine")(view(inside("guest", RIGHTS, values))), true);
  assert.equal(selectMayWrite("mine")(view(inside("host", RIGHTS, values))), false);
  assert.equal(selectMayWrite("cursor:peer-host")(view(inside("host", RIGHTS, values))), true);
});

test("an id may have colons", () => {
  const local = { id: "peer:a", person: "p", name: "A", data: "" };
  let state = apply(nowhere(), "connecting", { roomId: "r1", peer: local });
  state = apply(state, "on-policy-change", policy("guest", RIGHTS));
  assert.equal(selectMayWrite("cursor:peer:a")(view(state)), true);
  assert.equal(selectMayWrite("cursor:peer")(view(state)), false);
});

test("nobody outside a room may write", () => {
  assert.equal(selectMayWrite("free")(view(nowhere())), false);
});

test("rules of the room go before those of the template", () => {
  const own = [{ key: "spotlight", write: ["guest"] }];
  const state = apply(inside("guest", RIGHTS), "on-policy-change", policy("guest", [...own, ...RIGHTS], 1));
  assert.deepEqual(selectMetadataRules(view(state)), { room: own, template: RIGHTS });
  assert.deepEqual(selectMetadataRule("spotlight")(view(state)), own[0]);
  assert.equal(selectMayWrite("spotlight")(view(state)), true);
  assert.equal(selectMayWrite("billing")(view(state)), false);
});

test("who asked is told when the rules, the role or the owner change", () => {
  const store = new Store();
  const told = [];
  store.subscribe((may) => told.push(may), selectMayWrite("spotlight"));
  store.set(inside("guest", []));
  store.set(apply(store.raw, "on-policy-change", policy("guest", RIGHTS)));
  store.set(apply(store.raw, "on-policy-change", policy("host", RIGHTS)));
  store.set(apply(store.raw, "on-policy-change", policy("host", [{ key: "spotlight", write: "owner" }], 1)));
  assert.deepEqual(told, [true, false, true]);
  const owned = { values: [stands("spotlight", "x", { owner: "somebody" })] };
  store.set(apply(store.raw, "on-metadata-change", owned));
  assert.deepEqual(told, [true, false, true, false]);
});

test("rules of any form break nothing", () => {
  for (const plugins of [
    undefined,
    3,
    { metadata: 3 },
    { metadata: { rules: {} } },
    { metadata: { rules: [3, {}] } },
  ]) {
    const state = apply(inside("guest", RIGHTS), "on-policy-change", { ...policy("guest", []), plugins });
    assert.deepEqual(selectMetadataRules(view(state)), { room: [], template: [] });
  }
  assert.equal(selectMayWrite("a")(view(inside("guest", [{ key: "a", write: 3 }]))), false);
});
