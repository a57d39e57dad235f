// Which names look like each other, and which show nothing. Pure.

import { roleText } from "./roles.js";
import { gettext } from "./translation.js";

const NOTHING = /[^\p{C}\p{Z}\p{M}\p{DI}\s\u2800]/u;

// What is dropped, after composed letters were taken apart: accents, and whatever is not seen at all.
const UNSEEN = /[\p{M}\p{Cc}\p{Cf}\p{DI}]/gu;
const SPACES = /[\p{Z}\s\u2800]+/gu;

/** Letter → those of other alphabets, and digits and signs, that are taken for it. */
const ALIKE = {
  a: "аαɑ⍺Ꭺᗅꓮ",
  b: "вβьΒВᏴᗷꓐ",
  c: "сϲᏟᑕꓚ",
  d: "ԁđᎠᗞꓓ",
  e: "еεєҽᎬꓰ",
  f: "ϝғᖴꓝ",
  g: "ɡցᏀꓖ",
  h: "һнΗНħᎻᕼꓧ",
  i: "іιɩıꓲ",
  j: "јϳȷᎫᒍꓙ",
  k: "кκᏦꓗ",
  l: "1|ӏⅼ!łǀᏞᒪꓡ",
  m: "мΜМᎷꓟ",
  n: "пηոΝꓠ",
  o: "0оοօσסøꓳ",
  p: "рρᏢᑭꓑ",
  q: "ԛ",
  r: "гΓᎡꓣ",
  s: "ѕ5$Ꮪꓢ",
  t: "тτŧᎢꓔ",
  u: "υսцμᑌꓴ",
  v: "νѵᏙᐯꓦ",
  w: "ԝωшѡᎳꓪ",
  x: "хχ×᙭ꓫ",
  y: "уγүΥУᎽꓬ",
  z: "ζΖ2Ꮓꓜ",
  3: "зЗ",
  6: "б",
  "-": "‐‑‒–—−",
  "'": "’‘ʼ`´",
  "#": "♯⋕⌗⧣",
};
const LETTER = new Map(
  Object.entries(ALIKE).flatMap(([letter, others]) => [...others].map((other) => [other, letter])),
);

/** @param {string} text */
const plain = (text) => Array.from(text, (character) => LETTER.get(character) ?? character).join("");

/**
 * What is left of a name when everything is taken away that an eye may miss: names with the same are taken for each
 * other.
 * @param {string} name
 */
export function skeleton(name) {
  const seen = name.normalize("NFKC").normalize("NFD").replace(UNSEEN, "");
  // Capitals have other doubles than small letters: before and after.
  const letters = plain(plain(seen).toLowerCase()).replace(/i/gu, "l").replace(/rn/gu, "m").replace(/vv/gu, "w");
  return letters.replace(SPACES, " ").trim();
}

/**
 * Whether a name has anything to see.
 * @param {string} name
 */
export const shows = (name) => typeof name === "string" && NOTHING.test(name);

// What the page says itself, in English and in its own language.
const WORDS = ["the room", "guest", "you", "everyone", "everybody"];
const OWN_WORDS = [gettext("The room"), gettext("Guest"), gettext("You"), gettext("Everyone")];
const OWN = new Set([...WORDS, ...OWN_WORDS].map(skeleton));
const TAG = /#\s*[\w-]{4,}$/u;
const YOU = ["(you)", gettext("(you)")].map(skeleton);
const ONLY_TO = ["Only to {name}", gettext("Only to {name}")].map((sentence) => skeleton(sentence.split("{")[0]));

const LETTERS = /[\p{L}\p{M}]+/gu;
const LATIN = /\p{sc=Latin}/u;
// None of the alphabets that people do mix within a word.
const STRANGE =
  /[^\p{sc=Latin}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}\p{sc=Common}\p{sc=Inherited}]/u;

/**
 * Whether a word in a name takes letters of another alphabet for Latin ones: no list of doubles is ever complete.
 * @type {(name: string) => boolean}
 */
const isMixed = (name) =>
  (name.normalize("NFKC").match(LETTERS) ?? []).some((word) => LATIN.test(word) && STRANGE.test(word));

/** @param {string} look */
const isMark = (look) =>
  TAG.test(look) ||
  YOU.some((you) => look.includes(you)) ||
  ONLY_TO.some((start) => look === start || look.startsWith(`${start} `));

/**
 * Whether a name reads like something else: a mark of the page, a role, who speaks without a sender, another alphabet.
 * @type {(name: string, roles?: string[]) => boolean}
 */
export const plays = (name, roles = []) => {
  if (isMixed(name)) return true;
  const look = skeleton(name);
  return isMark(look) || OWN.has(look) || roles.some((role) => [role, roleText(role)].map(skeleton).includes(look));
};

/**
 * The first letters of `person`, four or as many as it takes to differ from `others`.
 * @param {string} person
 * @param {string[]} others
 */
export function shortest(person, others) {
  let length = 4;
  while (length < person.length && others.some((other) => other.startsWith(person.slice(0, length)))) length += 1;
  return person.slice(0, length);
}
