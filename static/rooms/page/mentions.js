// Who is mentioned in what is written: after an @, later/mentions.js offers people.

import { hmsStore, selectPeerByID } from "../core.js";
import { part } from "./dom.js";
import { loaded } from "./loader.js";
import { need } from "./opening.js";
import { nameOf } from "./who.js";

const MOST_IDS = 20; // that go with a message
const TYPED = /(?:^|\s)@(\S{0,30})$/u;

const text = part("message");
/** @type {Map<string, string[]>} */
const chosen = new Map(); // what stands after an @ → ids of the peers of whoever was chosen so last

export function startMentions() {
  for (const kind of ["input", "click"]) text.addEventListener(kind, () => isNaming() && !loaded() && need());
}

/** What is typed after an @ that the cursor is behind; undefined where there is none. */
export const namedAtCursor = () => TYPED.exec(text.value.slice(0, text.selectionStart))?.[1];

const isNaming = () => namedAtCursor() !== undefined;

/**
 * Takes the keys that choose among the people who are offered, also before they are: then `otherwise` is done once it
 * is known that this one chose nobody. Whether it is one of them.
 * @type {(event: KeyboardEvent, otherwise: () => void) => boolean}
 */
export function chooseByKey(event, otherwise) {
  const there = loaded();
  if (there) return there.chooseByKey(event);
  if (!isNaming() || event.key !== "Enter") return false;
  event.preventDefault();
  need().then((from) => from?.chooseByKey(event) || otherwise());
  return true;
}

/**
 * Somebody was chosen.
 * @type {(name: string, ids: string[]) => void}
 */
export function mention(name, ids) {
  chosen.set(name, ids);
}

/**
 * Ids of the peers that a text is about: of the people chosen for it whose names still stand there, and of those that
 * it was about before and still may be, for who left has no name.
 * @param {string} words
 * @param {string[]} [before]
 */
export function mentionsIn(words, before = []) {
  const named = chosenIn(words);
  const left = named.reduce((rest, [name]) => rest.replaceAll(`@${name}`, ""), words);
  const still = before.filter((id) => {
    const peer = hmsStore.getState(selectPeerByID(id));
    return !peer || standsIn(left, nameOf(peer));
  });
  return [...new Set([...still, ...named.flatMap(([, ids]) => ids)])].slice(0, MOST_IDS);
}

/**
 * What to hand to restoreMentions() after a reload.
 * @param {string} words
 */
export function chosenIn(words) {
  let left = words;
  // The longest first: who is called Al is not meant where Al Green is.
  return [...chosen]
    .sort(([a], [b]) => b.length - a.length)
    .filter(([name]) => {
      const stands = standsIn(left, name);
      left = left.replaceAll(`@${name}`, "");
      return stands;
    });
}

/** @param {[string, string[]][]} kept */
export function restoreMentions(kept) {
  for (const [name, ids] of kept) chosen.set(name, ids);
}

/** @type {(words: string, name: string) => boolean} */
const standsIn = (words, name) =>
  words
    .split(`@${name}`)
    .slice(1)
    .some((after) => !/^[\p{L}\p{N}]/u.test(after));
