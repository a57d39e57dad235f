// What an error that ends the stay, or keeps one out, means.

import { make, part, setText } from "../dom.js";
import { ended, SHUT } from "../ends.js";
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

/** Those that have a screen at the door, too. */
const KEPT_OUT = new Set(["removed", ...SHUT]);

/**
 * Tells of an error that ended the stay, or kept one out.
 * @param {any} error
 */
export function refused(error) {
  const kind = endingOf(error);
  if (kind === "removed") {
    // By a link that is no longer good, or into a closed room: letting in again alone does not help.
    const shut = closing(error.code, error.message) ? [" ", inWords(error)] : [];
    ended(kind, ...removal(error.data ?? {}), ...shut);
  } else ended(kind, kind === "refused" || kind === "lost" ? inWords(error) : "");
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
export function removal({ requestedBy, reason }) {
  const why = reason ? [...fill(gettext("Reason: {reason}."), { reason: make("bdi", {}, reason) }), " "] : [];
  const by = requestedBy ? [...fill(gettext("By {name}."), { name: who(requestedBy) }), " "] : [];
  return [...by, ...why, gettext("You can come back only when somebody lets you in again.")];
}

/** Says at the end of a try to enter that the next one may succeed, and leaves the focus where it is. */
export function tellOpen() {
  const heading = gettext("You can enter now");
  setText(part("end-heading"), heading);
  setText(part("end-text"), gettext("The room is open again."));
  setText(part("end-again"), gettext("Join the room"));
  announce(heading);
}
