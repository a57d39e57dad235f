// Pins that somebody has put out of the bar, in this tab and for themselves alone.

import { pageData } from "../dom.js";
import { here } from "../memory.js";

/** @import { Pin } from "../types.js" */

const KEY = `hidden-pins:${pageData().code}`;

let hidden = new Set(here.texts(KEY));

/**
 * One that says something else is another pin.
 * @param {Pin} pin
 */
const signOf = ({ id, text }) => `${id} ${text}`;

/** @param {Pin} pin */
export const isHidden = (pin) => hidden.has(signOf(pin));

/** @type {(pin: Pin, all: Pin[]) => void} */
export const hidePin = (pin, all) => keep([...all.filter(isHidden), pin]);

/** @type {(pin: Pin, all: Pin[]) => void} */
export const showPin = (pin, all) => keep(all.filter((one) => isHidden(one) && signOf(one) !== signOf(pin)));

/** @param {Pin[]} pins those of the room that are hidden: of others nothing is kept */
function keep(pins) {
  hidden = new Set(pins.map(signOf));
  here.set(KEY, JSON.stringify([...hidden]));
}
