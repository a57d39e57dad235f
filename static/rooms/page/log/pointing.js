// Pointing at messages, by which later/toolbar.js is loaded: what can be done with one.

import { part } from "../dom.js";
import { later, loaded } from "../loader.js";

const log = part("log");
/** @type {{ target: EventTarget | null, from: number, to: number } | null} */
let press = null;

/** The press of a finger for which more was loaded; times in ms, and `to` infinite as long as it lasts. */
export const lastPress = () => press;

export function startPointing() {
  for (const kind of ["pointerover", "focusin"]) log.addEventListener(kind, ask);
  log.addEventListener("pointerdown", ({ target, pointerType, timeStamp }) => {
    press = pointerType === "mouse" ? null : { target, from: timeStamp, to: Infinity };
    ask();
  });
  log.addEventListener("pointerup", ({ timeStamp }) => {
    if (press) press.to = timeStamp;
  });
  log.addEventListener("pointercancel", forget); // it scrolls
  log.addEventListener("contextmenu", (event) => {
    if (matchMedia("(hover: none)").matches && !(/** @type {Element} */ (event.target).closest("a")))
      event.preventDefault();
  });
}

/** Where it cannot be had it is asked for again by whatever is pointed at next. */
function ask() {
  if (!loaded()) later().catch(forget);
}

function forget() {
  press = null;
}
