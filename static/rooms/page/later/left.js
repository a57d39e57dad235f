// How many characters of a message are left.

import { part, setText } from "../dom.js";
import { filled } from "../text.js";
import { ngettext } from "../translation.js";

/** @param {number | null} left null where it is not worth telling */
export function showLeft(left) {
  setText(part("left"), left === null ? "" : leftSaid(left));
  part("left").classList.toggle("over", left !== null && left < 0);
}

/** @param {number} left characters */
function leftSaid(left) {
  const count = Math.abs(left);
  if (left < 0)
    return filled(ngettext("{count} character too many.", "{count} characters too many.", count), { count });
  return filled(ngettext("{count} character left.", "{count} characters left.", count), { count });
}
