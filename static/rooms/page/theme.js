// Light, dark, or what the system says. Loaded before the page is drawn, so that it never flashes: as a plain script,
// whose names would be everybody's but for the function around them. It sees, too, which form is sent before the
// script is there that answers it.

(() => {
  const KEY = "hmsroom:theme";
  const THEMES = ["system", "light", "dark"];

  function remembered() {
    try {
      const kept = localStorage.getItem(KEY) ?? "";
      return THEMES.includes(kept) ? kept : "system";
    } catch {
      return "system";
    }
  }

  const switches = () => /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-theme-switch]"));

  /** @param {string} theme */
  function show(theme) {
    document.documentElement.dataset.theme = theme;
    for (const button of switches()) button.textContent = button.dataset[theme] ?? "";
  }

  const current = () => document.documentElement.dataset.theme ?? "system";

  function change() {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // not remembered then
    }
    show(next);
    return next;
  }

  addEventListener("submit", ({ target }) => {
    if (target instanceof HTMLFormElement) target.dataset.sent = "yes";
  });
  addEventListener("input", ({ target }) => {
    if (target instanceof HTMLInputElement) delete target.form?.dataset.sent; // it is another one by now
  });

  show(remembered());
  window.hmsroomTheme = { change, current };
  addEventListener("DOMContentLoaded", () => {
    show(remembered());
    for (const button of switches()) {
      button.hidden = false;
      button.addEventListener("click", change);
    }
  });
})();
