// Saying that the room is set up in another way now.

import { filled } from "../text.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { timeSpan } from "./text.js";

/** @import { SetUp } from "../about.js" */

/** @param {number} seconds */
export const slowSaid = (seconds) => filled(gettext("Slow mode: one message in {time}."), { time: timeSpan(seconds) });

/** @type {(is: SetUp, was: SetUp) => void} */
export function tellSetUp(is, was) {
  if (is.locked !== was.locked) {
    const said = is.locked
      ? gettext("The room is locked now: nobody new can enter.")
      : gettext("The room is open again.");
    toast(said, undefined, { kind: "locked" });
  }
  if (is.slowMode !== was.slowMode) {
    toast(is.slowMode ? slowSaid(is.slowMode) : gettext("Slow mode is off."), undefined, { kind: "slow" });
  }
}
