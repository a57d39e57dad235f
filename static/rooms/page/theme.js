// Light, dark, or what the system says. Loaded before the page is drawn, so that it never flashes.

(() => {
  const KEY = "hmsroom:theme";
  const THEMES = ["system", "light", "dark"];

  function remembered() {
    try {
      return THEMES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "system";
    } catch {
      return "system";
    }
  }

  function show(theme) {
    document.documentElement.dataset.theme = theme;
    for (const name of document.querySelectorAll("[data-theme-name]")) name.textContent = theme;
  }

  function change() {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // not remembered then
    }
    show(next);
    return next;
  }

  show(remembered());
  window.hmsroomTheme = { change, current: () => document.documentElement.dataset.theme };
  addEventListener("DOMContentLoaded", () => {
    show(remembered());
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.hidden = false;
      button.addEventListener("click", change);
    }
  });
})();
