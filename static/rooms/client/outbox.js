// Own messages on their way: one after the other, so that they arrive in the order in which they were said.

import { RpcError } from "./connection/error.js";

/** @import { Client } from "./client.js" */
/** @import { Written } from "./state/types.js" */

export class Outbox {
  #client;
  /** @type {Promise<void>} settles when the last message in line is delivered, or given up */
  #last = Promise.resolve();

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
  }

  /**
   * Resolves when the server has stored the message, which waits for those before it.
   * @param {Written} entry
   */
  send(entry) {
    this.#client.change("sending", { session: this.#client.state.room.sessionId, ...entry });
    // Several under way would change places: one that is refused for the rate is sent again after those behind it.
    const sent = this.#last.then(() => this.#deliver(entry));
    this.#last = sent.catch(() => {});
    return sent;
  }

  /** Sends what a reload of the page interrupted; a session that does not know of it would take it as said now. */
  sendAgain() {
    const { outbox, room } = this.#client.state;
    for (const entry of outbox.values()) {
      if (entry.status !== "sending") continue;
      if (entry.session === room.sessionId)
        this.send(entry).catch(() => {}); // shows as failed
      else this.#client.change("not-sent", { clientId: entry.clientId, error: "not delivered" });
    }
  }

  /** @param {Written} entry */
  async #deliver({ clientId, message, type, recipientRoles: roles, recipientPeer: peer, mentions, replyTo }) {
    const isWanted = this.#client.state.outbox.has(clientId); // neither discarded nor of a room that was left
    if (!isWanted) throw new RpcError({ code: 1000, message: "message: given up before it was sent" });
    const to = { ...(roles && { roles }), ...(peer && { peer_id: peer }) };
    const about = { ...(mentions && { mentions }), ...(replyTo && { reply_to: replyTo }) };
    const params = { info: { message, type }, client_id: clientId, ...to, ...about };
    try {
      const answer = await this.#client.call("broadcast", params, { again: true, patient: true });
      const { message_id: id, timestamp: time, message: now } = answer;
      this.#client.change("sent", { clientId, id, time, now });
    } catch (error) {
      this.#client.change("not-sent", { clientId, error: /** @type {RpcError} */ (error).message });
      throw error;
    }
  }
}
