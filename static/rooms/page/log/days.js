// The lines between the days.

import { serverNow } from "../clock.js";
import { make, part, setText } from "../dom.js";
import { dayName } from "../text.js";
import { insertBefore } from "./entries.js";

/** @type {Map<string, HTMLElement>} day → the line above its messages */
const lines = new Map();

/** @param {Date} time */
export function newLine(time) {
  const line = make("p", { class: "day", role: "separator" }, make("span", {}, dayName(time, serverNow())));
  line.dataset.time = String(Number(time));
  lines.set(time.toDateString(), line);
  return line;
}

/**
 * The line of a day, if it is in the log.
 * @param {Date} time
 */
export function lineOf(time) {
  const line = lines.get(time.toDateString());
  return line?.isConnected ? line : undefined;
}

/**
 * The line of a day, made above the first of its messages where it has gone from the beginning of the log.
 * @type {(first: HTMLElement, time: Date) => HTMLElement}
 */
export function lineAbove(first, time) {
  const held = lineOf(time);
  if (held) return held;
  const line = newLine(time);
  insertBefore(first, line);
  return line;
}

export function nameDays() {
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (part("log").querySelectorAll(".day"))) {
    setText(line.children[0], dayName(new Date(Number(line.dataset.time)), serverNow()));
  }
}

export function clearDays() {
  lines.clear();
}
