// Makes a part of a page as the server has it now. What somebody is at stays: focus, open forms, what is being typed.

/**
 * Make `old` as `fresh`, by changing what differs. Elements are known again by their ids.
 * @type {(old: Element, fresh: Element) => void}
 */
export function morph(old, fresh) {
  const focused = document.activeElement;
  morphElement(old, fresh);
  // An element that was moved has lost it.
  if (focused instanceof HTMLElement && focused !== document.activeElement && old.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

/** @type {(old: Element, fresh: Element) => void} */
function morphElement(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  // A form that is open is of what was to be seen when it was opened: so the server can tell when it is behind.
  if (old instanceof HTMLDetailsElement && old.open && old.querySelector("form")) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (!(old instanceof HTMLTextAreaElement)) morphChildren(old, fresh);
}

/** @type {(old: Element, fresh: Element) => void} */
function morphChildren(old, fresh) {
  const wanted = new Set([...fresh.children].map(({ id }) => id));
  /** @type {Map<string, Element>} */
  const known = new Map();
  for (const child of [...old.children]) {
    if (child.id && !wanted.has(child.id)) child.remove();
    else if (child.id) known.set(child.id, child);
  }
  let place = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const match = next instanceof Element && next.id ? known.get(next.id) : isLike(place, next) ? place : null;
    if (!match) {
      old.insertBefore(next, place);
      continue;
    }
    if (match === place) place = place.nextSibling;
    else old.insertBefore(match, place);
    if (match instanceof Element && next instanceof Element) morphElement(match, next);
    else if (match.nodeValue !== next.nodeValue) match.nodeValue = next.nodeValue;
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

/** @type {(old: Node | null, fresh: Node) => boolean} */
function isLike(old, fresh) {
  return old?.nodeName === fresh.nodeName && !(old instanceof Element && old.id);
}
