// The log is one stop of the Tab key: arrows go from message to message, and sideways to what is in one.

import { hmsStore, selectMessageByMessageID } from "../../core.js";
import { part } from "../dom.js";
import { loaded } from "../loader.js";
import { open } from "../opening.js";
import { spoken } from "./message.js";

const INTO = ["ArrowLeft", "ArrowRight", "Enter"]; // keys that lead into a message

const log = part("log");
/** @type {HTMLElement | null} */
let stop = null; // the message that the Tab key comes to

export function startWalking() {
  log.addEventListener("focusin", ({ target }) => {
    const message = messageAt(target);
    if (!message) return;
    stopAt(message);
    if (message === target) label(message);
  });
  log.addEventListener("keydown", walk);
}

/**
 * The message that an event happened in.
 * @param {EventTarget | null} target
 */
export const messageAt = (target) =>
  target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".message")) : null;

/** Leads the Tab key to the newest message, unless somebody is among them. */
export function leadTo() {
  if (stop?.isConnected && log.contains(document.activeElement)) return;
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

/** @param {HTMLElement} message */
export function label(message) {
  const said = hmsStore.getState(selectMessageByMessageID(message.dataset.id ?? ""));
  if (said) message.setAttribute("aria-label", spoken(message, said));
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const message = messageAt(event.target);
  if (!message || event.ctrlKey || event.altKey || event.metaKey) return;
  if (!loaded() && event.target === message && INTO.includes(event.key)) {
    event.preventDefault();
    open(() => walk(event)); // with the toolbar
    return;
  }
  const to = goal(event, message);
  if (!to) return;
  event.preventDefault();
  to.focus();
  if (to.matches(".message")) to.scrollIntoView({ block: "nearest" });
}

/**
 * Where a key leads: to another message, to what is in this one, back to it, or out to the composer.
 * @type {(event: KeyboardEvent, message: HTMLElement) => HTMLElement | undefined}
 */
function goal({ key, target }, message) {
  const all = /** @type {HTMLElement[]} */ ([...log.querySelectorAll(".message")]);
  const at = all.indexOf(message);
  const within = /** @type {HTMLElement[]} */ ([message, ...message.querySelectorAll("a, button")]).filter((one) =>
    one.checkVisibility(),
  );
  const inside = within.indexOf(/** @type {HTMLElement} */ (target));
  const forward = getComputedStyle(log).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  if (key === "ArrowUp") return all[at - 1];
  if (key === "ArrowDown") return all[at + 1];
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key === forward) return within[inside + 1];
  if (key === "ArrowLeft" || key === "ArrowRight") return within[inside - 1];
  if (key === "Enter" && target === message) return within.at(-1);
  if (key === "Escape") return inside ? message : part("message");
  return undefined;
}
