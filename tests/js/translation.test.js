import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

let pages = 0; // each with modules of its own

/** The words of a page that the server made in this language. */
async function pageIn(lang, words) {
  pages += 1;
  const block = words && { textContent: JSON.stringify(words) };
  globalThis.document = { documentElement: { lang }, querySelector: () => block };
  return import(`../../static/rooms/page/translation.js?${pages}`);
}

test("a text is the page's, or as it stands where it has none", async () => {
  const { gettext } = await pageIn("de", { Send: "Schicken", "{count} vote": ["eine", "{count} alle"] });
  assert.deepEqual(["Send", "Leave", "constructor", "{count} vote"].map(gettext), [
    "Schicken",
    "Leave",
    "constructor",
    "{count} vote",
  ]);
});

test("in English there are no words, and two forms", async () => {
  const { ngettext } = await pageIn("en", undefined);
  assert.deepEqual(
    [0, 1, 2].map((count) => ngettext("{count} day", "{count} days", count)),
    ["{count} days", "{count} day", "{count} days"],
  );
});

for (const language of ["ar", "de", "es", "it"]) {
  test(`a number takes the form that its language has for it: ${language}`, async () => {
    const [count, formOf] = rule(language);
    const forms = Array.from({ length: count }, (_, place) => `form ${place}`);
    const { ngettext } = await pageIn(language, { "one day": forms });
    for (const number of [...Array(1_001).keys(), 1_000_000]) {
      assert.equal(ngettext("one day", "days", number), forms[formOf(number)], String(number));
    }
  });
}

/** How many forms the catalogue of a language has, and which of them a number takes. */
function rule(language) {
  if (language === "it") return [2, (n) => Number(n !== 1)]; // fewer than browsers know of
  const catalogue = readFileSync(`locale/${language}/LC_MESSAGES/djangojs.po`, "utf8");
  const [, count, formula] = /nplurals=(\d); plural=(.*);\\n/u.exec(catalogue);
  return [Number(count), new Function("n", `return Number(${formula})`)];
}
