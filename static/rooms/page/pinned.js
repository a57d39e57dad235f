// What is pinned: later/pin_bar.js shows it, in the rooms that have pins.

import { getState, selectMetadataRules, selectSessionMetadata, selectSessionStore } from "../core.js";
import { loaded } from "./loader.js";
import { isShown } from "./screens.js";

/** @import { HMSMetadataRules, HMSStore } from "../hms.js" */
/** @import { Pin, Someone } from "./types.js" */

export const PINS_KEY = "pinnedMessages";

/**
 * The pins, newest first. The server makes them of messages; the session metadata of an app that knows no pins is a
 * note without an author. Others may have stored anything under the keys.
 * @param {HMSStore} store
 * @returns {Pin[]}
 */
export function selectPins(store) {
  const held = selectSessionStore(PINS_KEY)(store);
  const pinned = (Array.isArray(held) ? held : []).filter((one) => textIn(one?.text));
  if (pinned.length) {
    return pinned.map(({ text, id, timestamp, author, pinner }) => ({
      text,
      id: textIn(id),
      timestamp,
      author: someone(author),
      pinner: someone(pinner),
    }));
  }
  const text = textIn(selectSessionMetadata(store));
  return text ? [{ text, id: "", author: null, pinner: null }] : [];
}

/** @type {(value: any) => Someone | null} */
const someone = (value) =>
  textIn(value?.name) && textIn(value.person) ? { name: value.name, person: value.person } : null;

/** @type {(value: unknown) => string} */
const textIn = (value) => (typeof value === "string" && value.trim() ? value : "");

/** @param {string} id */
export const isPinned = (id) => getState(selectPins).some((one) => one.id === id);

/** @type {{ pins: Pin[], rules: HMSMetadataRules }} */
let entered = { pins: [], rules: { room: [], template: [] } };

/** The pins, and the rules of who may pin, as they were when the room was entered: any other is news. */
export const atEntry = () => entered;

/** Draws the pins of a room just entered. */
export function resetPins() {
  entered = { pins: getState(selectPins), rules: getState(selectMetadataRules) };
  loaded()?.resetPins();
}

/**
 * Whether there are pins, or other rules than there were.
 * @param {HMSStore} store
 */
export const selectHasPins = (store) => selectPins(store).length > 0 || (isShown("room") && hasOtherRules(store));

/** @param {HMSStore} store */
const hasOtherRules = (store) => JSON.stringify(selectMetadataRules(store)) !== JSON.stringify(entered.rules);
