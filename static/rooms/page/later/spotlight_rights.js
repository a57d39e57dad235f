// Who may change the spotlight: by the rules of the room, and, once somebody is in it, by what is polite.

import { getState } from "../../core.js";
import { selectMayWrite, selectPeerByID, selectSessionEntry } from "../../hms.js";
import { isModerator } from "../people.js";
import { SPOTLIGHT_KEY, selectLit } from "../spotlight.js";
import { isReader } from "../who.js";

/** @import { HMSStore } from "../../hms.js" */

export const selectMaySpotlight = selectMayWrite(SPOTLIGHT_KEY);
export const selectEntry = selectSessionEntry(SPOTLIGHT_KEY);

/**
 * Who changed it last, while they are here.
 * @param {HMSStore} store
 */
export const selectSetter = (store) => selectPeerByID(selectEntry(store)?.updated_by ?? "")(store);

/** Whether one may end it for everyone, or put somebody in the place of who is in it, if anybody is. */
export function mayEndSpotlight() {
  if (!getState(selectMaySpotlight)) return false;
  const lit = getState(selectLit);
  return !lit || isModerator() || [lit, getState(selectSetter)].some((one) => one && isReader(one));
}
