// The public client: the names of the 100ms web SDK for a room's people, chat, session metadata, roles, hands and
// polls. Code written for these parts of the SDK runs with its import line changed to this file.

import { Actions } from "./client/actions.js";
import { Client } from "./client/client.js";
import { Notices } from "./client/notices.js";
import { Store } from "./client/store.js";

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
  #store = new Store();
  #notices = new Notices();
  /** @type {HMSActions<any>} */
  #actions = new Actions(this.#store, new Client(this.#store, this.#notices), this.#notices);

  /** @returns {HMSStoreWrapper<Keys>} */
  getStore() {
    const store = this.#store;
    return { getState: store.getState.bind(store), subscribe: store.subscribe.bind(store) };
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
    return { onNotification: this.#notices.onNotification };
  }

  /** From now on store.subscribe() also calls back once with the present value. */
  triggerOnSubscribe() {
    this.#store.triggerOnSubscribe();
  }
}

const hms = new HMSReactiveStore();
export const hmsStore = hms.getStore();
export const hmsActions = hms.getActions();
export const hmsNotifications = hms.getNotifications();
