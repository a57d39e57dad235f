// The page is one of three at a time: the lobby, the room, and what is told at the end.

import { part, setParts, setText } from "./dom.js";

/** What each end is called, explained, and what one may do next (null: nothing but the start page). */
/** @import { Said } from "./types.js" */

/** @type {Record<string, [heading: string, text: string, again: string]>} */
const ENDS = {
  left: ["You left the room", "It goes on while somebody is inside.", "Join again"],
  removed: ["You were removed from the room", "", "Try to join again"],
  ended: [
    "The room was ended",
    "Its messages, pins and polls are gone. The room itself can be opened again.",
    "Open it again",
  ],
  elsewhere: [
    "Opened in another tab",
    "You are in this room in another tab or window; it goes on there.",
    "Use it here",
  ],
  closed: ["This room is closed", "Whoever runs the room has closed it. Ask them to open it again.", "Try again"],
  locked: [
    "This room is locked",
    "Nobody new can enter now. Ask somebody inside to unlock it, then try again.",
    "Try again",
  ],
  replaced: [
    "This link is no longer good",
    "It was replaced by another one, or switched off. Ask whoever invited you for a new one.",
    "Try again",
  ],
  expired: ["Your time in the room is over", "The right to be here has expired.", "Join again"],
  refused: ["You cannot enter now", "", "Try again"],
  lost: ["The connection was lost", "", "Try again"],
};

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
  const [heading, text, again] = ENDS[kind];
  setText(part("end-heading"), heading);
  setParts(part("end-text"), reason.some(Boolean) ? reason : [text]);
  setText(part("end-again"), again);
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  showScreen("end");
  part("end-heading").focus();
}
