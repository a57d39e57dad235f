// Loads what is needed only now and then (later.js): menus, dialogs, and what few rooms have.

import { pageData } from "./dom.js";

/** @typedef {typeof import("./later.js")} Later */

const { later: address = "" } = pageData();
const PATIENCE = 3_000; // ms
let failures = 0;
let outdated = false;
let end = 0; // of the patience
/** @type {Promise<null> | undefined} */
let tired;
/** @type {Promise<Later> | null} */
let loading = null;
/** @type {Later | null} */
let there = null;

/** What was loaded; null before it was needed. */
export const loaded = () => there;

/** Whether it is on its way. */
export const isComing = () => !there && loading !== null;

/** Whether it is, and has not been for long. */
export const isComingSoon = () => isComing() && performance.now() < end;

/** Whether another version of the server has taken the place of the one that this page is from. */
export const isOutdated = () => outdated;

/** Rejects if it cannot be loaded; who asks again tries again. */
export function later() {
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** The same for what goes on without it: null where it cannot be had, or not soon. */
export const soon = async () => there ?? Promise.race([later().catch(() => null), tired]);

/** @returns {Promise<Later>} */
async function load() {
  // Some browsers remember of an address that nothing could be loaded from it.
  end = performance.now() + PATIENCE;
  tired = new Promise((resolve) => setTimeout(resolve, PATIENCE, null));
  const from = failures ? `${address}?again=${failures}` : address;
  try {
    there = /** @type {Later} */ (await import(from));
    return there;
  } catch (error) {
    failures += 1;
    outdated = await isGone();
    throw error;
  }
}

/** Whether this server has it no more. */
const isGone = () =>
  fetch(address, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) }).then(
    ({ status }) => status === 404,
    () => false,
  );
