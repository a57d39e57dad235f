// What the room is: title and description, and marks when it is locked or slow. Whoever may sets it up in settings.js.

import { hmsStore, selectIsConnectedToRoom, selectRoom } from "../core.js";
import { part, setParts, setText } from "./dom.js";
import { linked } from "./linked.js";
import { shows } from "./names.js";
import { nameTab } from "./tab.js";
import { filled, timeSpan } from "./text.js";
import { toast } from "./toasts.js";
import { gettext } from "./translation.js";

/** @import { HMSStore } from "../hms.js" */

const UNTITLED = gettext("A room");

/** @param {HMSStore} store */
const selectSetUp = (store) => {
  const { title, description, locked, slowMode } = selectRoom(store);
  return selectIsConnectedToRoom(store) ? { title, description, locked, slowMode } : null;
};

/** @typedef {NonNullable<ReturnType<typeof selectSetUp>>} SetUp */

export function startAbout() {
  const atTheDoor = document.querySelector(".lobby .description");
  if (atTheDoor) setParts(atTheDoor, linked(atTheDoor.textContent ?? ""));
  hmsStore.subscribe((is, was) => {
    if (!is) return;
    draw(is);
    if (was) tell(is, was);
  }, selectSetUp);
}

/** @param {SetUp} room */
function draw({ title, description, locked, slowMode }) {
  const name = shows(title) ? title : UNTITLED;
  setText(part("title"), name);
  nameTab(name);
  setParts(part("description"), linked(description));
  part("description").hidden = !shows(description);
  const slow = slowMode ? slowSaid(slowMode) : "";
  setText(part("slow-said"), slow);
  setText(part("slow-mark-said"), slow);
  part("slow-mark").title = slow;
  for (const name of ["locked-mark", "locked-said"]) part(name).hidden = !locked;
  for (const name of ["slow-mark", "slow-said"]) part(name).hidden = !slowMode;
  part("about").hidden = !locked && !slowMode && !shows(description);
}

/** @param {number} seconds */
const slowSaid = (seconds) => filled(gettext("Slow mode: one message in {time}."), { time: timeSpan(seconds) });

/** @type {(is: SetUp, was: SetUp) => void} */
function tell(is, was) {
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
