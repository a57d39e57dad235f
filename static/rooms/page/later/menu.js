// What opens at a button: a menu, or something else to choose from. Arrow keys, Escape, and the focus back where it was.

import { make } from "../dom.js";
import { focusNear, placeOf } from "../focus.js";

/** @import { Place } from "../focus.js" */
/** @import { MenuItem } from "../types.js" */

/** @type {{ popup: HTMLElement, button: HTMLElement, place: Place } | null} */
let open = null;

/**
 * Opens a menu at the button; closes it if it is open.
 * @param {HTMLElement} button
 * @param {MenuItem[]} items
 */
export function toggleMenu(button, items) {
  const label = button.getAttribute("aria-label");
  togglePopup(button, () => make("div", { class: "menu", role: "menu", "aria-label": label }, ...items.map(itemOf)));
}

/**
 * Opens at the button what `build` makes of buttons, which stand in so many columns; closes it if it is open.
 * @param {HTMLElement} button
 * @param {() => HTMLElement} build
 */
export function togglePopup(button, build, columns = 1) {
  const wasHere = open?.button === button;
  closePopup();
  if (wasHere || !button.isConnected) return;
  const popup = build();
  popup.addEventListener("keydown", (event) => walk(event, popup, columns));
  popup.addEventListener("focusout", ({ relatedTarget: next }) => {
    if (next instanceof Node && !popup.contains(next)) closePopup();
  });
  open = { popup, button, place: placeOf(button) };
  button.setAttribute("aria-expanded", "true");
  // Part of the landmark that its button is in; not of the log, which is read out as it grows.
  (button.closest("header, main, .panel, dialog") ?? document.body).append(popup);
  place(popup, button);
  popup.querySelector("button")?.focus();
}

/** @param {MenuItem} item */
function itemOf({ label, action, danger, checked, whyNot }) {
  const isSwitch = checked !== undefined;
  const properties = {
    class: danger ? "menu-item danger" : "menu-item",
    type: "button",
    role: isSwitch ? "menuitemcheckbox" : "menuitem",
    "aria-checked": isSwitch ? String(checked) : null,
    "aria-disabled": whyNot ? "true" : null, // it keeps its place among the others, where its reason can be read
    tabIndex: -1,
  };
  const item = make("button", properties, label);
  if (isSwitch) item.append(make("span", { class: "switch" }));
  if (whyNot) item.append(make("span", { class: "why-not" }, ` ${whyNot}`));
  item.addEventListener("click", () => {
    if (whyNot) return;
    closePopup({ refocus: true });
    action();
  });
  return item;
}

export function closePopup({ refocus = false } = {}) {
  if (!open) return;
  const { popup, button, place } = open;
  open = null;
  popup.remove();
  button.setAttribute("aria-expanded", "false");
  if (refocus) focusNear(place);
}

/**
 * Closes what is open at a button within an element that goes.
 * @param {HTMLElement} element
 */
export function closePopupIn(element) {
  if (open && element.contains(open.button)) closePopup({ refocus: true });
}

/** @type {(popup: HTMLElement, button: HTMLElement) => void} */
function place(popup, button) {
  const at = button.getBoundingClientRect();
  const { width, height } = popup.getBoundingClientRect();
  const style = getComputedStyle(popup);
  const isMirrored = style.direction === "rtl";
  /** @param {string} side of the screen, where a notch may be */
  const edge = (side) => Math.max(8, Number.parseFloat(style.getPropertyValue(`--safe-${side}`)));
  const isBelow = at.bottom + height + edge("bottom") < innerHeight;
  popup.style.top = `${Math.max(edge("top"), isBelow ? at.bottom + 4 : at.top - height - 4)}px`;
  const wanted = isMirrored ? at.left : at.right - width;
  const [left, right] = isMirrored ? [edge("end"), edge("start")] : [edge("start"), edge("end")];
  popup.style.left = `${Math.max(left, Math.min(wanted, innerWidth - width - right))}px`;
}

/** @type {(event: KeyboardEvent, popup: HTMLElement, columns: number) => void} */
function walk(event, popup, columns) {
  const items = [...popup.querySelectorAll("button")];
  const at = items.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  const ahead = getComputedStyle(popup).direction === "rtl" ? -1 : 1;
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: columns, ArrowUp: -columns, Home: -at, End: items.length - 1 - at };
  if (columns > 1) Object.assign(steps, { ArrowRight: ahead, ArrowLeft: -ahead });
  if (Object.hasOwn(steps, event.key)) items.at((at + steps[event.key]) % items.length)?.focus();
  else if (event.key === "Escape" || event.key === "Tab") closePopup({ refocus: true });
  else return;
  event.preventDefault();
  event.stopPropagation(); // what the menu lies in stays open
}

document.addEventListener("pointerdown", ({ target }) => {
  if (open && target instanceof Node && !open.popup.contains(target) && !open.button.contains(target)) closePopup();
});
addEventListener("resize", () => closePopup());
