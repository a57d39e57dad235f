// What the server says by itself, and what else is to be done about it.

import { report } from "./report.js";

/** @import { Client } from "./client.js" */
/** @import { Frame } from "./connection/requests.js" */
/** @import { Greeting } from "./greeting.js" */

const CLOCK_NOISE = 1_000; // ms by which a reading of the server's clock may be off, for the time it was under way

export class Hearing {
  #client;
  #greeting;
  /** @type {Map<string, (params: any) => void>} method → what else to do once it is applied */
  #after = new Map();

  /**
   * @param {Client} client
   * @param {Greeting} greeting
   */
  constructor(client, greeting) {
    this.#client = client;
    this.#greeting = greeting;
  }

  /**
   * Does `action(params)` each time this notification has been applied, or after a `resync`.
   * @param {string} method
   * @param {(params: any) => void} action
   */
  after(method, action) {
    this.#after.set(method, action);
  }

  /** @param {Frame} frame */
  notification({ method = "", params, seq }) {
    try {
      if (method === "on-peer-leave-request") this.#client.sentAway(params);
      else if (method === "on-error") this.#client.refused(params);
      else if (method === "on-resume") this.#greeting.resumed(params);
      else if (this.#greeting.isPlaced) this.#apply(method, params, seq);
      else if (seq === undefined) this.#apply(method, { ...params, history: undefined }); // not that of this place
      if (method === "on-policy-change") this.#greeting.heard();
      if (method === "on-peer-update" && seq === undefined) this.#greeting.heardSelf();
    } catch (error) {
      report(error); // one event that cannot be understood is no reason to stop
    }
  }

  /** @type {(method: string, params: any, seq?: number) => void} */
  #apply(method, params, seq) {
    this.#client.change(method, params, seq);
    this.#after.get(method)?.(params);
    if (method === "on-policy-change" && this.#client.state.room.roomState === "Connected") this.#readRemoved();
  }

  /** In the room, or back in it; `hasMissed`: what is read on request is to be read again. */
  arrived({ hasMissed = false }) {
    this.#readRemoved();
    if (hasMissed) this.#after.get("resync")?.({});
  }

  /** Reads who was removed, if this peer may remove others. */
  async #readRemoved() {
    const { roles, peers, room } = this.#client.state;
    if (!roles.get(peers.get(room.localPeer)?.role ?? "")?.permissions?.removeOthers) return;
    try {
      this.#client.change("on-removed-change", await this.#client.call("peers-removed", {}, { again: true }));
    } catch {
      // The role changed meanwhile, or the connection ended: then others say so.
    }
  }

  /**
   * An answer tells up to where everything has come.
   * @param {any} result
   */
  place(result) {
    if (!this.#greeting.isPlaced || !Number.isInteger(result?.seq)) return;
    this.#client.change("place", { history: result.history }, result.seq);
  }

  /** @param {any} result of a ping */
  pong(result) {
    this.place(result);
    if (!(Math.abs(result?.timestamp - this.#client.now) <= CLOCK_NOISE)) this.#client.tellTime(result);
  }
}
