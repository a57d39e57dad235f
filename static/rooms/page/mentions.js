// Who is mentioned in what is written: after an @, later/mentions.js offers people.

import { part } from "./dom.js";
import { later, loaded } from "./loader.js";
import { need } from "./opening.js";

const TYPED = /(?:^|\s)@(\S{0,30})$/u;

const text = part("message");
/** @type {[string, string[]][]} names, each with the ids of its peers, as they were kept with a draft */
let kept = [];

export function startMentions() {
  for (const kind of ["input", "click"]) text.addEventListener(kind, () => isNaming() && need());
}

/** What is typed after an @ that the cursor is behind; undefined where there is none. */
export const namedAtCursor = () => TYPED.exec(text.value.slice(0, text.selectionStart))?.[1];

/** Whether people will be offered who are not yet. */
export const isNaming = () => !loaded() && namedAtCursor() !== undefined;

export const namesKept = () => kept;

/** @param {typeof kept} names */
export function restoreNames(names) {
  kept = names;
}

/**
 * Does something once it is known whom a draft is about, as far as it can be.
 * @param {() => void} action
 */
export function withMentions(action) {
  if (!kept.length || loaded()) return action();
  later().then(action, action);
}
