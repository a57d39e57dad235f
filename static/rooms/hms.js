// The public client: the names of the 100ms web SDK for a room's people, chat, session metadata, roles, hands and
// polls. Code written for these parts of the SDK runs with its import line changed to this file.

import { Actions } from "./client/actions.js";
import { Core } from "./client/core.js";
import { core, hmsNotifications, hmsStore } from "./core.js";

export { HMSNotificationTypes } from "./client/notices.js";
export * from "./client/selectors.js";

/** @import { HMSActions, HMSNotifications, HMSStoreWrapper } from "./hms.js" */

/** @type {typeof import("./hms.js").HMSRoomState} */
export const HMSRoomState = Object.freeze({
  Disconnected: "Disconnected",
  Preview: "Preview",
  Connecting: "Connecting",
  Connected: "Connected",
  Reconnecting: "Reconnecting",
  Disconnecting: "Disconnecting",
  Failed: "Failed",
});

/** @template [Keys=Record<string, any>] */
export class HMSReactiveStore {
  #core = new Core();
  /** @type {HMSActions<any>} */
  #actions = new Actions(this.#core);

  /** @returns {HMSStoreWrapper<Keys>} */
  getStore() {
    return this.#core.getStore();
  }

  /** @returns {HMSActions<Keys>} */
  getActions() {
    return this.#actions;
  }

  /** @returns {HMSActions<Keys>} */
  getHMSActions() {
    return this.#actions;
  }

  /** @returns {HMSNotifications} */
  getNotifications() {
    return this.#core.getNotifications();
  }

  /** From now on store.subscribe() also calls back once with the present value. */
  triggerOnSubscribe() {
    this.#core.store.triggerOnSubscribe();
  }
}

export { hmsNotifications, hmsStore };
/** @type {HMSActions} */
export const hmsActions = new Actions(core);
