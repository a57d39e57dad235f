// Lines about what happened: what happens again and again on end is counted in one.

import { make, setParts, setText } from "../dom.js";
import { filled } from "../text.js";

/** @import { Said } from "../types.js" */

/** @type {{ element: HTMLElement, said: string, times: HTMLElement, count: number } | null} */
let last = null;

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
