// The line above what somebody has not seen.

import { make, part, setText } from "../dom.js";
import { filled } from "../text.js";
import { gettext, ngettext } from "../translation.js";
import { entryBelow, messageOf, remove } from "./entries.js";
import { isUnseen } from "./reading.js";

class Divider {
  #text = make("span", {});
  element = make("p", { class: "new", role: "separator" }, this.#text);
  #missed = 0;

  /**
   * Counts one message more.
   * @param {boolean} isMissed whether it came while the person was not here at all
   */
  count(isMissed) {
    if (isMissed) this.#missed += 1;
    const words = filled(
      ngettext("{count} message while you were away", "{count} messages while you were away", this.#missed),
      { count: this.#missed },
    );
    setText(this.#text, this.#missed ? words : gettext("New"));
  }
}

/** @type {Divider | null} the line as long as it counts */
let divider = null;

/**
 * Counts a message of somebody else that goes unseen in a line above the first of them.
 * @param {boolean} isAway whether it came while the person was not here at all
 * @returns the line, where it is to be put at the end of the log
 */
export function divide(isAway) {
  if (!isAway && !isUnseen()) {
    endDivider(); // the next absence is another one
    return null;
  }
  const isNew = !divider?.element.isConnected;
  if (isNew) part("log").querySelector(".new")?.remove();
  if (!divider || isNew) divider = new Divider();
  divider.count(isAway);
  return isNew ? divider.element : null;
}

/** What comes from now on is not counted in the line that is there. */
export function endDivider() {
  divider = null;
}

/** Takes the line away if no message is left below it. */
export function dropDivider() {
  const line = part("log").querySelector(".new");
  let below = line && entryBelow(line);
  while (below && !messageOf(below)) below = entryBelow(below);
  if (line && !below) remove(line);
}
