// A person's mark: letters on one of twelve colours.

import { make } from "./dom.js";
import { initials } from "./text.js";
import { hueOf, nameOf } from "./who.js";

/** @import { Someone } from "./types.js" */

/** @param {Someone} one */
export function avatar(one) {
  return make("span", { class: `avatar hue-${hueOf(one)}`, "aria-hidden": "true" }, initials(nameOf(one)));
}
