// Whether the room has polls: later/polls.js shows them.

import { getState, hmsActions, selectPermissions, selectPolls } from "../core.js";
import { attempt } from "./toasts.js";
import { gettext } from "./translation.js";

/** @import { HMSStore } from "../hms.js" */

/** Looks for the polls of a room just entered. */
export function resetPolls() {
  if (getState(selectPermissions)?.pollRead) {
    attempt(() => hmsActions.interactivityCenter.getPolls(), gettext("Polls not read. {why}"));
  }
}

/** @param {HMSStore} store */
export const selectHasPolls = (store) => selectPolls(store).length > 0;
