// The log is one stop of the Tab key: later/walking.js goes on from there.

import { hasFocus, part } from "../dom.js";
import { isComing } from "../loader.js";
import { need } from "../opening.js";

const KEYS = /^(Arrow|Home|End)/u;

const log = part("log");
/** @type {HTMLElement | null} */
let stop = null; // the message that the Tab key comes to

export function startWalking() {
  log.addEventListener("focusin", ({ target }) => {
    const message = messageAt(target);
    if (message) stopAt(message);
  });
  log.addEventListener("keydown", async (event) => {
    const { key, target } = event;
    const message = messageAt(target);
    if (!message || event.ctrlKey || event.altKey || event.metaKey) return;
    if (key === "Escape") (message === target ? part("message") : message).focus(); // also without what comes later
    if (!isComing() || (!KEYS.test(key) && (key !== "Enter" || message !== target))) return;
    event.preventDefault();
    if (!(await need())) return;
    const at = /** @type {HTMLElement} */ (document.activeElement); // where the keys before this one led
    if (at !== part("message") && at.dispatchEvent(new KeyboardEvent("keydown", event)) && key === "Enter") at.click();
  });
}

/**
 * The message that an event happened in.
 * @param {EventTarget | null} target
 */
export const messageAt = (target) =>
  target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".message")) : null;

/** Leads the Tab key to the newest message, unless somebody is among them. */
export function leadTo() {
  if (stop?.isConnected && hasFocus(log)) return;
  const newest = log.lastElementChild?.querySelectorAll(".message");
  const message = newest?.[newest.length - 1];
  if (message instanceof HTMLElement) stopAt(message);
}

/** @param {HTMLElement} message */
function stopAt(message) {
  if (message === stop) return;
  if (stop) stop.tabIndex = -1;
  message.tabIndex = 0;
  stop = message;
}
