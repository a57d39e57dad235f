// Short notices that go away by themselves, and what only a screen reader is told.

import { needConnection } from "./connection.js";
import { make, part, setParts } from "./dom.js";
import { filled } from "./text.js";
import { inWords } from "./words.js";

/** @import { Said } from "./types.js" */

const STAYS = 5_000; // ms

/**
 * Shows a notice: a text, or its parts; `undo` gives it a button.
 * @param {string | Said[]} parts
 * @param {{ label: string, action: () => void }} [undo]
 * @returns a function that takes it away.
 */
export function toast(parts, undo) {
  const said = make("span", { class: "said", dir: "auto" });
  setParts(said, [parts].flat());
  const box = make("div", { class: "toast" }, said);
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
  toasts.append(box);
  while (toasts.children.length > 3) toasts.firstElementChild?.remove();
  setTimeout(remove, undo ? 2 * STAYS : STAYS);
  return remove;
}

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
