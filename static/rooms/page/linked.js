// Texts in which links can be followed.

import { make } from "./dom.js";
import { filled, pieces } from "./text.js";
import { gettext } from "./translation.js";

/** @import { Said } from "./types.js" */

/**
 * The parts of a text, its links as elements.
 * @param {string} text
 * @param {object} [properties] of the links
 * @returns {Said[]}
 */
export const linked = (text, properties = {}) =>
  pieces(text).map((piece) => (piece.href ? link(piece, properties) : piece.text));

/** @type {(piece: ReturnType<typeof pieces>[number], properties: object) => HTMLElement} */
function link({ text, href, host }, properties) {
  // From left to right in any text around it: the host cannot be moved to where a path is expected.
  const element = make(
    "a",
    { href, target: "_blank", rel: "noopener noreferrer nofollow", ...properties },
    make("bdi", { dir: "ltr" }, text),
  );
  if (host) {
    const leads = filled(gettext("(leads to {host})"), { host });
    element.append(" ", make("bdi", { class: "host", dir: "ltr" }, leads));
  }
  return element;
}
