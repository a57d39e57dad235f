// How things are said: links in messages, times, names. Pure.

import { gettext, LOCALE } from "./translation.js";

/** @import { HMSMessage } from "../hms.js" */

/** @type {Record<string, string>} */
const DIRECTIONS = {
  "\u061c": "ALM",
  "\u200e": "LRM",
  "\u200f": "RLM",
  "\u202a": "LRE",
  "\u202b": "RLE",
  "\u202c": "PDF",
  "\u202d": "LRO",
  "\u202e": "RLO",
  "\u2066": "LRI",
  "\u2067": "RLI",
  "\u2068": "FSI",
  "\u2069": "PDI",
};

const TURNING = /(\u2066#[\w-]+\u2069)|\p{Bidi_C}/gu;

/**
 * Text whose characters that turn the direction of what follows are seen and do nothing. Those around the tag of a
 * name turn nothing: they stay.
 * @param {string} text
 */
export const visible = (text) => text.replace(TURNING, (control, tag) => tag ?? `⟨${DIRECTIONS[control]}⟩`);

const LINK = /(?:https?:\/\/|(?<![\p{L}\p{N}./@-])www\.[^\s./<>"“”\p{Bidi_C}]+\.)[^\s<>"“”\p{Bidi_C}]+/giu;
const TRAILING = /[.,;:!?'’*_~]/u;
/** @type {Record<string, string>} */
const BRACKETS = { ")": "(", "]": "[", "}": "{" };
const GROUP_SPAN = 5 * 60_000; // ms within which messages of one sender stand together

/**
 * A message as its links, without the punctuation that follows them, and what is between. Nothing is lost.
 * `host` is where a link leads that reads as if it led elsewhere.
 * @param {string} text
 * @returns {{ text: string, href?: string, host?: string }[]}
 */
export function pieces(text) {
  /** @type {ReturnType<typeof pieces>} */
  const found = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimmed(match[0]);
    const href = /^www\./iu.test(link) ? `https://${link}` : link;
    if (!isWebAddress(href)) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index) });
    found.push({ text: link, href, ...hidden(href) });
    end = match.index + link.length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}

/** @param {string} link */
function trimmed(link) {
  /** @type {Record<string, number>} */
  const surplus = {}; // of closing brackets over opening ones
  for (const [closing, opening] of Object.entries(BRACKETS))
    surplus[closing] = count(link, closing) - count(link, opening);
  let end = link.length;
  for (; end; end -= 1) {
    const last = link[end - 1];
    if (surplus[last] > 0) surplus[last] -= 1;
    else if (!TRAILING.test(last)) break;
  }
  return link.slice(0, end);
}

/** @type {(text: string, character: string) => number} */
const count = (text, character) => text.split(character).length - 1;

/** @param {string} link */
function isWebAddress(link) {
  try {
    return ["http:", "https:"].includes(new URL(link).protocol) && new URL(link).hostname !== "";
  } catch {
    return false;
  }
}

/** @param {string} link */
function hidden(link) {
  const { host } = new URL(link);
  const [read] = link.replace(/^https?:\/\//iu, "").split(/[/?#]/u);
  return read.toLowerCase() === host ? {} : { host };
}

/**
 * Whether a message continues what its sender said just before, to the same people.
 * @param {HMSMessage | null | undefined} before
 * @param {HMSMessage} message
 */
export function continues(before, message) {
  return Boolean(
    before &&
      authorOf(before) === authorOf(message) &&
      before.senderName === message.senderName &&
      before.recipientPeer === message.recipientPeer &&
      String(before.recipientRoles ?? "") === String(message.recipientRoles ?? "") &&
      Number(message.time) - Number(before.time) < GROUP_SPAN &&
      sameDay(before.time, message.time),
  );
}

/** @param {HMSMessage} message */
const authorOf = ({ senderPerson, sender }) => senderPerson ?? sender; // the same in all tabs of a person

/** @type {(a: Date | null, b: Date) => boolean} */
export const sameDay = (a, b) => a?.toDateString() === b.toDateString();

// Making a format is slow, using it is not.
/**
 * Hours and minutes, as the clocks of a locale show them: 9:05 AM, and 09:05 where they go up to 24.
 * @param {string} [locale]
 */
export function clockOf(locale) {
  const { hour12 } = new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions();
  return new Intl.DateTimeFormat(locale, { hour: hour12 ? "numeric" : "2-digit", minute: "2-digit" });
}

const clock = clockOf(LOCALE);
const names = new Intl.Collator(LOCALE, { numeric: true });
const moment = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full" });
const number = new Intl.NumberFormat(LOCALE);
const seconds = new Intl.NumberFormat(LOCALE, { style: "unit", unit: "second", unitDisplay: "narrow" });
const all = new Intl.ListFormat(LOCALE, { type: "conjunction" });

/** @param {Date} date */
export const shortTime = (date) => clock.format(date);

/** In the order in which people look for names: 2 comes before 10. */
export const byName = names.compare;

/** @param {Date} date */
export const fullTime = (date) => moment.format(date);

/** @type {(date: Date, now: Date) => string} */
export function dayName(date, now) {
  if (sameDay(date, now)) return gettext("Today");
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (sameDay(date, yesterday)) return gettext("Yesterday");
  return day.format(date);
}

/** @param {number} span in seconds */
export const shortSpan = (span) => seconds.format(span);

/**
 * All of them in one phrase.
 * @param {string[]} names
 */
export const together = (names) => all.format(names);

/**
 * The same in parts: the names, and what is between them.
 * @param {string[]} names
 */
export const togetherInParts = (names) => all.formatToParts(names);

/**
 * One or two letters for a name.
 * @param {string} name
 */
export function initials(name) {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map((word) => word.match(/[\p{L}\p{N}]/u)?.[0] ?? "");
  return (letters.length > 1 ? letters[0] + letters.at(-1) : (letters[0] ?? "?")).toLocaleUpperCase();
}

/**
 * 32 bits by which texts are told apart.
 * @param {string} text
 */
export function checksum(text) {
  let sum = 0x811c9dc5;
  for (const character of text) sum = Math.imul(sum ^ Number(character.codePointAt(0)), 0x01000193);
  return sum >>> 0;
}

export const HUES = 12;

/**
 * One of the hues for an id: its own, or the next that is free; with all in use, the next of those used least.
 * @param {string} id
 * @param {number[]} used how many have each hue
 */
export function hue(id, used = []) {
  const sum = checksum(String(id));
  const inTurn = Array.from({ length: HUES }, (_, step) => (sum + step) % HUES);
  return inTurn.reduce((best, one) => ((used[one] ?? 0) < (used[best] ?? 0) ? one : best));
}

/**
 * The hues of those who are here, person → hue: in the order of joining each gets their own, or the next that is free.
 * Whoever knows who is here finds the same.
 * @param {{ person: string, joinedAt: number }[]} present each of somebody's tabs
 */
export function huesOf(present) {
  const used = new Array(HUES).fill(0);
  /** @type {Map<string, number>} */
  const hues = new Map();
  const inTurn = [...present].sort((a, b) => a.joinedAt - b.joinedAt || (a.person < b.person ? -1 : 1));
  for (const { person } of inTurn) {
    if (hues.has(person)) continue;
    const next = hue(person, used);
    hues.set(person, next);
    used[next] += 1;
  }
  return hues;
}

/**
 * A sentence with places for values, such as "Only {name}", as its parts: texts, and the values, numbers as texts.
 * @template Value
 * @param {string} sentence
 * @param {Record<string, Value>} values
 * @returns {(string | Value)[]}
 */
export const fill = (sentence, values) =>
  sentence.split(/\{(\w+)\}/u).map((piece, at) => (at % 2 ? written(values[piece]) : piece));

/** @type {<Value>(value: Value) => string | Value} */
const written = (value) => (typeof value === "number" ? number.format(value) : value);

/** @type {(sentence: string, values: Record<string, string | number>) => string} */
export const filled = (sentence, values) => fill(sentence, values).join("");
