// The entries of the log as elements: in blocks, which the browser passes over together where they are out of sight,
// and of which the oldest go, unless they are read.

import { hasFocus, make, part } from "../dom.js";
import { isFarAbove, keepPlace, readsEnd } from "./reading.js";

/** @import { HMSMessage } from "../../hms.js" */

/** @typedef {{ element: HTMLElement, message: HMSMessage }} Drawn a message as it was drawn */

const BLOCK = 50; // entries in one
const DRAWN = 200; // entries kept in the page; older ones go, a block at a time
const READ_BACK = 2 * DRAWN; // the same while somebody reads further up: only what is far above goes then
export const HELD = 2_000; // messages that the store holds: beyond them an older one would not stay

const log = part("log");
/** @type {Map<string, Drawn>} by the ids of the messages */
const shown = new Map();
/** @type {Set<string>} ids of messages whose elements went, oldest first, as long as the store may still hold them */
const gone = new Set();

/** @param {string | null} id of a message */
export const elementOf = (id) => (id === null ? undefined : shown.get(id)?.element);

/** Messages by their ids, as they were drawn. */
export const drawnMessages = () => [...shown];

/**
 * Whether a message is in the log, or was and has gone from its beginning.
 * @param {string} id
 */
export const wasDrawn = (id) => shown.has(id) || gone.has(id);

/** @type {(message: HMSMessage, element: HTMLElement) => void} */
export function remember(message, element) {
  element.dataset.id = message.id;
  shown.set(message.id, { element, message });
}

/** @param {HTMLElement} node */
export function append(node) {
  const block = log.lastElementChild;
  if (block && block.childElementCount < BLOCK) block.append(node);
  else log.append(make("div", { class: "block" }, node));
  if (readsEnd()) while (count() > DRAWN) forgetFirst();
  else while (count() > READ_BACK && isFarAbove(log.children[0])) keepPlace(forgetFirst);
}

/** Whether nothing more is to be drawn below what somebody reads further up. */
export const isFull = () => !readsEnd() && count() >= READ_BACK && !isFarAbove(log.children[0]);

/**
 * Puts an entry before another. A block that is full begins with that other one from then on.
 * @type {(next: HTMLElement, node: HTMLElement) => void}
 */
export function insertBefore(next, node) {
  const block = next.parentElement;
  const entries = [...(block?.children ?? [])];
  const before = entries.slice(0, entries.indexOf(next));
  const isFocused = before.some((entry) => hasFocus(entry)); // it would lose that
  if (!block || entries.length < BLOCK || isFocused) {
    next.before(node);
    return;
  }
  const above = block.previousElementSibling;
  const hasRoom = above && above.childElementCount + before.length < BLOCK;
  const into = hasRoom ? above : measured(make("div", { class: "block" }));
  if (!hasRoom) block.before(into);
  into.append(...before, node);
}

/**
 * Has a block laid out at once, and not passed over before the browser has learned its size: what is below would move.
 * @param {HTMLElement} block
 */
function measured(block) {
  block.classList.add("measured");
  requestAnimationFrame(() => requestAnimationFrame(() => block.classList.remove("measured")));
  return block;
}

/** The last entry. */
export const newest = () => log.lastElementChild?.lastElementChild ?? null;

/**
 * The entry above another.
 * @param {Element} entry
 */
export const entryAbove = (entry) =>
  entry.previousElementSibling ?? entry.parentElement?.previousElementSibling?.lastElementChild ?? null;

/**
 * The entry below another.
 * @param {Element} entry
 */
export const entryBelow = (entry) =>
  entry.nextElementSibling ?? entry.parentElement?.nextElementSibling?.firstElementChild ?? null;

/**
 * The message that an entry is, if it is one.
 * @param {Element | null} entry
 */
export const messageOf = (entry) =>
  entry instanceof HTMLElement ? shown.get(entry.dataset.id ?? "")?.message : undefined;

/**
 * Takes an entry away, and its block if it was the only one in it.
 * @param {Element} entry
 */
export function remove(entry) {
  const block = entry.parentElement;
  entry.remove();
  if (block && !block.childElementCount) block.remove();
}

/**
 * Takes a message away that is not held any more.
 * @param {string} id
 */
export function forget(id) {
  const element = elementOf(id);
  shown.delete(id);
  if (element) remove(element);
}

/**
 * Lets the newest of those messages that went be drawn again. How many of them these are.
 * @param {number} most
 */
export function recall(most) {
  const ids = [...gone].slice(-most);
  for (const id of ids) gone.delete(id);
  return ids.length;
}

/** Whether messages went that may be drawn again. */
export const mayRecall = () => gone.size > 0;

export function clearEntries() {
  log.replaceChildren();
  shown.clear();
  gone.clear();
}

const count = () => [...log.children].reduce((sum, block) => sum + block.childElementCount, 0);

function forgetFirst() {
  const [block] = log.children;
  if (hasFocus(block)) {
    const next = /** @type {HTMLElement | null} */ (log.querySelector(".block:not(:first-child) .message"));
    (next ?? part("message")).focus({ preventScroll: true });
  }
  block.remove();
  for (const { dataset } of /** @type {Iterable<HTMLElement>} */ (block.children)) {
    if (!dataset.id) continue;
    shown.delete(dataset.id);
    gone.add(dataset.id);
    const [oldest] = gone;
    if (gone.size > HELD) gone.delete(oldest);
  }
}
