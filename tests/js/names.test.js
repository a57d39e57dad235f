import assert from "node:assert/strict";
import { test } from "node:test";

import { plays, shortest, shows, skeleton } from "../../static/rooms/page/names.js";

test("names that an eye takes for each other have one skeleton", () => {
  const alike = {
    Ana: [
      "ana",
      "ANA",
      " Ana ",
      "A\u200bna",
      "An\u00e1",
      "Ａｎａ",
      "\u0410na",
      "\u0391n\u0430",
      "Ana\u2060",
      "An\u00ada",
      "A\u0301na",
    ],
    "Bob Miller": [
      "bob  miller",
      "B\u043eb\u00a0Miller",
      "B0b Mi11er",
      "Bob MiIIer",
      "\u0412ob Miller",
      "Bob\u2800Miller",
    ],
    Paul: ["\u0420aul", "Pau1", "PAUl", "P\u03b1ul"],
    Arno: ["Amo"],
    Alice: [
      "Al\u0131ce",
      "\u13aalice",
      "\u15c5lice",
      "\ua4eelice",
      "\u237alice",
      "\u13aa\u13de\u0406\u13df\u13ac",
      "\ua4ee\ua4e1\ua4f2\ua4da\ua4f0",
      "A\u0142ice",
      "A\u01c0ice",
    ],
    "Ana #3f1c": ["Ana \u266f3f1c", "Ana \u22d53f1c", "Ana \u23173f1c"],
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
  for (const name of [
    "",
    " ",
    "\u200b",
    "\u3164",
    "\u2800",
    "\u202e",
    "\u0301",
    "\u115f\u1160",
    "\u00ad",
    undefined,
    7,
  ]) {
    assert.equal(shows(name), false, JSON.stringify(name));
  }
});

test("a name that reads like what the page writes is noticed", () => {
  for (const name of ["Ana #3f1c", "Ana#3F1C ", "The room", "the ro\u043em", "Guest", "You", "Ana (you)", "Everyone"])
    assert.equal(plays(name), true, name);
  for (const name of ["host", "H\u043est"]) assert.equal(plays(name, ["host", "guest"]), true, name);
  for (const name of ["Ana \u266f3f1c", "Al\u10fdce", "\u0531lice", "A\u10d0a", "Ali\u03f2e"])
    assert.equal(plays(name), true, name);
  for (const name of [
    "\u0418\u0433\u043e\u0440\u044c (Igor)",
    "\u674eMing",
    "Caf\u00e9 \u03a9",
    "\u30a2\u30cb\u30e1fan",
    "\u0639\u0645\u0631 Omar",
    "Ana\ud83d\ude42",
  ])
    assert.equal(plays(name), false, name);
  for (const name of ["Ana", "Younes", "C# fan", "Roomy", "#1"]) assert.equal(plays(name), false, name);
});

test("a tag is as short as tells its person from the others", () => {
  assert.equal(shortest("abcdefgh", ["zzzzzzzz"]), "abcd");
  assert.equal(shortest("abcdefgh", ["abcdezzz"]), "abcdef");
  assert.equal(shortest("abc", []), "abc");
});
