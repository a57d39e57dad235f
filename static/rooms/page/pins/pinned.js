// What is pinned, and pinning: later/unpinning.js takes it away.

import { hmsActions, hmsStore, selectSessionMetadata, selectSessionStore } from "../../core.js";
import { attempt, toast } from "../toasts.js";
import { gettext } from "../translation.js";

/** @import { HMSStore } from "../../hms.js" */
/** @import { Pin, Someone } from "../types.js" */

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
    return pinned.map(({ text, id, author, pinner }) => ({
      text,
      id: textIn(id),
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
export const isPinned = (id) => hmsStore.getState(selectPins).some((one) => one.id === id);

/** @param {{ id: string }} message */
export function pin({ id }) {
  return attempt(async () => {
    const before = hmsStore.getState(selectPins);
    await hmsActions.pinMessage(id);
    if (before.some((one) => one.id && !isPinned(one.id)))
      // the server keeps only so many
      toast(gettext("There is no room for more pins: the oldest one is gone."));
  }, gettext("Not pinned. {why}"));
}
