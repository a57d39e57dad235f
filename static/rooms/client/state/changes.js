// What this peer knows of the room: plain data, changed only by apply().

import { ARRIVAL_OWN } from "./arrival.js";
import { CHAT_HEARD, CHAT_OWN } from "./chat.js";
import { LOCKS_HEARD, LOCKS_OWN } from "./locks.js";
import { METADATA_HEARD, METADATA_OWN } from "./metadata.js";
import { PEOPLE_HEARD, PEOPLE_OWN } from "./people.js";
import { SEEN_POLLS_HEARD, SEEN_POLLS_OWN } from "./seen_polls.js";
import { record } from "./shapes.js";

/** @import { HeardChange, OwnChange, OwnChanges, State } from "./types.js" */

/**
 * What the server tells of.
 * @type {Record<string, HeardChange>}
 */
const HEARD = { ...PEOPLE_HEARD, ...CHAT_HEARD, ...METADATA_HEARD, ...LOCKS_HEARD, ...SEEN_POLLS_HEARD };

/**
 * What this page does or learns.
 * @type {{ [Method in Exclude<keyof OwnChanges, "polls-read" | "polls-gone">]: OwnChange<Method> }}
 */
const OWN = {
  ...ARRIVAL_OWN,
  ...PEOPLE_OWN,
  ...CHAT_OWN,
  ...METADATA_OWN,
  ...LOCKS_OWN,
  ...SEEN_POLLS_OWN,
  clock: (state, { offset }) => ({ ...state, clockOffset: offset }),
  failed: (state, { error }) => ({ ...state, errors: [...state.errors, error] }),
};

/** @type {Map<string, HeardChange>} */
const CHANGES = new Map(Object.entries({ ...HEARD, .../** @type {any} */ (OWN) }));

/**
 * Adds changes, or puts them in the place of others of the same names.
 * @param {Record<string, (state: State, params: any) => State>} changes
 */
export function addChanges(changes) {
  for (const [method, change] of Object.entries(changes)) CHANGES.set(method, change);
}

/** @type {HeardChange} */
const unchanged = (state) => state;

/**
 * The next state after a notification from the server, or after something this page did.
 * What is not known or changes nothing returns the same state.
 * @param {State} state
 * @param {string} method
 * @param {unknown} params
 * @param {number} [seq]
 */
export function apply(state, method, params, seq) {
  const next = (CHANGES.get(method) ?? unchanged)(state, record(params), seq);
  return seq !== undefined && Number.isInteger(seq) ? moved(next, seq) : next;
}

/** @type {(state: State, seq: number) => State} */
function moved(state, seq) {
  if (!state.place || state.place.seq >= seq) return state;
  return { ...state, place: { ...state.place, seq } };
}
