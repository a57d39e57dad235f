// Who is writing: told while somebody types, and over by itself where it is heard.

/** @import { Client } from "./client.js" */

export const TYPING_LASTS = 6_000; // ms after it was heard last
const TOLD_AGAIN = 3_000; // ms

export class Typing {
  #client;
  /** @type {Map<string, ReturnType<typeof setTimeout>>} by the id of the peer that is writing */
  #timers = new Map();
  #told = { to: "", until: 0 };

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
    client.hearing.after("on-peer-typing", ({ peer_id: peer }) => this.#endLater(peer));
  }

  /**
   * @param {boolean} isTyping
   * @param {{ recipientPeer?: string, recipientRoles?: string[] }} to
   */
  async tell(isTyping, { recipientPeer, recipientRoles }) {
    const params = {
      typing: isTyping,
      ...(recipientPeer && { peer_id: recipientPeer }),
      ...(recipientRoles?.length && { roles: recipientRoles }),
    };
    const [to, now] = [JSON.stringify(params), performance.now()];
    if (this.#told.to === to && (!isTyping || now < this.#told.until)) return;
    this.#told = { to, until: now + TOLD_AGAIN };
    await this.#client.call("peer-typing", params);
  }

  /** A message was sent, with which it ends for those who heard of it: what is typed next is told at once. */
  sent() {
    this.#told = { to: "", until: 0 };
  }

  /** @param {unknown} peer */
  #endLater(peer) {
    if (typeof peer !== "string") return;
    clearTimeout(this.#timers.get(peer));
    this.#timers.delete(peer);
    if (!this.#client.state.typing.has(peer)) return;
    const end = () => {
      this.#timers.delete(peer);
      this.#client.change("rested", { peerID: peer });
    };
    this.#timers.set(peer, setTimeout(end, TYPING_LASTS));
  }
}
