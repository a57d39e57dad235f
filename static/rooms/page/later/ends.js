// What an error that ends the stay, or keeps one out, means.

import { make, part, setText } from "../dom.js";
import { waitBefore } from "../door.js";
import { ended } from "../ends.js";
import { fill } from "../text.js";
import { announce } from "../toasts.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";
import { inWords } from "./words.js";

/** @import { HMSPeer } from "../../hms.js" */
/** @import { Said } from "../types.js" */

/**
 * Codes of errors that end the stay, and the screens that tell of them.
 * @type {Map<number | undefined, string>}
 */
const ENDINGS = new Map([
  [4002, "elsewhere"],
  [4003, "removed"],
  [401, "expired"],
  [403, "refused"],
  [404, "refused"],
]);

/** Those that keep out who is not inside, and may be over soon. */
const KEPT_OUT = new Set(["removed", "locked", "replaced", "closed"]);

/**
 * Tells of an error that ended the stay, or kept one out.
 * @param {any} error
 */
export function refused(error) {
  const kind = endingOf(error);
  if (kind === "removed") {
    // By a link that is no longer good, or into a closed room: letting in again alone does not help.
    const shut = closing(error.code, error.message) ? [" ", inWords(error)] : [];
    removed(error.data ?? {}, ...shut);
    return;
  }
  ended(kind, kind === "refused" || kind === "lost" ? inWords(error) : "");
  if (KEPT_OUT.has(kind)) waitBefore(kind);
}

/**
 * Tells somebody so who was removed.
 * @param {{ requestedBy?: HMSPeer, reason?: string }} told
 * @param {Said[]} more
 */
export function removed(told, ...more) {
  ended("removed", ...removal(told), ...more);
  waitBefore("removed");
}

/**
 * Whether an error has a screen of its own for who was not let in.
 * @param {unknown} error
 */
export const isKeptOut = (error) => KEPT_OUT.has(endingOf(error));

/** @param {any} error */
function endingOf({ code: number, message, data }) {
  if (data?.removed) return "removed";
  if (data?.locked) return "locked";
  if (number === 401 && /access.key/u.test(message)) return "revoked";
  return closing(number, message) ?? ENDINGS.get(number) ?? "lost";
}

/**
 * What an error says of a link, or a room, that lets nobody new in.
 * @type {(number: number, message: string) => string | null}
 */
function closing(number, message) {
  if (number !== 403) return null;
  if (/^code: it opens the room no longer/u.test(message)) return "replaced";
  return /^(?:code: the room is closed|room not available)/u.test(message) ? "closed" : null;
}

/**
 * What somebody is told who was removed: the reason, by whom, and what now.
 * @param {{ requestedBy?: HMSPeer, reason?: string }} told
 * @returns {Said[]}
 */
function removal({ requestedBy, reason }) {
  const why = reason ? [...fill(gettext("Reason: {reason}."), { reason: make("bdi", {}, reason) }), " "] : [];
  const by = requestedBy ? [...fill(gettext("By {name}."), { name: who(requestedBy) }), " "] : [];
  return [...by, ...why, gettext("You can come back only when somebody lets you in again.")];
}

/**
 * Says at the end of a try to enter that the next one may succeed, and leaves the focus where it is.
 * @param {string} why one could not enter
 */
export function tellOpen(why) {
  const heading = gettext("You can enter now");
  setText(part("end-heading"), heading);
  const text = why === "removed" ? gettext("You are let in again.") : gettext("The room is open again.");
  setText(part("end-text"), text);
  setText(part("end-again"), gettext("Join the room"));
  announce(heading);
}
