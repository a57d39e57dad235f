import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { inWords } from "../../static/rooms/page/later/words.js";

const said = (code, message) => inWords({ code, message });

test("a refusal is told in words for people, with what to do", () => {
  const cases = [
    [413, "info.message: 4001 characters, at most 4000", "A message has at most 4,000 characters. Make it shorter."],
    [400, "name: longer than 100 characters", "A name has at most 100 characters. Make it shorter."],
    [400, "name: empty", "A name needs at least one letter or sign that can be seen."],
    [403, "the role viewer lacks the permission sendMessages", "Your role can read along, but not write."],
    [403, "the room is full", "The room is full. Try again when somebody has left."],
    [
      403,
      "the room is locked: nobody new can enter now",
      "The room is locked: nobody new can enter now. Ask somebody inside to unlock it, or try again later.",
    ],
    [
      403,
      "slow mode: one message in 30 seconds, wait 12 more",
      "Slow mode: one message in 30 seconds. You can write again in 12 seconds.",
    ],
    [403, "code: the room is closed", "The room is closed. Ask whoever runs it to open it again."],
    [404, "id: no such message", "The message was deleted."],
    [404, "data[2].id: no such message", "The message was deleted."],
    [404, "peer_id: no such peer in the room", "This person is not here any more."],
    [400, "poll_id: the poll is not running", "This poll is not running any more."],
    [409, "if_lock: the lock deck is held by x1", "Somebody else is at work on this. Try again in a moment."],
    [
      409,
      "if_lock: spotlight needs the lock deck, which is held by nobody",
      "This can be changed only in the app that it belongs to.",
    ],
    [409, "if_change_version: 3, the key is at 4", "Somebody else changed it at the same time. Look again."],
    [429, "at most 10 a second", "That was too much at once. Wait a moment and try again."],
    [500, "internal error", "The server cannot do this just now. Try again in a moment."],
    [1003, "the server cannot be reached", "The server cannot be reached. Check your connection and try again."],
    [401, "token: expired", "The right to be here has expired. Join again."],
  ];
  for (const [code, message, words] of cases) assert.equal(said(code, message), words);
});

test("a refusal by a rule says who may", () => {
  const refused = (by, roles) =>
    inWords({ code: 403, message: `key: spotlight may be written by ${by}`, data: { roles } });
  assert.equal(refused("host", ["host"]), "Only people with the role host can do this here.");
  assert.equal(
    refused("host, chair, aide", ["host", "chair", "aide"]),
    "Only people with the role host, chair, or aide can do this here.",
  );
  assert.equal(refused("the server", []), "Only whoever runs the server can do this here.");
  assert.equal(refused("its owner", []), "Only the person whom it belongs to can do this here.");
  assert.equal(refused("nobody", []), "Nobody can do this here.");
  assert.equal(said(403, "key: cursor:a is not the caller's own"), refused("its owner", []));
});

test("no refusal of the server is shown as the server words it", () => {
  const folder = new URL("../../rooms/", import.meta.url);
  const messages = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".py"))
    .flatMap((name) => [...readFileSync(new URL(name, folder), "utf8").matchAll(/raise [A-Z]\w+\(\s*f?"([^"]+)"/gu)]);
  assert.ok(messages.length > 60);
  for (const [, message] of messages) {
    for (const code of [400, 403, 404, 413]) {
      const words = said(code, message.replaceAll(/\{[^}]*\}/gu, "7"));
      assert.match(words, /^[A-Z][^:_{}[\]]+\.$/u, message);
      assert.notEqual(words, message);
    }
  }
});

test("every code that the protocol knows has words of its own, without a message too", () => {
  const protocol = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
  const [, errors, closing] = /\n## Errors\n(.*?)\n## Close codes\n(.*?)\n## /su.exec(protocol);
  const codes = [...`${errors}${closing}`.matchAll(/^\| ([\d, ]+) \|/gmu)].flatMap(([, listed]) => listed.split(", "));
  assert.ok(codes.length > 18);
  const unknown = inWords({});
  for (const code of codes) {
    assert.notEqual(said(Number(code), ""), unknown, code);
    assert.match(said(Number(code), ""), /^[A-Z][^:_{}[\]]+\.$/u, code);
  }
});

test("whatever an error is, there are words for it", () => {
  for (const error of [undefined, null, {}, "", "not delivered", { code: "x", message: "y" }]) {
    assert.match(inWords(error), /^[A-Z].+\.$/u);
  }
});
