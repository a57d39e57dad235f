// A menu at a button: arrow keys, Escape, and the focus back where it was.

import { make } from "./dom.js";

let open = null; // {menu, button}

/** Opens a menu of [{label, action, danger?}] at the button; closes it if it is open. */
export function toggleMenu(button, items) {
  const wasHere = open?.button === button;
  closeMenu();
  if (wasHere) return;
  const menu = make("div", { class: "menu", role: "menu", "aria-label": button.getAttribute("aria-label") });
  for (const { label, action, danger } of items) {
    const item = make(
      "button",
      { class: danger ? "menu-item danger" : "menu-item", type: "button", role: "menuitem" },
      label,
    );
    item.tabIndex = -1;
    item.addEventListener("click", () => {
      closeMenu({ refocus: true });
      action();
    });
    menu.append(item);
  }
  menu.addEventListener("keydown", walk);
  menu.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !menu.contains(relatedTarget)) closeMenu();
  });
  open = { menu, button };
  button.setAttribute("aria-expanded", "true");
  document.body.append(menu);
  place(menu, button);
  menu.firstElementChild.focus();
}

export function closeMenu({ refocus = false } = {}) {
  if (!open) return;
  const { menu, button } = open;
  open = null;
  menu.remove();
  button.setAttribute("aria-expanded", "false");
  if (refocus) button.focus();
}

function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = at.bottom + height + 8 < innerHeight;
  menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
}

function walk(event) {
  const items = [...event.currentTarget.children];
  const at = items.indexOf(document.activeElement);
  const to = {
    ArrowDown: items[(at + 1) % items.length],
    ArrowUp: items[(at - 1 + items.length) % items.length],
    Home: items[0],
    End: items.at(-1),
  }[event.key];
  if (to) to.focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu({ refocus: true });
  else return;
  event.preventDefault();
}

document.addEventListener("pointerdown", ({ target }) => {
  if (open && !open.menu.contains(target) && !open.button.contains(target)) closeMenu();
});
addEventListener("resize", () => closeMenu());
