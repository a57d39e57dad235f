// A person's mark: letters on one of eight colours.

import { make } from "./dom.js";
import { hue, initials } from "./text.js";

export function avatar({ id, name }) {
  return make("span", { class: `avatar hue-${hue(id)}`, "aria-hidden": "true" }, initials(name));
}
