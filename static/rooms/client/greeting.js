// What is said first on every socket: who comes, from where in the session's events on, and which keys it observes.

import { RpcError } from "./connection/error.js";

/** @import { Client } from "./client.js" */
/** @import { Call } from "./connection/rpc.js" */
/** @import { Tab } from "./identity/tab.js" */
/** @import { Joined } from "./state/types.js" */

export class Greeting {
  #client;
  #tab;
  #observed = new Set(["default"]);
  /** @type {{ name: string, data: string } | null} of a join that is not answered yet */
  #hello = null;
  #isPlaced = false;
  #isHalfway = false;
  #hasMissed = false;

  /**
   * @param {Client} client
   * @param {Tab} tab
   */
  constructor(client, tab) {
    this.#client = client;
    this.#tab = tab;
  }

  /** Whether join was answered on the present socket: events before that come again. */
  get isPlaced() {
    return this.#isPlaced;
  }

  /** Whether a state was promised that has not come whole: there is nothing to resume from. */
  get isHalfway() {
    return this.#isHalfway;
  }

  /** Whether nobody has been in the room yet since begin(). */
  get isFirst() {
    return this.#hello !== null;
  }

  /** @param {{ name: string, data: string }} hello */
  begin(hello) {
    this.#hello = hello;
    this.#isHalfway = false;
    this.#hasMissed = false;
  }

  /** In the room. Whether more than events was missed, so that what is read on request is to be read again. */
  end() {
    const hasMissed = this.#hasMissed;
    this.#hello = null;
    this.#hasMissed = false;
    return hasMissed;
  }

  /** @param {Call} send */
  async greet(send) {
    const { place, room, peers } = this.#client.state;
    const { name = "", data = "" } = this.#hello ?? peers.get(room.localPeer) ?? {};
    this.#isPlaced = false;
    const resume = place && !this.#isHalfway ? { resume: place } : {};
    const result = joined(await send("join", { name, data, ...resume }).catch((error) => this.#refused(error)));
    this.#isPlaced = true;
    this.#hasMissed = this.#hasMissed || (!result.resumed && room.joinedAt !== null);
    this.#isHalfway = !result.resumed;
    this.#client.change("joined", { ...result, name, data });
    if (!result.resumed) await this.#readAnew(send);
  }

  /**
   * @param {RpcError} error
   * @returns {never}
   */
  #refused(error) {
    if (!this.#tab.becomesNewcomer(error)) throw error;
    throw new RpcError({ code: 503, message: error.message }); // another socket, under the new id
  }

  /** @param {Call} send */
  async #readAnew(send) {
    const client = this.#client;
    await send("listen-metadata-change", { keys: [...this.#observed] });
    if (!client.state.metadata.has("default")) {
      client.change("read-metadata", await send("get-metadata", { key: "default" }));
    }
    client.change("on-peer-update", await send("get-peer", { peer_id: client.state.room.localPeer })); // as it is shown
    this.#isHalfway = false;
    this.#tab.catchUp(client.state.place);
  }

  /** @param {string[]} keys */
  observe(keys) {
    return this.#listen(new Set([...this.#observed, ...keys]));
  }

  /** @param {string[]} keys */
  unobserve(keys) {
    const given = new Set(keys);
    return this.#listen(new Set([...this.#observed].filter((key) => key === "default" || !given.has(key))));
  }

  /** @param {Set<string>} keys */
  async #listen(keys) {
    const before = this.#observed;
    this.#observed = keys;
    try {
      if (this.#client.isConnecting)
        await this.#client.call("listen-metadata-change", { keys: [...keys] }, { again: true });
    } catch (error) {
      if (this.#observed === keys) this.#observed = before; // else no greeting would be accepted any more
      throw error;
    }
  }
}

/** @type {(result: any) => Joined} */
function joined(result) {
  if (typeof result?.session_id === "string" && Number.isInteger(result.seq)) return result;
  throw new RpcError({ code: 1003, message: "join: the answer names no session" });
}
