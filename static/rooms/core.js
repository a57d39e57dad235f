// A part of hms.js, by the same names: what every page in a room needs, as the room's own page loads it first. Both are
// of the same peer.

import { Core } from "./client/core.js";
import { CoreActions } from "./client/core_actions.js";

export * from "./client/core_selectors.js";

export const core = new Core();
export const hmsStore = core.getStore();
export const hmsActions = new CoreActions(core);
export const hmsNotifications = core.getNotifications();

// Taken out, as the page uses them.
export const { getState, subscribe } = hmsStore;
export const { onNotification } = hmsNotifications;
