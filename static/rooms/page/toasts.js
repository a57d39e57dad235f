// Short notices that go away by themselves, and what only a screen reader is told.

import { needConnection } from "./connection.js";
import { make, part, setParts } from "./dom.js";
import { filled } from "./text.js";
import { inWords } from "./words.js";

/** @import { Said } from "./types.js" */

const STAYS = 5_000; // ms
const OWN_STAYS = 3_000; // of what says what one did oneself
const MOST = 3;

/**
 * Shows a notice: a text, or its parts; `undo` gives it a button. It takes the place of one of the same `kind`, or with
 * the same words. One that `isOwn` says what the reader did, and goes sooner.
 * @param {string | Said[]} parts
 * @param {{ label: string, action: () => void }} [undo]
 * @param {{ kind?: string, isOwn?: boolean }} [options]
 * @returns a function that takes it away.
 */
export function toast(parts, undo, { kind = "", isOwn = false } = {}) {
  const said = make("span", { class: "said", dir: "auto" });
  setParts(said, [parts].flat());
  const box = make("div", { class: "toast" }, said);
  if (kind) box.dataset.kind = kind;
  const remove = () => box.remove();
  if (undo) {
    const button = make("button", { class: "button small", type: "button" }, undo.label);
    button.addEventListener("click", () => {
      remove();
      undo.action();
    });
    box.append(button);
  }
  const toasts = part("toasts");
  for (const other of /** @type {HTMLElement[]} */ ([...toasts.children])) if (isLike(other, box)) other.remove();
  toasts.append(box);
  while (toasts.children.length > MOST) toasts.firstElementChild?.remove();
  setTimeout(remove, undo ? 2 * STAYS : isOwn ? OWN_STAYS : STAYS);
  return remove;
}

/** @type {(one: HTMLElement, other: HTMLElement) => boolean} */
const isLike = (one, other) =>
  one.dataset.kind ? one.dataset.kind === other.dataset.kind : one.textContent === other.textContent;

/**
 * Runs an action of the room; if it is refused, says so.
 * @template Value
 * @param {() => Promise<Value>} action
 * @param {string} sentence that says what did not happen, and {why}
 */
export const attempt = (action, sentence) =>
  tryTo(() => {
    needConnection();
    return action();
  }, sentence);

/**
 * Runs what needs no connection; if it fails, says so.
 * @template Value
 * @param {() => Promise<Value>} action
 * @param {string} sentence that says what did not happen, and {why}
 */
export async function tryTo(action, sentence) {
  try {
    return await action();
  } catch (error) {
    toast(filled(sentence, { why: inWords(error) }));
    return undefined;
  }
}

/** @param {string} text */
export function announce(text) {
  part("announcer").textContent = text;
}
