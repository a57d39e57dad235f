// Pins that somebody has put out of the bar for themselves: in all tabs of this browser, as long as the session lasts.

import { getState, onNotification } from "../../core.js";
import { selectRoomID, selectSessionId } from "../../hms.js";
import { lasting } from "../memory.js";
import { checksum } from "../text.js";

/** @import { Pin } from "../types.js" */

const KEY = "hidden-pins";
const MOST = 50; // in all rooms

let hidden = lasting.texts(KEY); // signs, the newest first
let room = ""; // with what the signs of a room begin, of a session
let session = "";

/** @type {() => void} */
let changed = () => {};

/** @param {() => void} draw called when another tab has changed what is hidden, and by showAgain() */
export function startHidden(draw) {
  changed = draw;
  onChange(KEY, () => {
    hidden = lasting.texts(KEY);
    changed();
  });
  onNotification(({ data }) => {
    if (data.roomEnded) keep(hidden.filter((one) => !one.startsWith(session)));
  }, "ROOM_ENDED");
}

/** Forgets what was hidden in earlier sessions of the room that was entered. */
export function resetHidden() {
  room = `${getState(selectRoomID)}/`;
  session = `${room}${getState(selectSessionId)}/`;
  const isPast = (/** @type {string} */ sign) => sign.startsWith(room) && !sign.startsWith(session);
  if (hidden.some(isPast)) keep(hidden.filter((one) => !isPast(one)));
}

/**
 * One that says something else is another pin. What it says is not kept: it goes with the room.
 * @param {Pin} pin
 */
const signOf = ({ id, text }) => `${session}${checksum(`${id} ${text}`)}`;

/** @param {Pin} pin */
export const isHidden = (pin) => hidden.includes(signOf(pin));

/** @param {Pin} pin */
export const hidePin = (pin) => keep([signOf(pin), ...hidden]);

/** @param {Pin} pin */
export function showPin(pin) {
  if (isHidden(pin)) keep(hidden.filter((one) => one !== signOf(pin)));
}

/** @param {Pin} pin */
export function showAgain(pin) {
  showPin(pin);
  changed();
}

/** @param {string[]} signs */
function keep(signs) {
  hidden = [...new Set(signs)].slice(0, MOST);
  lasting.set(KEY, JSON.stringify(hidden));
}

/**
 * Calls `action` when another tab has changed something that lasts.
 * @type {(key: string, action: () => void) => void}
 */
const onChange = (key, action) =>
  addEventListener("storage", ({ key: changed }) => {
    if (changed === `hmsroom:${key}` || changed === null) action(); // null: all was taken away
  });
