// Where the focus goes when what had it is there no more: to what stands nearest, and not to the beginning of the page.

const CHOOSABLE = ":is(button,a[href],summary,[tabindex],[type=radio],[type=checkbox]):not(:disabled)";
const WHOLE = ":is(main,body,.screen)"; // nothing in these is near anything

/** @typedef {{ element: Element, beside: (Element | null)[] }[]} Place an element and what it is in, the innermost first */

/** @type {Place} */
let last = [];

export function startFocus() {
  document.addEventListener("focusin", ({ target }) => {
    last = placeOf(/** @type {Element} */ (target));
  });
  // After what takes the element away, if something does.
  document.addEventListener("focusout", () => queueMicrotask(settle));
  new MutationObserver(settle).observe(document.body, { childList: true, subtree: true, attributeFilter: ["hidden"] });
}

function settle() {
  if (document.activeElement !== document.body || !last.length) return;
  if (isThere(last[0].element))
    last = []; // somebody turned away from it
  else focusNear(last);
}

/**
 * Where an element is, to be found again without it.
 * @param {Element | null} element
 * @returns {Place}
 */
export function placeOf(element) {
  const place = [];
  for (let at = element; at && !at.matches(WHOLE); at = at.parentElement) {
    place.push({ element: at, beside: [at.nextElementSibling, at.previousElementSibling] });
  }
  return place;
}

/**
 * Gives the focus to the element that is there, or else to what is nearest to it.
 * @param {Place} place
 */
export function focusNear(place) {
  for (const { element, beside } of place) {
    for (const one of [element, ...beside]) {
      const found = one && firstIn(one);
      if (found) {
        found.focus({ preventScroll: true });
        return;
      }
    }
  }
}

/** @type {(element: Element) => HTMLElement | undefined} */
function firstIn(element) {
  if (!isThere(element)) return undefined;
  const all = /** @type {HTMLElement[]} */ ([element, ...element.querySelectorAll(CHOOSABLE)]);
  return all.find((one) => one.matches(CHOOSABLE) && isThere(one));
}

/** @param {Element} element */
const isThere = (element) => element.isConnected && element.checkVisibility();
