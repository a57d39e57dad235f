// Listening to session metadata: session_store.js writes it.

/** @import { HMSSessionStoreActions } from "../hms.js" */
/** @import { Client } from "./client.js" */

export class Observing {
  #client;

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
  }

  // Arrows, for an app may take them out: `const { observe } = hmsActions.sessionStore`.

  /** @type {HMSSessionStoreActions["observe"]} */
  observe = (keys) => this.#client.greeting.observe([keys].flat());

  /** @type {HMSSessionStoreActions["unobserve"]} */
  unobserve = (keys) => this.#client.greeting.unobserve([keys].flat());
}
