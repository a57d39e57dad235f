// The line above what somebody has not seen.

import { make, setText } from "../dom.js";
import { filled } from "../text.js";
import { gettext, ngettext } from "../translation.js";

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
    const words = filled(
      ngettext("{count} message while you were away", "{count} messages while you were away", this.#missed),
      { count: this.#missed },
    );
    setText(this.#text, this.#missed ? words : gettext("New"));
  }
}
