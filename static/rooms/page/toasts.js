// Short notices that go away by themselves, and what only a screen reader is told.

import { needConnection } from "./connection.js";
import { hasFocus, make, onClick, part, setParts } from "./dom.js";
import { focusNear, placeOf } from "./focus.js";
import { filled } from "./text.js";
import { inWords } from "./why.js";

/** @import { Place } from "./focus.js" */
/** @import { Said } from "./types.js" */

const STAYS = 5_000; // ms
const OWN_STAYS = 3_000; // of what says what one did oneself
const MOST = 3;

const page = document.querySelector("[data-page]");
/** @type {WeakMap<Element, Place>} */
const origins = new WeakMap(); // notice → where the focus was before it came

// Behind a dialog nothing can be pressed: they go into one that opens, and back.
new MutationObserver(place).observe(document.body, { subtree: true, attributeFilter: ["open"] });
const resizes = new ResizeObserver(place);
for (const name of ["chat", "over-log", "log", "outbox", "panel"]) resizes.observe(part(name));

/** Puts the notices where they can be pressed and lie over no controls and nothing new: over the beginning of the log. */
function place() {
  const toasts = part("toasts");
  const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
  const home = dialog ?? page;
  if (home && toasts.parentElement !== home) {
    const focused = hasFocus(toasts) ? document.activeElement : null;
    home.append(toasts);
    if (focused instanceof HTMLElement) focused.focus();
  }
  const { left, right, width } = part("chat").getBoundingClientRect();
  const sides = [left, document.documentElement.clientWidth - right];
  const [start, end] = getComputedStyle(toasts).direction === "rtl" ? sides.reverse() : sides;
  const isOverChat = width > 0 && !dialog && !part("chat").inert;
  toasts.style.inset = isOverChat
    ? `calc(${part("over-log").getBoundingClientRect().bottom}px + 0.5rem) auto auto`
    : "";
  toasts.style.insetInline = isOverChat
    ? `max(${start}px + 1rem, var(--safe-start)) max(${end}px + 1rem, var(--safe-end))`
    : "";
  if (isOverChat) fit(toasts);
}

/**
 * Takes the oldest notices away that reach down to the newest message; the last one stays.
 * @param {HTMLElement} toasts
 */
function fit(toasts) {
  const end = [...part("log").querySelectorAll(".block:last-child > .message")];
  const newest = [...end, ...part("outbox").querySelectorAll(".message")].at(-1);
  const edge = newest?.getBoundingClientRect().top ?? Number.POSITIVE_INFINITY;
  while (toasts.children.length > 1 && toasts.getBoundingClientRect().bottom > edge) toasts.firstElementChild?.remove();
}

/**
 * Shows a notice: a text, or its parts; `offer` gives it a button, to which the next Tab leads. It takes the place of
 * one of the same `kind`, or with the same words. One that `isOwn` says what the reader did, and goes sooner.
 * @param {string | Said[]} parts
 * @param {{ label: string, action: () => void }} [offer]
 * @param {{ kind?: string, isOwn?: boolean }} [options]
 * @returns a function that takes it away.
 */
export function toast(parts, offer, { kind = "", isOwn = false } = {}) {
  const said = make("span", { class: "said", dir: "auto" });
  setParts(said, [parts].flat());
  const box = make("div", { class: "toast" }, said);
  if (kind) box.dataset.kind = kind;
  const toasts = part("toasts");
  const others = [...toasts.children].filter((other) => isLike(/** @type {HTMLElement} */ (other), box));
  const focused = others.find(hasFocus);
  const before = (focused && origins.get(focused)) ?? placeOf(document.activeElement);
  origins.set(box, before);
  const goBack = () => focusNear([...before, ...placeOf(around())]);
  const remove = () => {
    const hadFocus = hasFocus(box);
    box.remove();
    if (hadFocus) goBack();
  };
  if (offer) {
    const button = make("button", { class: "button small", type: "button" }, offer.label);
    onClick(button, () => {
      remove();
      offer.action();
    });
    box.append(button);
    comesNext(button);
  }
  toasts.append(box);
  if (focused && !offer) goBack();
  else if (focused) box.querySelector("button")?.focus();
  for (const other of others) other.remove();
  while (toasts.children.length > MOST) toasts.firstElementChild?.remove();
  place();
  setTimeout(remove, offer ? 2 * STAYS : isOwn ? OWN_STAYS : STAYS);
  return remove;
}

/**
 * Has the next Tab lead to a button, whatever is typed before it.
 * @param {HTMLElement} button
 */
function comesNext(button) {
  /** @param {KeyboardEvent} event */
  const lead = (event) => {
    if (!button.isConnected) return removeEventListener("keydown", lead);
    if (event.key !== "Tab" || event.repeat || event.defaultPrevented) return; // which completes a name, say
    removeEventListener("keydown", lead);
    if (event.shiftKey) return;
    event.preventDefault();
    button.focus();
  };
  addEventListener("keydown", lead);
}

/** Where the focus goes when there is nothing of where it came from. */
const around = () =>
  part("toasts").closest("dialog")?.querySelector("button[data-close], .actions button") ?? part("scroller");

/** @type {(one: HTMLElement, other: HTMLElement) => boolean} */
const isLike = (one, other) =>
  one.dataset.kind ? one.dataset.kind === other.dataset.kind : one.textContent === other.textContent;

/**
 * Runs an action of the room; if it is refused, says so.
 * @template Value
 * @param {() => Promise<Value>} action
 * @param {string} sentence that says what did not happen, and {why}
 */
export const attempt = (action, sentence) =>
  tryTo(() => {
    needConnection();
    return action();
  }, sentence);

/**
 * Runs what needs no connection; if it fails, says so.
 * @template Value
 * @param {() => Promise<Value>} action
 * @param {string} sentence that says what did not happen, and {why}
 */
export async function tryTo(action, sentence) {
  try {
    return await action();
  } catch (error) {
    toast(filled(sentence, { why: await inWords(error) }));
    return undefined;
  }
}

/** @param {string} text */
export function announce(text) {
  const told = make("p", {}, text);
  part("announcer").replaceChildren(told);
  setTimeout(() => told.remove(), 2 * STAYS); // it is no news any more
}
