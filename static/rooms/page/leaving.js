// Leaving, which the last one and the last host are asked about.

import { getState, hmsActions, selectPeerCount, selectPermissions } from "../core.js";
import { onClick, part } from "./dom.js";
import { ended } from "./ends.js";
import { soon } from "./loader.js";
import { open, telling } from "./opening.js";
import { isShown } from "./screens.js";

/** The reason that others are given for the end: theirs may be another language. */
export const BY_HOST = "The host ended it.";

export function startLeaving() {
  onClick(part("leave"), leave);
}

export async function leave() {
  const { changeRole, endRoom } = getState(selectPermissions) ?? {};
  const isAsked = getState(selectPeerCount) < 2 || (changeRole && endRoom);
  if (isAsked && (await canAsk())) open(({ askBeforeLeaving }) => isShown("room") && askBeforeLeaving());
  else if (isShown("room")) goAway("");
}

/** Whether there is what one is asked with: without a connection, say, one leaves all the same. */
async function canAsk() {
  const button = part("leave");
  button.ariaBusy = "true";
  const isThere = await telling(soon());
  button.ariaBusy = null;
  return isThere;
}

/** @param {string} text what is said then, empty for the usual */
export async function goAway(text) {
  await hmsActions.leave();
  ended("left", text);
}
