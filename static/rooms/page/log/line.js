// Lines about what happened: what happens again and again on end is counted in one.

import { getState, selectMessageByMessageID } from "../../core.js";
import { make, setParts, setText } from "../dom.js";
import { filled } from "../text.js";
import { HELD, wasDrawn } from "./entries.js";

/** @import { Said } from "../types.js" */

/** @type {{ element: HTMLElement, said: string, times: HTMLElement, count: number } | null} */
let last = null;
/** @type {{ after: string | undefined, write: () => void }[]} lines that come after messages which are not drawn yet */
const waiting = [];

/**
 * A line to append to the log; null where the one at its end says the same, and counts this.
 * @type {(end: Element | null, parts: Said[]) => HTMLElement | null}
 */
export function lineAfter(end, parts) {
  const element = make("p", { class: "line", dir: "auto" });
  setParts(element, parts);
  const said = element.textContent;
  if (!last || last.element !== end || last.said !== said) {
    last = { element, said, times: make("bdi", {}), count: 1 };
    return element;
  }
  last.count += 1;
  setText(last.times, filled("×{count}", { count: last.count }));
  last.element.append(" ", last.times);
  return null;
}

/** @type {(after: string | undefined, write: () => void) => void} writes a line once a message is drawn, or held no more */
export function writeAfter(after, write) {
  waiting.push({ after, write });
  if (waiting.length > HELD) waiting.shift();
}

/** Writes the lines that wait for nothing any more. */
export function writeDue() {
  while (waiting.length && !isAwaited(waiting[0].after)) waiting.shift()?.write();
}

/** @param {string | undefined} id */
const isAwaited = (id) => id !== undefined && !wasDrawn(id) && getState(selectMessageByMessageID(id)) !== undefined;

export function clearLines() {
  waiting.length = 0;
}
