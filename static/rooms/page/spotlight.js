// Who is in the middle of attention, for everybody: session-store key `spotlight`, a peer id or null. later/spotlight.js
// shows it.

import { selectPeerByID, selectSessionStore } from "../core.js";

/** @import { HMSStore } from "../hms.js" */

export const SPOTLIGHT_KEY = "spotlight";

const selectStored = selectSessionStore(SPOTLIGHT_KEY);

/**
 * The peer id in the spotlight, or null. Others may have stored anything.
 * @param {HMSStore} store
 * @returns {string | null}
 */
export function selectSpotlight(store) {
  const stored = selectStored(store);
  return typeof stored === "string" ? stored : null;
}

/**
 * The same as a peer; null or undefined while there is none.
 * @param {HMSStore} store
 */
export const selectLit = (store) => selectPeerByID(selectSpotlight(store) ?? "")(store);
