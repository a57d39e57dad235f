// How a stay in the room ends, or does not begin.

import { resetConnection } from "./connection.js";
import { pageData } from "./dom.js";
import { waitBefore } from "./door.js";
import { later } from "./loader.js";
import { here } from "./memory.js";
import { showEnd } from "./screens.js";
import { inWords } from "./why.js";

/** @import { HMSPeer } from "../hms.js" */
/** @import { Said } from "./types.js" */

const inside = `inside:${pageData().code}`; // in this tab: the name under which one is in the room

/** The name under which this tab is in the room, or was when the page was reloaded. */
export const nameInside = () => here.get(inside);

/** @param {string} name */
export const keepName = (name) => here.set(inside, name);

/** @type {(kind: string, ...reason: Said[]) => void} */
export function ended(kind, ...reason) {
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
  const from = await later().catch(() => null);
  if (from) from.refused(error);
  else ended("lost", await inWords(error));
}

/**
 * Tells somebody so who was removed.
 * @param {{ requestedBy?: HMSPeer, reason?: string }} told
 */
export async function removed(told) {
  const from = await later().catch(() => null);
  if (from) from.removed(told);
  else ended("removed");
}
