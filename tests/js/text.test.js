import assert from "node:assert/strict";
import { test } from "node:test";

import { localTime } from "../../static/rooms/page/later/text.js";
import {
  byName,
  clockOf,
  continues,
  dayName,
  fill,
  filled,
  HUES,
  hue,
  huesOf,
  initials,
  pieces,
  visible,
} from "../../static/rooms/page/text.js";

const links = (text) => pieces(text).flatMap(({ href }) => (href ? [href] : []));

test("an hour has no nought before it where there are twelve of them", () => {
  const [night, noon] = [new Date(2026, 0, 1, 1, 5), new Date(2026, 0, 1, 13, 5)];
  for (const [locale, ...said] of [
    ["en-US", "1:05 AM", "1:05 PM"],
    ["en-GB", "01:05", "13:05"],
    ["de", "01:05", "13:05"],
    ["es", "01:05", "13:05"],
  ]) {
    const plain = [night, noon].map((time) => clockOf(locale).format(time).replace(/\s/gu, " "));
    assert.deepEqual(plain, said, locale);
  }
});

test("names with numbers stand in the order of these", () => {
  assert.deepEqual(["Guest 10", "guest 2", "Guest 1"].sort(byName), ["Guest 1", "guest 2", "Guest 10"]);
});

test("links are found, and what surrounds them stays text", () => {
  const cases = [
    ["see http://a.example", ["http://a.example"]],
    ["HTTPS://A.example/B?c=d#e", ["HTTPS://A.example/B?c=d#e"]],
    ["(https://a.example/b).", ["https://a.example/b"]],
    ["https://a.example/b_(c)", ["https://a.example/b_(c)"]],
    ["[https://a.example/b](https://c.example)", ["https://a.example/b](https://c.example)"]],
    ["https://a.example/?!...", ["https://a.example/"]],
    ["“https://a.example” https://b.example/ü", ["https://a.example", "https://b.example/ü"]],
    ["<https://a.example>", ["https://a.example"]],
    ["https://a.example https://b.example", ["https://a.example", "https://b.example"]],
    ["https://user:pass@a.example:8080/", ["https://user:pass@a.example:8080/"]],
    ["see www.a.example, (WWW.A.example/b)", ["https://www.a.example", "https://WWW.A.example/b"]],
    ["https://a.example/www.b.example", ["https://a.example/www.b.example"]],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(links(text), expected, text);
    assert.equal(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
      text,
    );
  }
});

test("other schemes and half links are text", () => {
  for (const text of [
    "javascript:alert(1)",
    "data:text/html,<b>",
    "ftp://a.example",
    "https://",
    "http://.",
    "https:// a",
    "https://[",
    "http://)))",
    "www.a",
    "www...",
    "www. a.example",
    "awww.a.example me@www.a.example a.www.a.example",
    "",
  ]) {
    assert.deepEqual(links(text), [], text);
    assert.equal(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
      text,
    );
  }
});

test("a long row of closing brackets is cut in time", () => {
  const text = `https://a.example/${")".repeat(400_000)}`; // takes minutes if each is counted anew
  assert.deepEqual(links(text), ["https://a.example/"]);
});

const said = (fields) => ({ sender: "a", senderName: "Ann", time: new Date(2026, 1, 1, 12, 0), ...fields });

test("messages of one sender stand together for five minutes of one day, to the same people", () => {
  assert.ok(continues(said(), said({ time: new Date(2026, 1, 1, 12, 4) })));
  const tabs = ["a", "b"].map((sender) => said({ sender, senderPerson: "p" }));
  assert.ok(continues(...tabs));
  for (const other of [
    { sender: "b" },
    { senderName: "Annette" },
    { recipientPeer: "b" },
    { recipientRoles: ["host"] },
    { time: new Date(2026, 1, 1, 12, 5) },
  ]) {
    assert.ok(!continues(said(), said(other)), JSON.stringify(other));
  }
  const late = said({ time: new Date(2026, 1, 1, 23, 59) });
  assert.ok(!continues(late, said({ time: new Date(2026, 1, 2, 0, 1) })));
  assert.ok(!continues(null, said()));
});

test("a time in the reader's zone is written to the second and read as the same", () => {
  for (const ms of [Date.UTC(2026, 1, 28, 23, 59, 59, 999), Date.UTC(2026, 6, 1)]) {
    const written = localTime(new Date(ms));
    assert.match(written, /^2026-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/u);
    assert.equal(Date.parse(written), ms - (ms % 1_000));
  }
});

test("days have names", () => {
  const now = new Date(2026, 2, 1, 9);
  assert.equal(dayName(new Date(2026, 2, 1, 0), now), "Today");
  assert.equal(dayName(new Date(2026, 1, 28, 23), now), "Yesterday");
  assert.match(dayName(new Date(2026, 1, 20), now), /2026/);
});

test("every name has initials", () => {
  const cases = {
    "Ann Bee": "AB",
    ann: "A",
    "  ": "?",
    "": "?",
    "émile zola": "ÉZ",
    "🙂": "?",
    "李 小龙": "李小",
    "a.b-c": "AC",
  };
  for (const [name, letters] of Object.entries(cases)) assert.equal(initials(name), letters, name);
});

test("a hue stays with an id", () => {
  assert.equal(hue("alice"), hue("alice"));
  assert.equal(new Set(Array.from({ length: 100 }, (_, n) => hue(`peer ${n}`))).size, HUES);
  assert.ok([hue(""), hue(undefined)].every((value) => value >= 0 && value < HUES));
});

test("a newcomer gets the next hue that nobody has, and with all in use one of the least used", () => {
  const used = new Array(HUES).fill(0);
  for (let person = 0; person < 2 * HUES; person += 1) used[hue(`person ${person}`, used)] += 1;
  assert.deepEqual(used, new Array(HUES).fill(2));
});

test("those who are here have the same hues in whatever order one hears of them, and different ones", () => {
  const present = Array.from({ length: HUES }, (_, n) => ({ person: `person ${n}`, joinedAt: n % 3 }));
  const hues = huesOf(present);
  assert.equal(new Set(hues.values()).size, HUES);
  const again = huesOf([...present, { person: "person 0", joinedAt: 9 }].reverse());
  assert.deepEqual(new Map([...again].sort()), new Map([...hues].sort()));
  assert.equal(huesOf([{ person: "alice", joinedAt: 1 }]).get("alice"), hue("alice"));
});

test("a sentence with places takes its values in", () => {
  const name = { node: true };
  assert.deepEqual(fill("Only {name}", { name }), ["Only ", name, ""]);
  assert.equal(fill("{left} characters left of {limit}.", { left: 3, limit: 9 }).join(""), "3 characters left of 9.");
  assert.equal(fill("Plain", {}).join(""), "Plain");
});

test("numbers in sentences are written as the page's language does", () => {
  assert.equal(filled("{count} of {name}", { count: 12_345, name: "12345" }), "12,345 of 12345");
});

test("what turns the direction of text is seen, and nothing else is touched", () => {
  assert.equal(visible("a\u202eb\u2069"), "a⟨RLO⟩b⟨PDI⟩");
  assert.equal(visible("a \u2066#b-\u2069"), "a \u2066#b-\u2069");
  assert.equal(visible("a \u2066#b c\u2069\u2066#\u202e\u2069"), "a ⟨LRI⟩#b c⟨PDI⟩⟨LRI⟩#⟨RLO⟩⟨PDI⟩");
  for (const text of ["", "عمر", "a\u200db", "👩\u200d💻"]) assert.equal(visible(text), text);
});

test("a link that reads as if it led elsewhere says where it leads", () => {
  const hosts = (text) => pieces(text).flatMap(({ href, host }) => (href ? [host ?? null] : []));
  const cases = [
    ["https://a.example/b?c=@d#@e", null],
    ["https://A.example:8080/", null],
    ["https://bank.example@evil.example/", "evil.example"],
    ["https://bank.example\\@evil.example/", "bank.example"],
    ["https://b\u0430nk.example/", "xn--bnk-6cd.example"],
    ["https://ｂank.example/", "bank.example"],
  ];
  for (const [text, host] of cases) assert.deepEqual(hosts(text), [host], text);
  assert.deepEqual(
    pieces("https://a.example/\u202egro").map(({ href }) => href),
    ["https://a.example/", undefined],
  );
});
