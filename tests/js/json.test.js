import assert from "node:assert/strict";
import { test } from "node:test";

import { problemWith, same } from "../../static/rooms/client/json.js";

test("any JSON value passes", () => {
  const value = { text: "ü\u{1F600}", list: [1, 2.5, -0, null, true, [], {}], nested: { "": "empty key" } };
  assert.equal(problemWith(value), null);
  for (const part of ["", 0, false, null, [], {}]) assert.equal(problemWith(part), null);
});

test("what JSON cannot hold is named with its path", () => {
  const cycle = { list: [{}] };
  cycle.list[0].back = cycle;
  const cases = [
    [undefined, "value is undefined, which JSON cannot hold"],
    [{ a: [1, undefined] }, "value.a[1] is undefined, which JSON cannot hold"],
    [{ pins: [{ run() {} }] }, "value.pins[0].run is a function, which JSON cannot hold"],
    [{ big: 1n }, "value.big is a bigint, which JSON cannot hold"],
    [{ mark: Symbol("x") }, "value.mark is a symbol, which JSON cannot hold"],
    [[NaN], "value[0] is NaN, which JSON cannot hold"],
    [new Array(1), "value[0] is undefined, which JSON cannot hold"],
    [cycle, "value.list[0].back contains itself, which JSON cannot hold"],
    [{ seen: new Map() }, "value.seen is a Map, whose entries JSON would lose"],
  ];
  for (const [value, problem] of cases) assert.equal(problemWith(value), problem);
});

test("one object in two places is no cycle", () => {
  const shared = { a: 1 };
  assert.equal(problemWith({ left: shared, right: [shared, shared] }), null);
});

test("sameness is deep and knows types", () => {
  assert.ok(same({ a: [1, { b: new Date(5) }] }, { a: [1, { b: new Date(5) }] }));
  const different = [
    [{ a: 1 }, { a: 2 }],
    [{ a: undefined }, { b: undefined }],
    [[1], { 0: 1 }],
    [[1, 2], [1]],
    [null, undefined],
    [new Date(1), new Date(2)],
    [new Date(1), {}],
    ["1", 1],
  ];
  for (const [a, b] of different) assert.ok(!same(a, b), JSON.stringify([a, b]));
});

test("sameness of records without a prototype", () => {
  const record = Object.assign(Object.create(null), { constructor: 1 });
  assert.ok(same(record, { constructor: 1 }));
  assert.ok(!same({}, record));
});
