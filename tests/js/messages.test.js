import assert from "node:assert/strict";
import { test } from "node:test";

import { Messages, MOST_MESSAGES } from "../../static/rooms/client/state/messages.js";

const message = (number) => ({ id: `m${number}`, number });
const filled = (count) => new Messages(Array.from({ length: count }, (_, number) => message(number)));
const grown = (count, start = new Messages()) =>
  Array.from({ length: count }).reduce((held, _, at) => held.with(message(start.size + at)), start);

test("messages are found by their ids and stand in their order", () => {
  const held = grown(3);
  assert.deepEqual([held.size, held.keys(), held.newest], [3, ["m0", "m1", "m2"], message(2)]);
  assert.deepEqual(
    [held.get("m1"), held.has("m1"), held.get("m3"), held.has("m3")],
    [message(1), true, undefined, false],
  );
  assert.deepEqual(held.values(2), [message(1), message(2)]);
  assert.deepEqual([new Messages().newest, new Messages().values()], [undefined, []]);
});

test("a version stays as it was when others are made from it", () => {
  const before = grown(2);
  const one = before.with(message(2)).with(message(3));
  const other = before.with(message("other"));
  assert.deepEqual(before.keys(), ["m0", "m1"]);
  assert.deepEqual([before.has("m2"), before.has("mother")], [false, false]);
  assert.deepEqual(one.keys(), ["m0", "m1", "m2", "m3"]);
  assert.deepEqual(other.keys(), ["m0", "m1", "mother"]);
  assert.deepEqual([one.has("mother"), other.has("m2")], [false, false]);
});

test("the newest are held, whichever way they came", () => {
  for (const held of [filled(MOST_MESSAGES + 5), grown(MOST_MESSAGES + 5), grown(5 * MOST_MESSAGES + 1)]) {
    const last = held.newest.number;
    assert.equal(held.size, MOST_MESSAGES);
    assert.deepEqual(
      held.values().map(({ number }) => number),
      Array.from(held.values(), (_, at) => last - MOST_MESSAGES + 1 + at),
    );
    assert.deepEqual([held.has(`m${last - MOST_MESSAGES}`), held.has(`m${last - MOST_MESSAGES + 1}`)], [false, true]);
  }
});

test("adding a message copies none but now and then", (t) => {
  let copied = 0;
  const set = Map.prototype.set;
  t.mock.method(Map.prototype, "set", function (...entry) {
    copied += 1;
    return set.apply(this, entry);
  });
  let held = filled(MOST_MESSAGES);
  for (let number = 0; number < 2 * MOST_MESSAGES; number += 1) held = held.with(message(`later ${number}`));
  assert.ok(copied <= 6 * MOST_MESSAGES, `${copied} entries of maps`);
});
