// Elements of the page, and new ones. What peers wrote becomes text, never markup.

import { visible } from "./text.js";

/** @import { Parts, Said } from "./types.js" */

const SVG = "http://www.w3.org/2000/svg";

/** @type {Map<string, HTMLElement>} those that were asked for: they stay as long as the page */
const parts = new Map();

/**
 * The element with this `data-part`.
 * @template {string} Name
 * @param {Name} name
 * @returns {Name extends keyof Parts ? Parts[Name] : HTMLElement}
 */
export function part(name) {
  /** @type {any} */
  const found = parts.get(name) ?? document.querySelector(`[data-part="${name}"]`);
  if (!found) throw new Error(`the page has no part ${name}`);
  parts.set(name, found);
  return found;
}

/** What the server says of the room in the page itself. */
export function pageData() {
  const page = document.querySelector("[data-page]");
  return page instanceof HTMLElement ? page.dataset : {};
}

/**
 * A node, or something as text. What is neither text nor a number has none: others may have stored anything.
 * @param {unknown} child
 */
function content(child) {
  if (child instanceof Node) return child;
  return ["string", "number"].includes(typeof child) ? visible(String(child)) : "";
}

/**
 * A new element. `properties` that hold a hyphen, and `role`, are attributes; children are nodes or texts.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} properties
 * @param {Said[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  /** @type {any} */
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "class") element.className = value;
    else if (name.includes("-") || name === "role") element.setAttribute(name, content(value));
    else element[name] = value;
  }
  element.append(...children.map(content));
  return element;
}

/** @type {(element: HTMLElement, action: (event: MouseEvent) => unknown) => void} */
export const onClick = (element, action) => element.addEventListener("click", action);

/**
 * Whether the focus is on an element, or in it.
 * @param {Element | null | undefined} element
 */
export const hasFocus = (element) => element?.contains(document.activeElement) === true;

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/**
 * Makes these nodes the children of parent, moving only those out of place and never the one with the focus.
 * @param {Element} parent
 * @param {Element[]} nodes
 */
export function arrange(parent, nodes) {
  nodes.forEach((node, at) => {
    if (parent.children[at] === node) return;
    if (node.parentNode === parent && hasFocus(node)) {
      while (parent.children[at] !== node) parent.append(parent.children[at]);
    } else {
      parent.insertBefore(node, parent.children[at] ?? null);
    }
  });
  while (parent.children.length > nodes.length) parent.lastElementChild?.remove();
}

/**
 * Sets text only where it differs, so that nothing is read out again.
 * @param {Element} element
 * @param {string | number | undefined} text
 */
export function setText(element, text) {
  const shown = String(content(text));
  if (element.textContent !== shown) element.textContent = shown;
}

/**
 * Hides an element or shows it. The focus in one that is hidden goes on to another.
 * @type {(element: HTMLElement, hidden: boolean, next: HTMLElement) => void}
 */
export function setHidden(element, hidden, next) {
  const hadFocus = hasFocus(element);
  element.hidden = hidden;
  if (hidden && hadFocus) next.focus();
}

/**
 * The parts of a sentence as the children of an element: nodes, and texts.
 * @param {Element} element
 * @param {Said[]} parts
 */
export function setParts(element, parts) {
  element.replaceChildren(...parts.filter(Boolean).map(content));
}

/**
 * Calls `draw` at most once a frame; a hidden page, which has no frames, is drawn by a timer.
 * @param {() => void} draw
 */
export function eachFrame(draw) {
  let planned = false;
  const run = () => {
    planned = false;
    draw();
  };
  return () => {
    if (planned) return;
    planned = true;
    if (document.hidden) setTimeout(run, 50);
    else requestAnimationFrame(run);
  };
}
