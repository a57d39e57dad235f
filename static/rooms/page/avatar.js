// A person's mark: letters on one of eight colours.

import { make } from "./dom.js";
import { hue, initials } from "./text.js";
import { nameOf, personOf } from "./who.js";

/** @import { Someone } from "./types.js" */

/** @param {Someone} one */
export function avatar(one) {
  const colour = `hue-${hue(personOf(one))}`;
  return make("span", { class: `avatar ${colour}`, "aria-hidden": "true" }, initials(nameOf(one)));
}
