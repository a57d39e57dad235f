// Which polls there are, for a page that has not loaded polls.js: that reads them.

import { list } from "./state/shapes.js";

/** @import { Client } from "./client.js" */

const MOST = 100; // polls: one is enough to load the rest

export class SeenPolls {
  #client;

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
    client.hearing.after("resync", () => this.getPolls().catch(() => {})); // or one may not
  }

  /** Those that were started, without their questions, into the store. */
  async getPolls() {
    const { polls } = await this.#client.call("poll-list", { count: MOST }, { again: true });
    this.#client.change("polls-seen", { polls: list(polls) });
  }
}
