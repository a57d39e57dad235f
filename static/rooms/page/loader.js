// Loads what is needed only now and then (later.js): menus, dialogs, and what few rooms have.

import { pageData } from "./dom.js";

/** @typedef {typeof import("./later.js")} Later */

const { later: address = "" } = pageData();
const PATIENCE = 5_000; // ms
let failures = 0;
/** @type {Promise<Later> | null} */
let loading = null;
/** @type {Later | null} */
let there = null;

/** What was loaded; null before it was needed. */
export const loaded = () => there;

/** Rejects if it cannot be loaded, with `isGone` if this server has it no more; who asks again tries again. */
export function later() {
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** @returns {Promise<Later>} */
async function load() {
  // Some browsers remember of an address that nothing could be loaded from it.
  const from = failures ? `${address}?again=${failures}` : address;
  try {
    there = /** @type {Later} */ (await import(from));
    return there;
  } catch {
    failures += 1;
    throw Object.assign(new Error("the server cannot be reached"), { isGone: await isGone() });
  }
}

/** Whether another version of the server has taken the place of the one that this page is from. */
const isGone = () =>
  fetch(address, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) }).then(
    ({ status }) => status === 404,
    () => false,
  );
