// The entries of the log as elements: in blocks, which the browser passes over together where they are out of sight,
// and of which the oldest go.

import { make, part } from "../dom.js";
import { readsEnd } from "./reading.js";

const BLOCK = 50; // entries in one
const DRAWN = 1_000; // entries kept in the page; older ones go, a block at a time
const READ_BACK = 2 * DRAWN; // the same while somebody reads further up, where they may be looked at

export const MOST_ENTRIES = DRAWN;

const log = part("log");
/** @type {Map<string, HTMLElement>} message id → its element */
const shown = new Map();
/** @type {Set<string>} ids of messages whose elements went, as long as the store may still hold them */
const gone = new Set();

/** @param {string | null} id of a message */
export const elementOf = (id) => (id === null ? undefined : shown.get(id));

/** Messages by their elements. */
export const drawnMessages = () => shown.entries();

/**
 * Whether a message is in the log, or was and has gone from its beginning.
 * @param {string} id
 */
export const wasDrawn = (id) => shown.has(id) || gone.has(id);

/**
 * @param {string} id of a message
 * @param {HTMLElement} element
 */
export function remember(id, element) {
  element.dataset.id = id;
  shown.set(id, element);
}

/** @param {HTMLElement} node */
export function append(node) {
  const block = log.lastElementChild;
  if (block && block.childElementCount < BLOCK) block.append(node);
  else log.append(make("div", { class: "block" }, node));
  while (count() > (readsEnd() ? DRAWN : READ_BACK)) forgetFirst();
}

export function clearEntries() {
  log.replaceChildren();
  shown.clear();
  gone.clear();
}

const count = () => [...log.children].reduce((sum, block) => sum + block.childElementCount, 0);

function forgetFirst() {
  const [block] = log.children;
  block.remove();
  for (const { dataset } of /** @type {Iterable<HTMLElement>} */ (block.children)) {
    if (!dataset.id) continue;
    shown.delete(dataset.id);
    gone.add(dataset.id);
    const [oldest] = gone;
    if (gone.size > READ_BACK) gone.delete(oldest);
  }
}
