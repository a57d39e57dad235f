// The spotlight that somebody has put out of sight for themselves: in this tab, as long as it is on the same person.

import { getState } from "../../core.js";
import { selectSessionId } from "../../hms.js";
import { here } from "../memory.js";
import { selectLit, selectSpotlight } from "../spotlight.js";
import { personOf } from "../who.js";
import { selectEntry } from "./spotlight_rights.js";

const KEY = "hidden-spotlight";

/** @type {() => void} */
let changed = () => {};

/** @param {() => void} draw called when it is hidden or shown */
export function startHiddenSpotlight(draw) {
  changed = draw;
}

/** Who is in it, in which session; empty where nobody is. */
function sign() {
  const lit = getState(selectLit);
  return lit ? `${getState(selectSessionId)}/${personOf(lit)}` : "";
}

export function isSpotlightHidden() {
  const hidden = here.get(KEY);
  if (!hidden) return false;
  if (hidden === sign()) return true;
  // On the same person once more it is another one. Without an entry the server tells it anew.
  const isOver = sign() || (getState(selectEntry) && !getState(selectSpotlight));
  if (isOver) here.remove(KEY);
  return false;
}

export function hideSpotlight() {
  here.set(KEY, sign());
  changed();
}

export function showSpotlight() {
  here.remove(KEY);
  changed();
}
