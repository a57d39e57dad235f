// The choice of the page's language. In a frame there is none: browsers send no cookies there.

import { part } from "./dom.js";

export const mayChooseLanguage = window.top === window;

export function startLanguages() {
  for (const form of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".languages"))) {
    form.hidden = !mayChooseLanguage;
  }
}

export const openLanguages = () => part("languages").showModal();
