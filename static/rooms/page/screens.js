// The page is one of three at a time: the lobby, the room, and what is told at the end.

import { part, setParts, setText } from "./dom.js";

/** @import { Said } from "./types.js" */

/** @param {string} name */
export const isShown = (name) => document.querySelector(`[data-screen="${name}"]:not([hidden])`) !== null;

/** @param {string} name */
export function showScreen(name) {
  part("toasts").replaceChildren();
  for (const screen of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-screen]"))) {
    screen.hidden = screen.dataset.screen !== name;
  }
}

/**
 * @param {string} kind
 * @param {Said[]} reason the parts of what is said instead of the explanation
 */
export function showEnd(kind, ...reason) {
  const words = part("ends").content.querySelector(`[data-end="${kind}"]`)?.children ?? [];
  const [heading, text, again] = [...words].map((one) => one.textContent ?? "");
  setText(part("end-heading"), heading);
  setParts(part("end-text"), reason.some(Boolean) ? reason : [text]);
  setText(part("end-again"), again);
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  showScreen("end");
  part("end-heading").focus();
}
