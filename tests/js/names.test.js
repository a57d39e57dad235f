import assert from "node:assert/strict";
import { test } from "node:test";

import { plays, shortest, shows, skeleton } from "../../static/rooms/page/names.js";

test("names that an eye takes for each other have one skeleton", () => {
  const alike = {
    Ana: ["ana", "ANA", " Ana ", "A\u200bna", "An\u00e1", "Ａｎａ", "\u0410na", "\u0391n\u0430", "Ana\u2060", "An\u00ada", "A\u0301na"],
    "Bob Miller": ["bob  miller", "B\u043eb\u00a0Miller", "B0b Mi11er", "Bob MiIIer", "\u0412ob Miller", "Bob\u2800Miller"],
    Paul: ["\u0420aul", "Pau1", "PAUl", "P\u03b1ul"],
    Arno: ["Amo"],
  };
  for (const [name, others] of Object.entries(alike)) {
    for (const other of others) assert.equal(skeleton(other), skeleton(name), JSON.stringify(other));
  }
});

test("names that differ to the eye have skeletons that differ", () => {
  const names = ["Ana", "Anna", "Bob", "Alice (you)", "Alice", "李", "李明", "🙂", "Ana B", "Игорь", "عمر"];
  assert.equal(new Set(names.map(skeleton)).size, names.length);
});

test("a name shows something if anything in it can be seen", () => {
  for (const name of ["a", "李", "🙂", "?", "عمر", "1"]) assert.equal(shows(name), true, name);
  for (const name of ["", " ", "\u200b", "\u3164", "\u2800", "\u202e", "\u0301", "\u115f\u1160", "\u00ad", undefined, 7]) {
    assert.equal(shows(name), false, JSON.stringify(name));
  }
});

test("a name that reads like what the page writes is noticed", () => {
  for (const name of ["Ana #3f1c", "Ana#3F1C ", "The room", "the ro\u043em", "Guest", "You", "Ana (you)", "Everyone"]) assert.equal(plays(name), true, name);
  for (const name of ["host", "H\u043est"]) assert.equal(plays(name, ["host", "guest"]), true, name);
  for (const name of ["Ana", "Younes", "C# fan", "Roomy", "#1"]) assert.equal(plays(name), false, name);
});

test("a tag is as short as tells its person from the others", () => {
  assert.equal(shortest("abcdefgh", ["zzzzzzzz"]), "abcd");
  assert.equal(shortest("abcdefgh", ["abcdezzz"]), "abcdef");
  assert.equal(shortest("abc", []), "abc");
});
