// Who is mentioned in what is written: after an @, later/mentions.js offers people.

import { part } from "./dom.js";
import { isComing, later, loaded } from "./loader.js";

/** @import { Later } from "./loader.js" */

const TYPED = /(?:^|\s)@(\S{0,30})$/u;

const text = part("message");
/** @type {[string, string[]][]} names, each with the ids of its peers, as they were kept with a draft */
let kept = [];
let isOn = false; // whether an @ was behind the cursor when somebody wrote or clicked last

export function startMentions() {
  for (const kind of ["input", "click"]) text.addEventListener(kind, look);
}

function look() {
  const was = isOn;
  isOn = namedAtCursor() !== undefined;
  if (isOn && !was) later().catch(() => {}); // without it one writes the name oneself
}

/** What is typed after an @ that the cursor is behind; undefined where there is none. */
export const namedAtCursor = () => TYPED.exec(text.value.slice(0, text.selectionStart))?.[1];

/** Whether somebody is writing a name. */
export const isNaming = () => isOn && namedAtCursor() !== undefined;

/** Whether people will be offered for it who are not yet. */
export const isAwaited = () => isComing() && isNaming();

export const namesKept = () => kept;

/** @param {typeof kept} names */
export function restoreNames(names) {
  kept = names;
}

/**
 * Does something once more is loaded, or cannot be, unless what is written is something else by then.
 * @param {(from: Later | null | undefined) => unknown} action
 */
export async function thenWith(action) {
  const before = text.value;
  const from = await later().catch(() => null);
  if (text.value === before) action(from);
}

/**
 * Does something once it is known whom a draft is about, as far as it can be.
 * @param {() => void} action
 */
export function withMentions(action) {
  if (!kept.length || loaded()) action();
  else thenWith(action);
}
