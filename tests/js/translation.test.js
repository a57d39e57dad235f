import assert from "node:assert/strict";
import { test } from "node:test";

// As the server writes it, before the page's script.
globalThis.hmsroomCatalogue = {
  plural: (n) => Number(n === 2 ? 1 : n > 2 ? 2 : 0),
  words: { Send: "Schicken", "{count} vote": ["eine", "beide", "{count} alle"] },
};
const { gettext, ngettext } = await import("../../static/rooms/page/translation.js");

test("a text is the catalogue's, or as it stands where there is none", () => {
  assert.deepEqual(["Send", "Leave", "constructor", "{count} vote"].map(gettext), [
    "Schicken",
    "Leave",
    "constructor",
    "{count} vote",
  ]);
});

test("a number takes the form that its language has for it", () => {
  const votes = [1, 2, 3].map((count) => ngettext("{count} vote", "{count} votes", count));
  assert.deepEqual(votes, ["eine", "beide", "{count} alle"]);
  assert.deepEqual(
    [0, 1].map((count) => ngettext("{count} day", "{count} days", count)),
    ["{count} days", "{count} day"],
  );
});
