// What a page can do in a room that every page does: actions.js has the rest.

import { RpcError } from "./connection/error.js";
import { tokenByRoomCode } from "./identity/token.js";
import { Observing } from "./observing.js";
import { uuid } from "./uuid.js";

/** @import { HMSConfig, HMSHistory, HMSMessageOptions } from "../hms.js" */
/** @import { Core } from "./core.js" */
/** @import { TokenOptions, TokenRequest } from "./identity/token.js" */

const MOST_READ = 100; // messages of a page

export class CoreActions {
  #core;
  #client;
  #store;

  /** @param {Core} core */
  constructor(core) {
    this.#core = core;
    this.#client = core.client;
    this.#store = core.store;
    this.sessionStore = new Observing(core.client);
  }

  get interactivityCenter() {
    return this.#core.polls;
  }

  /** @param {HMSConfig} config */
  async join(config) {
    await this.#client.join(config);
    this.#core.outbox.sendAgain();
  }

  async leave() {
    this.#client.leave();
  }

  /**
   * A token for a room code; when it expires during the session, a new one is fetched by the same code.
   * @param {TokenRequest} request `secret`: what proves that one is the same person as the last time, 16 to 128
   *   characters; by default this browser has one of its own
   * @param {TokenOptions} [options]
   */
  async getAuthTokenByRoomCode(request, options) {
    return tokenByRoomCode(request, options);
  }

  /**
   * @param {string} message
   * @param {string} [type]
   * @param {HMSMessageOptions} [options]
   */
  async sendBroadcastMessage(message, type, options) {
    await this.#say({ message, type, ...options });
  }

  /**
   * @param {string} message
   * @param {string[]} roles
   * @param {string} [type]
   * @param {HMSMessageOptions} [options]
   */
  async sendGroupMessage(message, roles, type, options) {
    await this.#say({ message, type, ...options, recipientRoles: roles });
  }

  /**
   * @param {string} message
   * @param {string} peerID
   * @param {string} [type]
   * @param {HMSMessageOptions} [options]
   */
  async sendDirectMessage(message, peerID, type, options) {
    await this.#say({ message, type, ...options, recipientPeer: peerID });
  }

  /**
   * Ours: reads the next page of what was said before what was read, the newest page first. `hasMore`: there is another.
   * After a gap it reads on as far back as messages are held, for these may be changed by now, or deleted.
   * @returns {Promise<HMSHistory>}
   */
  async loadOlderMessages(limit = 50) {
    do {
      const { history, unsure } = this.#client.state;
      if (history?.last === "") break;
      const asked = { limit: unsure.size ? MOST_READ : limit, ...(history && { before: history.last }) };
      this.#client.change("history-read", await this.#client.call("message-history", asked, { again: true }));
    } while (this.#client.state.unsure.size);
    return this.#store.getState().history;
  }

  /**
   * Ours: tells those whom a message to these would reach that one is writing, or is no more. For each key that is
   * pressed: the server is told every few seconds.
   * @param {{ recipientPeer?: string, recipientRoles?: string[] }} [to]
   */
  async setTyping(isTyping = true, to = {}) {
    await this.#core.typing.tell(isTyping, to);
  }

  /**
   * Ours: sends a message that failed once more; it cannot arrive twice.
   * @param {string} clientId
   */
  async retryMessage(clientId) {
    const entry = this.#client.state.outbox.get(clientId);
    if (entry?.status === "failed") await this.#core.outbox.send(entry);
  }

  /**
   * Ours: gives up a message that failed.
   * @param {string} clientId
   */
  discardMessage(clientId) {
    this.#client.change("discarded", { clientId });
  }

  /** Ours: tries at once to get the connection back. */
  retryConnection() {
    this.#client.retryNow();
  }

  /** @param {{ message: string, type?: string, recipientRoles?: string[], recipientPeer?: string } & HMSMessageOptions} said */
  async #say({ message, type = "chat", ...recipients }) {
    if (typeof message !== "string" || !message.trim()) {
      throw new RpcError({ code: 400, message: "message: expected text that is not blank" });
    }
    this.#core.typing.sent();
    await this.#core.outbox.send({ clientId: uuid(), message, type, time: this.#client.now, ...recipients });
  }
}
