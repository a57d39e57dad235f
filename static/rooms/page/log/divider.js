// The line above what somebody has not seen.

import { make, setText } from "../dom.js";
import { counted } from "../text.js";

export class Divider {
  #text = make("span", {});
  element = make("p", { class: "new", role: "separator" }, this.#text);
  #missed = 0;

  /**
   * Counts one message more.
   * @param {boolean} isMissed whether it came while the person was not here at all
   */
  count(isMissed) {
    if (isMissed) this.#missed += 1;
    const words = counted(this.#missed, "{count} message while you were away", "{count} messages while you were away");
    setText(this.#text, this.#missed ? words : "New");
  }
}
