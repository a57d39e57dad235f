// A menu at a button: arrow keys, Escape, and the focus back where it was.

import { make } from "./dom.js";

/** @import { MenuItem } from "./types.js" */

/** @type {{ menu: HTMLElement, button: HTMLElement } | null} */
let open = null;

/**
 * Opens a menu at the button; closes it if it is open.
 * @param {HTMLElement} button
 * @param {MenuItem[]} items
 */
export function toggleMenu(button, items) {
  const wasHere = open?.button === button;
  closeMenu();
  if (wasHere) return;
  const menu = make("div", { class: "menu", role: "menu", "aria-label": button.getAttribute("aria-label") });
  menu.append(...items.map(itemOf));
  menu.addEventListener("keydown", walk);
  menu.addEventListener("focusout", ({ relatedTarget: next }) => {
    if (next instanceof Node && !menu.contains(next)) closeMenu();
  });
  open = { menu, button };
  button.setAttribute("aria-expanded", "true");
  document.body.append(menu);
  place(menu, button);
  menu.querySelector("button")?.focus();
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
    closeMenu({ refocus: true });
    action();
  });
  return item;
}

function closeMenu({ refocus = false } = {}) {
  if (!open) return;
  const { menu, button } = open;
  open = null;
  menu.remove();
  button.setAttribute("aria-expanded", "false");
  if (refocus) button.focus();
}

/** @type {(menu: HTMLElement, button: HTMLElement) => void} */
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = at.bottom + height + 8 < innerHeight;
  menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const items = /** @type {HTMLElement[]} */ ([...(open?.menu.children ?? [])]);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const places = new Map([
    ["ArrowDown", (at + 1) % items.length],
    ["ArrowUp", (at - 1 + items.length) % items.length],
    ["Home", 0],
    ["End", items.length - 1],
  ]);
  const to = places.get(event.key);
  if (to !== undefined) items[to].focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu({ refocus: true });
  else return;
  event.preventDefault();
}

document.addEventListener("pointerdown", ({ target }) => {
  if (open && target instanceof Node && !open.menu.contains(target) && !open.button.contains(target)) closeMenu();
});
addEventListener("resize", () => closeMenu());
