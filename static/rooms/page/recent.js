// The rooms that this browser was in last, newest first.

import { lasting } from "./memory.js";

const KEY = "recent";
const MOST = 8;

/** Their codes. */
export const recentRooms = () => lasting.texts(KEY).slice(0, MOST);

/** @param {string} code */
export function rememberRoom(code) {
  const others = recentRooms().filter((other) => other !== code);
  lasting.set(KEY, JSON.stringify([code, ...others].slice(0, MOST)));
}

export const forgetRooms = () => lasting.remove(KEY);
