// How a stay in the room ends, or does not begin.

import { resetConnection } from "./connection.js";
import { pageData } from "./dom.js";
import { waitBefore } from "./door.js";
import { later, soon } from "./loader.js";
import { here } from "./memory.js";
import { isShown, showEnd } from "./screens.js";
import { inWords } from "./why.js";

/** @import { HMSPeer } from "../hms.js" */
/** @import { Later } from "./loader.js" */
/** @import { Said } from "./types.js" */

const inside = `inside:${pageData().code}`; // in this tab: the name under which one is in the room

/** The name under which this tab is in the room, or was when the page was reloaded. */
export const nameInside = () => here.get(inside);

/** @param {string} name */
export const keepName = (name) => here.set(inside, name);

let count = 0; // of the ends so far

/** @type {(kind: string, ...reason: Said[]) => void} */
export function ended(kind, ...reason) {
  count += 1;
  if (kind !== "elsewhere") here.remove(inside);
  resetConnection();
  waitBefore("");
  showEnd(kind, ...reason);
}

/**
 * Tells of an error that ended the stay.
 * @param {any} error
 */
export async function refused(error) {
  const why = await inWords(error);
  tell((from) => from.refused(error), "lost", why);
}

/**
 * Tells somebody so who was removed.
 * @param {{ requestedBy?: HMSPeer, reason?: string }} told
 */
export const removed = (told) => tell((from) => from.removed(told), "removed");

/**
 * Tells of an end in full; plainly as long as the words for it do not come.
 * @type {(inFull: (from: Later) => void, ...plain: [string, ...Said[]]) => Promise<void>}
 */
async function tell(inFull, ...plain) {
  const from = await soon();
  if (from) return inFull(from);
  ended(...plain);
  const own = count;
  const late = await later().catch(() => null);
  if (late && own === count && isShown("end")) inFull(late);
}
