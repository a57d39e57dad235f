// The choice of the page's language. In a frame there is none: browsers send no cookies there.

export const mayChooseLanguage = window.top === window;

export function startLanguages() {
  for (const form of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".languages"))) {
    form.hidden = !mayChooseLanguage;
  }
}
