// What this browser proves itself with to a server: who sends the same secret with a room code is the same owner.

const HERE = new URL(import.meta.url).origin;
const KEY = "hmsroom:secret";
const FORM = /^[\x21-\x7e]{32,128}$/;
const inMemory = new Map(); // key → secret, where the browser lets pages store nothing

/** This browser's secret for a server: another one for each, so that none can be taken to the next. */
export function secretFor(origin) {
  const key = origin === HERE ? KEY : `${KEY}:${origin}`;
  try {
    const kept = localStorage.getItem(key);
    if (FORM.test(kept ?? "")) return kept;
    localStorage.setItem(key, inMemory.get(key) ?? random());
    return localStorage.getItem(key); // another tab may have been faster
  } catch {
    if (!inMemory.has(key)) inMemory.set(key, random());
    return inMemory.get(key);
  }
}

/** 256 random bits. */
function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
