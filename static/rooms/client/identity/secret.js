// What this browser proves itself with to a server: who sends the same secret with a room code is the same owner.

import { HERE } from "../connection/http.js";

const KEY = "hmsroom:secret";
const FORM = /^[\x21-\x7e]{32,128}$/;
/** @type {Map<string, string>} */
const inMemory = new Map(); // key → secret, where the browser lets pages store nothing

/**
 * This browser's secret for a server: another one for each, so that none can be taken to the next.
 * @param {string} origin
 */
export function secretFor(origin) {
  const key = origin === HERE ? KEY : `${KEY}:${origin}`;
  try {
    const kept = localStorage.getItem(key);
    if (kept !== null && FORM.test(kept)) return kept;
    const made = inMemory.get(key) ?? random();
    localStorage.setItem(key, made);
    return localStorage.getItem(key) ?? made; // another tab may have been faster
  } catch {
    const made = inMemory.get(key) ?? random();
    inMemory.set(key, made);
    return made;
  }
}

/** 256 random bits. */
function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
