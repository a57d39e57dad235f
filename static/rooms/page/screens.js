// The page is one of three at a time: the lobby, the room, and what is told at the end.

import { part, setParts, setText } from "./dom.js";
import { gettext } from "./translation.js";

/** What each end is called, explained, and what one may do next (null: nothing but the start page). */
/** @import { Said } from "./types.js" */

/** @type {Record<string, [heading: string, text: string, again: string]>} */
const ENDS = {
  left: [gettext("You left the room"), gettext("It goes on while somebody is inside."), gettext("Join again")],
  removed: [gettext("You were removed from the room"), "", gettext("Try to join again")],
  ended: [
    gettext("The room was ended"),
    gettext("Its messages, pins and polls are gone. The room itself can be opened again."),
    gettext("Open it again"),
  ],
  elsewhere: [
    gettext("Opened in another tab"),
    gettext("You are in this room in another tab or window; it goes on there."),
    gettext("Use it here"),
  ],
  closed: [
    gettext("This room is closed"),
    gettext("Whoever runs the room has closed it. Ask them to open it again."),
    gettext("Try again"),
  ],
  locked: [
    gettext("This room is locked"),
    gettext("Nobody new can enter now. Ask somebody inside to unlock it, then try again."),
    gettext("Try again"),
  ],
  replaced: [
    gettext("This link is no longer good"),
    gettext("It was replaced by another one, or switched off. Ask whoever invited you for a new one."),
    gettext("Try again"),
  ],
  expired: [
    gettext("Your time in the room is over"),
    gettext("The right to be here has expired."),
    gettext("Join again"),
  ],
  revoked: [
    gettext("Your access was taken back"),
    gettext("What let you in is good no longer. Ask whoever invited you, or try again with the link."),
    gettext("Try again"),
  ],
  refused: [gettext("You cannot enter now"), "", gettext("Try again")],
  lost: [gettext("The connection was lost"), "", gettext("Try again")],
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
