// Opens what is loaded only then, and says so where it cannot be had.

import { isOutdated, later } from "./loader.js";
import { filled } from "./text.js";
import { toast } from "./toasts.js";
import { gettext } from "./translation.js";
import { inWords, OUTDATED } from "./why.js";

/** @import { Later } from "./loader.js" */

const PATIENCE = 600; // ms before somebody is told that it takes its time
const KIND = { kind: "later" };

let asked = 0;
let typed = 0;
// Some browsers leave the focus where it was when a button is clicked: it alone does not tell who writes on.
addEventListener(
  "keydown",
  ({ target }) => {
    if (target instanceof HTMLElement && target.matches("input, textarea")) typed += 1;
  },
  { capture: true },
);

/**
 * Opens something of what is loaded later, unless something else was asked for meanwhile, or the focus has gone on: who
 * writes by then would press what opens.
 * @param {(from: Later) => unknown} action
 * @returns {Promise<void>}
 */
export async function open(action) {
  asked += 1;
  const own = asked;
  const [before, keys] = [document.activeElement, typed];
  const from = await need(() => open(action));
  const isAwaited = own === asked && keys === typed && [before, document.body].includes(document.activeElement);
  if (from && isAwaited) action(from);
}

/**
 * The same for what opens at a button, which is busy until then.
 * @type {(button: HTMLElement, action: (from: Later) => unknown) => Promise<void>}
 */
export async function openAt(button, action) {
  button.ariaBusy = "true";
  try {
    await open(action);
  } finally {
    button.ariaBusy = null;
  }
}

/**
 * What is loaded later, or nothing if it cannot be had: then people are told, who may try `again`.
 * @param {() => unknown} again
 * @returns {Promise<Later | null>}
 */
export async function need(again = () => need()) {
  try {
    return await telling(later());
  } catch {
    tell(again);
    return null;
  }
}

/**
 * What is awaited; people are told if it takes its time.
 * @template Value
 * @param {Promise<Value>} coming
 */
export async function telling(coming) {
  let said = () => {};
  const waiting = setTimeout(() => {
    said = toast(gettext("Loading…"), undefined, KIND);
  }, PATIENCE);
  try {
    return await coming;
  } finally {
    clearTimeout(waiting);
    said();
  }
}

/** @type {(again: () => unknown) => Promise<void>} */
async function tell(again) {
  if (isOutdated()) {
    toast(OUTDATED, { label: gettext("Reload"), action: () => location.reload() }, KIND);
    return;
  }
  const why = await inWords(navigator.onLine ? "cannot be reached" : "offline");
  toast(filled(gettext("Not loaded. {why}"), { why }), { label: gettext("Try again"), action: again }, KIND);
}
