// The rooms that this browser was in last, newest first.

import { lasting } from "./memory.js";

const KEY = "recent";
const MOST = 8;

/** @returns {string[]} their codes */
export function recentRooms() {
  try {
    const kept = JSON.parse(lasting.get(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((code) => typeof code === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** @param {string} code */
export function rememberRoom(code) {
  const others = recentRooms().filter((other) => other !== code);
  lasting.set(KEY, JSON.stringify([code, ...others].slice(0, MOST)));
}

export const forgetRooms = () => lasting.remove(KEY);
