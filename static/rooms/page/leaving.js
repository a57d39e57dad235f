// Leaving, which the last one and the last host are asked about.

import { hmsActions, hmsStore, selectIsLastHost, selectPeerCount } from "../hms.js";
import { part } from "./dom.js";
import { ended } from "./ends.js";
import { open } from "./opening.js";

/** The reason that others are given for the end: theirs may be another language. */
export const BY_HOST = "The host ended it.";

export function startLeaving() {
  part("leave").addEventListener("click", leave);
}

export function leave() {
  const isAsked = hmsStore.getState(selectPeerCount) < 2 || hmsStore.getState(selectIsLastHost);
  if (isAsked) open(({ askBeforeLeaving }) => askBeforeLeaving());
  else goAway("");
}

/** @param {string} text what is said then, empty for the usual */
export async function goAway(text) {
  await hmsActions.leave();
  ended("left", text);
}
