// What a page in a room is made of, whatever it does there.

import { Client } from "./client.js";
import { Notices } from "./notices.js";
import { Outbox } from "./outbox.js";
import { SeenPolls } from "./seen_polls.js";
import { Store } from "./store.js";
import { Typing } from "./typing.js";

/** @import { HMSNotifications, HMSStoreWrapper } from "../hms.js" */

export class Core {
  store = new Store();
  notices = new Notices();
  client = new Client(this.store, this.notices);
  outbox = new Outbox(this.client);
  typing = new Typing(this.client);
  /** @type {{ getPolls: () => Promise<unknown> }} */
  polls = new SeenPolls(this.client); // until those of polls.js take its place

  /** @returns {HMSStoreWrapper<any>} */
  getStore() {
    const { store } = this;
    return { getState: store.getState.bind(store), subscribe: store.subscribe.bind(store) };
  }

  /** @returns {HMSNotifications} */
  getNotifications() {
    return { onNotification: this.notices.onNotification };
  }
}
