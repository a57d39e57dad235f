// Where the toolbar of a message stands: beside its bubble, above or below it, over no text and nothing that is pressed.

import { eachFrame, part } from "../dom.js";
import { entryAbove, entryBelow } from "../log/entries.js";

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box in px from the edges of the window */

const GAP = 8; // px

const scroller = part("scroller");
let lacksRoom = false; // whether it lies over something as long as it is being scrolled

/**
 * Has a toolbar stand where its message leaves space for it, in sight. Where it leaves none, space is made above it or
 * below; what is above goes up then, and the message stays where it is.
 * @param {HTMLElement} toolbar
 */
export function place(toolbar, { isScrolling = false } = {}) {
  const message = toolbar.parentElement;
  if (!message) return;
  giveRoomBack(toolbar);
  const row = message.getBoundingClientRect();
  const said = around(message, toolbar.offsetHeight).flatMap((entry) => boxesIn(entry, toolbar));
  const outside = placesOutside(toolbar, message);
  const inSight = [...placesBeside(toolbar, message, said), ...outside].filter(isInSight);
  const free = inSight.find((box) => !said.some((one) => meet(one, box)));
  const box = free ?? inSight[0] ?? outside[outside.length - 1];
  toolbar.style.left = `${box.left - row.left}px`;
  toolbar.style.top = `${box.top - row.top}px`;
  lacksRoom = !free && isScrolling;
  if (free || isScrolling || !inSight.length) return;
  const side = box.top < row.top ? "marginTop" : "marginBottom";
  keepStill(message, () => {
    message.style[side] = `${toolbar.offsetHeight}px`;
  });
}

/**
 * Has it stand in sight while it is scrolled, and over nothing once that has ended.
 * @param {HTMLElement} toolbar
 */
export function keepPlaced(toolbar) {
  scroller.addEventListener("scroll", () => isInSight(toolbar.getBoundingClientRect()) || follow(), { passive: true });
  scroller.addEventListener("scrollend", () => lacksRoom && place(toolbar));
  new ResizeObserver(eachFrame(() => place(toolbar))).observe(part("log"));
  const follow = () => place(toolbar, { isScrolling: true });
}

/**
 * Takes the space back that was made for a toolbar, before it goes from its message.
 * @param {HTMLElement} toolbar
 */
export function giveRoomBack({ parentElement: message }) {
  if (message?.style.marginTop || message?.style.marginBottom) {
    keepStill(message, () => {
      message.style.margin = "";
    });
  }
}

/** @type {(message: HTMLElement, change: () => void) => void} */
function keepStill(message, change) {
  const before = message.getBoundingClientRect().top;
  change();
  scroller.scrollTop += message.getBoundingClientRect().top - before;
}

/** @param {Box} box */
function isInSight({ top, bottom }) {
  return top >= part("over-log").getBoundingClientRect().bottom && bottom <= scroller.getBoundingClientRect().bottom;
}

/**
 * Beside all that is said at its height, where the row is wide enough.
 * @type {(toolbar: HTMLElement, message: HTMLElement, said: Box[]) => Box[]}
 */
function placesBeside(toolbar, message, said) {
  const { offsetWidth: width, offsetHeight: height } = toolbar;
  const row = message.getBoundingClientRect();
  const bubble = bubbleOf(message);
  const lowest = row.bottom - height;
  const top = lowest < row.top ? (row.top + lowest) / 2 : Math.min(bubble.top, lowest);
  const rows = { left: row.left, right: row.right, top, bottom: top + height };
  const beside = [bubble, ...said.filter((box) => meet(box, rows))];
  const lefts = [
    Math.min(...beside.map(({ left }) => left)) - GAP - width,
    Math.max(...beside.map(({ right }) => right)) + GAP,
  ];
  return lefts
    .filter((left) => left >= row.left && left + width <= row.right)
    .map((left) => ({ ...rows, left, right: left + width }));
}

/**
 * Above the bubble and below it, at its ends: first at the one where the row ends too.
 * @type {(toolbar: HTMLElement, message: HTMLElement) => Box[]}
 */
function placesOutside({ offsetWidth: width, offsetHeight: height }, message) {
  const row = message.getBoundingClientRect();
  const bubble = bubbleOf(message);
  const ends = [bubble.left, bubble.right - width];
  if (row.right - bubble.right < bubble.left - row.left) ends.reverse();
  // By a pixel over the row: the pointer comes to it over nothing else.
  return [row.top + 1 - height, row.bottom - 1].flatMap((top) =>
    ends.map((end) => {
      const left = Math.max(row.left, Math.min(end, row.right - width));
      return { left, right: left + width, top, bottom: top + height };
    }),
  );
}

/** @param {HTMLElement} message */
const bubbleOf = (message) => /** @type {Element} */ (message.querySelector(".bubble")).getBoundingClientRect();

/**
 * A message, and what stands so near to it.
 * @type {(message: HTMLElement, reach: number) => Element[]}
 */
function around(message, reach) {
  const { top, bottom } = message.getBoundingClientRect();
  const near = [message, part("older-show"), part("older-note"), ...part("outbox").children];
  let one = entryAbove(message);
  for (; one && one.getBoundingClientRect().bottom > top - reach; one = entryAbove(one)) near.push(one);
  one = entryBelow(message);
  for (; one && one.getBoundingClientRect().top < bottom + reach; one = entryBelow(one)) near.push(one);
  return near;
}

/**
 * Where something is said or can be pressed in an entry, as far as that is shown.
 * @type {(entry: Element, toolbar: HTMLElement) => Box[]}
 */
function boxesIn(entry, toolbar) {
  const said = entry.querySelectorAll(".text, .author, .time, .mark, .said, .sending, button");
  return (entry.matches(".message") ? [...said] : [entry])
    .filter((one) => !toolbar.contains(one))
    .flatMap((one) => {
      const whole = one.getBoundingClientRect();
      if (one.matches("button")) return [whole];
      const range = document.createRange();
      range.selectNodeContents(one);
      return [...range.getClientRects()].filter((box) => meet(box, whole)).map((box) => common(box, whole));
    });
}

/** @type {(one: Box, other: Box) => Box} */
const common = (one, other) => ({
  left: Math.max(one.left, other.left),
  right: Math.min(one.right, other.right),
  top: Math.max(one.top, other.top),
  bottom: Math.min(one.bottom, other.bottom),
});

/** @type {(one: Box, other: Box) => boolean} */
const meet = (one, other) =>
  one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;
