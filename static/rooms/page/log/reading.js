// Where one is reading in the log, and what came since that was not seen.

import { onClick, part } from "../dom.js";
import { countInTab } from "../tab.js";
import { filled } from "../text.js";
import { announce } from "../toasts.js";
import { ngettext } from "../translation.js";

const NEAR = 60; // px from the end that still count as being there
const FAR = 3; // times what is in sight

const scroller = part("scroller");
let isAtEnd = true; // reading at the end: new messages scroll
let top = 0; // where the scroller was: only a person moves it up
let height = 0; // what is in sight, as measured then
let whole = 0; // all of it
let hasMore = false; // messages below that are not drawn
/** @type {Set<string>} ids of messages that came and were not seen */
const unseen = new Set();

/** @type {() => void} */
let seen = () => {};
/** @type {() => void} */
let drawMore = () => {};

/** @type {(onSeen: () => void, onNear: () => void) => void} what to do as all is seen, and near the end of what is drawn */
export function startReading(onSeen, onNear) {
  seen = onSeen;
  drawMore = onNear;
  scroller.addEventListener("scroll", onScroll, { passive: true });
  const resized = new ResizeObserver(() => keepUp());
  for (const element of [scroller, part("over-log"), part("log"), part("outbox")]) resized.observe(element);
  document.addEventListener("visibilitychange", seeIfVisible);
  for (const type of ["focusin", "focusout"]) part("log").addEventListener(type, settle);
  onClick(part("chip"), () => {
    toEnd();
    part("message").focus();
  });
}

export function resetReading() {
  unseen.clear();
  isAtEnd = true;
  hasMore = false;
  showUnseen();
}

/**
 * Tells whether there are messages below what is drawn: its end is not that of the log then.
 * @param {boolean} isSo
 */
export function haveMoreBelow(isSo) {
  hasMore = isSo;
}

/** Whether new messages scroll. */
export function readsEnd() {
  if (isAtEnd && walks()) isAtEnd = false;
  return isAtEnd;
}

/** Whether somebody goes from message to message with keys, and is at one in sight that is not the last. */
export function walks() {
  const { activeElement } = document;
  const message = part("log").contains(activeElement) ? activeElement?.closest(".message") : null;
  if (!message?.matches(":focus-visible, :has(:focus-visible)")) return false;
  const { top, bottom } = message.getBoundingClientRect();
  const sight = scroller.getBoundingClientRect();
  const isInSight = bottom > sight.top && top < sight.bottom && scroller.scrollHeight > scroller.clientHeight;
  return isInSight && message !== [...part("log").querySelectorAll(".message")].at(-1);
}

/** Whether what comes now is not seen. */
export const isUnseen = () => document.hidden || !readsEnd();

/** Scrolls to the end if one was there. */
export function keepUp() {
  if (readsEnd()) toEnd();
}

/** The focus went on in the log, or out of it: whoever is at the end anyway reads on there. */
function settle() {
  if (isNearEnd() && !hasMore) isAtEnd = true;
  seeIfVisible();
}

const isNearEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;

/**
 * Changes what stands in the log while what somebody reads further up stays where it is.
 * @param {() => void} change
 */
export function keepPlace(change) {
  const seen = entryRead();
  const before = seen?.getBoundingClientRect().top ?? 0;
  change();
  keepUp();
  if (seen?.isConnected) scroller.scrollTop += seen.getBoundingClientRect().top - before;
}

/**
 * Whether something is too far above what is in sight to be scrolled to soon.
 * @param {Element} element
 */
export const isFarAbove = (element) =>
  element.getBoundingClientRect().bottom < scroller.getBoundingClientRect().top - FAR * scroller.clientHeight;

/** The entry of the log that is read further up, in the middle of what is in sight: the first may lose its head. */
export function entryRead() {
  if (readsEnd()) return undefined;
  const { top, height } = scroller.getBoundingClientRect();
  /** @param {Element} parent */
  const within = (parent) =>
    [...parent.children].find((child) => child.getBoundingClientRect().bottom > top + height / 2);
  const block = within(part("log"));
  return block && within(block);
}

/**
 * Scrolls to an entry of the log: smoothly, where the eye can follow and wants to.
 * @param {HTMLElement} entry
 */
export function leadEyes(entry, { isAtOnce = matchMedia("(prefers-reduced-motion: reduce)").matches } = {}) {
  const way = entry.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  if (way < 0) isAtEnd = false; // before the event that says so: what grows meanwhile would lead back
  const isFar = Math.abs(way) > 2 * scroller.clientHeight;
  entry.scrollIntoView({ block: "center", behavior: isFar || isAtOnce ? "instant" : "smooth" });
}

/** Remembers where the scroller is, and its sizes. */
function measure() {
  top = scroller.scrollTop;
  height = scroller.clientHeight;
  whole = scroller.scrollHeight;
}

export function toEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  measure(); // maybe less than before, where the oldest entries went
  isAtEnd = true;
  if (hasMore) drawMore();
  seeIfVisible();
}

/**
 * Counts messages that came, as far as they go unseen; once each.
 * @param {string[]} ids
 */
export function notice(ids) {
  const before = unseen.size;
  if (isUnseen()) for (const id of ids) unseen.add(id);
  if (unseen.size === before) return;
  showUnseen();
  if (!document.hidden) announce(said());
}

/**
 * Counts no more what was deleted before it was seen.
 * @param {(id: string) => boolean} isHeld
 */
export function recount(isHeld) {
  const gone = [...unseen].filter((id) => !isHeld(id));
  for (const id of gone) unseen.delete(id);
  if (gone.length) showUnseen();
}

function onScroll() {
  const { scrollTop, scrollHeight, clientHeight } = scroller;
  const isNear = isNearEnd();
  const isPushed = clientHeight !== height || scrollHeight < whole; // by what is around it or in it, not by a person
  if (isPushed && readsEnd()) toEnd();
  else if (isNear || scrollTop < top) isAtEnd = isNear && (isAtEnd || !hasMore);
  measure();
  if (hasMore && scrollHeight - scrollTop < FAR * clientHeight) drawMore();
  seeIfVisible();
}

function seeIfVisible() {
  if (document.hidden || !isAtEnd || !unseen.size) return;
  unseen.clear();
  seen();
  showUnseen();
}

function showUnseen() {
  part("chip").hidden = !unseen.size || isAtEnd;
  part("chip-text").textContent = said();
  countInTab(document.hidden ? unseen.size : 0);
}

function said() {
  const count = unseen.size;
  return filled(ngettext("{count} new message", "{count} new messages", count), { count });
}
