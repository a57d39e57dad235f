// What the room is: title and description, and a mark when it is locked. Whoever may sets it up in later/settings.js;
// later/slow.js has the mark of slow mode.

import { selectIsConnectedToRoom, selectRoom, subscribe } from "../core.js";
import { part, setParts, setText } from "./dom.js";
import { linked } from "./linked.js";
import { shows } from "./names.js";
import { need } from "./opening.js";
import { nameTab } from "./tab.js";
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
  subscribe((is, was) => {
    if (!is) return;
    draw(is);
    if (was && (is.locked !== was.locked || is.slowMode !== was.slowMode)) tell(is, was);
  }, selectSetUp);
}

/** @param {SetUp} room */
function draw({ title, description, locked, slowMode }) {
  const name = shows(title) ? title : UNTITLED;
  setText(part("title"), name);
  nameTab(name);
  setParts(part("description"), linked(description));
  part("description").hidden = !shows(description);
  for (const name of ["locked-mark", "locked-said"]) part(name).hidden = !locked;
  part("about").hidden = !locked && !slowMode && !shows(description);
}

/** @type {(is: SetUp, was: SetUp) => Promise<void>} */
const tell = async (is, was) => (await need())?.tellSetUp(is, was);
