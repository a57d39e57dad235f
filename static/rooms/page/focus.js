// Where the focus goes when what had it is there no more: to what stands nearest, and not to the beginning of the page.

const CHOOSABLE = ":is(button,a[href],summary,[tabindex],[type=radio],[type=checkbox]):not(:disabled)";
const WHOLE = ":is(main,body,.screen)"; // nothing in these is near anything

/** @typedef {{ element: Element, beside: (Element | null)[] }[]} Place an element and what it is in, the innermost first */

/** @type {Place} */
let last = [];
let planned = false;

export function startFocus() {
  document.addEventListener("focusin", ({ target }) => {
    last = placeOf(/** @type {Element} */ (target));
  });
  document.addEventListener("focusout", settleSoon);
  new MutationObserver(settleSoon).observe(document.body, {
    childList: true,
    subtree: true,
    attributeFilter: ["hidden"],
  });
}

/** After whatever it is that goes on: a dialog that closes gives the focus back by itself. */
function settleSoon() {
  if (planned || document.activeElement !== document.body) return;
  planned = true;
  setTimeout(settle);
}

function settle() {
  planned = false;
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
    const isWhole = at.parentElement?.matches(WHOLE);
    place.push({ element: at, beside: isWhole ? [] : [at.nextElementSibling, at.previousElementSibling] });
  }
  return place;
}

/**
 * Gives the focus to the element that is there, or else to what is nearest to it.
 * @param {Place} place
 */
export function focusNear(place) {
  const own = place[0]?.element;
  if (own && isThere(own) && takesFocus(own)) return;
  for (const { element, beside } of place) {
    if ([element, ...beside].some((one) => one && takesFocusIn(one))) return;
  }
}

/** @param {Element} element */
function takesFocusIn(element) {
  if (!isThere(element)) return false;
  return [element, ...element.querySelectorAll(CHOOSABLE)].some(
    (one) => one.matches(CHOOSABLE) && isThere(one) && takesFocus(one),
  );
}

/** @param {Element} element */
function takesFocus(element) {
  /** @type {HTMLElement} */ (element).focus({ preventScroll: true });
  return document.activeElement === element;
}

/** @param {Element} element */
const isThere = (element) => element.isConnected && element.checkVisibility();
