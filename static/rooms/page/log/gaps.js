// Lines where messages may be missing.

import { getState, selectMissed } from "../../core.js";
import { make, part } from "../dom.js";
import { gettext } from "../translation.js";
import { elementOf, wasDrawn } from "./entries.js";

/** @type {Map<string | null, HTMLElement>} id of a message → the line that tells of a gap after it */
const lines = new Map();

/**
 * Says where messages may be missing, as long as they may: after which of them, or before all.
 * @returns the ids of messages below which that is new
 */
export function tellGaps() {
  const missed = new Set(getState(selectMissed).map(({ after }) => after));
  for (const [after, line] of lines) {
    if (missed.has(after)) continue;
    line.remove();
    lines.delete(after);
  }
  const fresh = [...missed].filter((after) => !lines.has(after) && (after === null || wasDrawn(after)));
  for (const after of fresh) {
    const line = make("p", { class: "line gap" }, gettext("Some messages may be missing here."));
    lines.set(after, line);
    const element = elementOf(after);
    if (element) element.after(line);
    else if (after === null) (part("log").firstElementChild ?? part("log")).prepend(line);
  }
  return fresh;
}

export function clearGaps() {
  lines.clear();
}
