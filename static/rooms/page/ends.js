// How a stay in the room ends, or does not begin.

import { resetConnection } from "./connection.js";
import { make, pageData } from "./dom.js";
import { waitBefore } from "./door.js";
import { here } from "./memory.js";
import { showEnd } from "./screens.js";
import { fill } from "./text.js";
import { gettext } from "./translation.js";
import { who } from "./who.js";
import { inWords } from "./why.js";

/** @import { HMSPeer } from "../hms.js" */
/** @import { Said } from "./types.js" */

const inside = `inside:${pageData().code}`; // in this tab: the name under which one is in the room

/** The name under which this tab is in the room, or was when the page was reloaded. */
export const nameInside = () => here.get(inside);

/** @param {string} name */
export const keepName = (name) => here.set(inside, name);

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

/** Those that keep everybody out who is not inside, and may be over soon. */
const SHUT = new Set(["locked", "replaced", "closed"]);
/** Those that have a screen at the door, too. */
const KEPT_OUT = new Set(["removed", ...SHUT]);

/** @type {(kind: string, ...reason: Said[]) => void} */
export function ended(kind, ...reason) {
  if (kind !== "elsewhere") here.remove(inside);
  resetConnection();
  waitBefore(SHUT.has(kind));
  showEnd(kind, ...reason);
}

/**
 * Tells of an error that ended the stay, or kept one out.
 * @param {any} error
 */
export async function refused(error) {
  const kind = endingOf(error);
  if (kind === "removed") {
    // By a link that is no longer good, or into a closed room: letting in again alone does not help.
    const shut = closing(error.code, error.message) ? [" ", await inWords(error)] : [];
    ended(kind, ...removal(error.data ?? {}), ...shut);
  } else ended(kind, kind === "refused" || kind === "lost" ? await inWords(error) : "");
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
