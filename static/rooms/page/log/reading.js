// Where one is reading in the log, and what came since that was not seen.

import { part } from "../dom.js";
import { counted } from "../text.js";
import { announce } from "../toasts.js";

const NEAR = 60; // px from the end that still count as being there

const scroller = part("scroller");
let isAtEnd = true; // reading at the end: new messages scroll
let top = 0; // where the scroller was: only a person moves it up
let unseen = 0;
let title = "";

/** @type {() => void} */
let seen = () => {};

/** @type {(roomTitle: string, onSeen: () => void) => void} */
export function startReading(roomTitle, onSeen) {
  title = roomTitle;
  seen = onSeen;
  scroller.addEventListener("scroll", onScroll, { passive: true });
  const resized = new ResizeObserver(() => keepUp());
  for (const element of [scroller, part("log"), part("outbox")]) resized.observe(element);
  document.addEventListener("visibilitychange", seeIfVisible);
  part("chip").addEventListener("click", () => {
    toEnd();
    part("message").focus();
  });
}

export function resetReading() {
  unseen = 0;
  isAtEnd = true;
}

export const readsEnd = () => isAtEnd;

/** Whether what comes now is not seen. */
export const isUnseen = () => document.hidden || !isAtEnd;

/** Scrolls to the end if one was there. */
export function keepUp() {
  if (isAtEnd) toEnd();
}

export function toEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  isAtEnd = true;
  seeIfVisible();
}

/**
 * Counts messages that came, as far as they go unseen.
 * @param {number} count
 */
export function notice(count) {
  if (!count || !isUnseen()) return;
  unseen += count;
  showUnseen();
  if (!document.hidden) announce(counted(unseen, "{count} new message", "{count} new messages"));
}

function onScroll() {
  const isNear = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  if (isNear || scroller.scrollTop < top) isAtEnd = isNear;
  top = scroller.scrollTop;
  seeIfVisible();
}

function seeIfVisible() {
  if (isUnseen() || !unseen) return;
  unseen = 0;
  seen();
  showUnseen();
}

function showUnseen() {
  part("chip").hidden = !unseen || isAtEnd;
  part("chip-text").textContent = counted(unseen, "{count} new message", "{count} new messages");
  document.title = unseen && document.hidden ? `(${unseen}) ${title}` : title;
}
