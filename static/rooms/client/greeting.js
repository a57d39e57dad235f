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
  #asks = false; // whether the socket's address names a place to go on from
  /** @type {() => void} goes on with the greeting that waits for what the server says of that */
  #answered = () => {};
  #tellsSelf = false; // whether the state that was promised ends with this peer itself
  /** @type {() => void} goes on with the greeting that waits for this end */
  #ended = () => {};
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

  /** Whether it was said on the present socket from where events come: those before that come again. */
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

  /** Where there is to go on from. */
  get #place() {
    return this.#isHalfway ? null : this.#client.state.place;
  }

  /** As what this peer comes. */
  get #self() {
    const { room, peers } = this.#client.state;
    const { name = "", data = "" } = this.#hello ?? peers.get(room.localPeer) ?? {};
    return { name, data };
  }

  /** Whether the server is to be told a name or metadata that it was not told yet. */
  get #isChanged() {
    const { room, peers } = this.#client.state;
    const { name, data } = this.#self;
    const known = peers.get(room.localPeer);
    return (name !== "" && name !== known?.name) || (data !== "" && data !== known?.data);
  }

  /**
   * The address of a socket, with the place to go on from.
   * @param {string} url
   */
  address(url) {
    const place = this.#isChanged ? null : this.#place;
    this.#asks = place !== null;
    if (!place) return url;
    const { session_id, seq, history } = place;
    return `${url}&${new URLSearchParams({ session_id, seq: String(seq), ...(history && { history }) })}`;
  }

  /** @param {Call} send */
  async greet(send) {
    this.#isPlaced = false;
    if (this.#asks) await this.#answer();
    if (!this.#isPlaced) await this.#join(send);
    if (!this.#isHalfway) return;
    if (this.#tellsSelf) await this.#whole();
    else await this.#readAnew(send);
    this.#isHalfway = false;
    this.#tab.catchUp(this.#client.state.place);
  }

  /** Resolves when the server has said whether this peer was found again. */
  #answer() {
    return new Promise((resolve) => {
      this.#answered = () => resolve(undefined);
    });
  }

  /** What the server says first has been heard. */
  heard() {
    this.#answered();
  }

  /** Resolves when the state has come up to its end. */
  #whole() {
    return new Promise((resolve) => {
      this.#ended = () => resolve(undefined);
    });
  }

  /** This peer was told how it is shown, which is the end of a state. */
  heardSelf() {
    this.#ended();
  }

  /**
   * This peer was found again, without a join.
   * @param {unknown} told
   */
  resumed(told) {
    this.#arrive(joined(told), this.#self);
  }

  /** @param {Call} send */
  async #join(send) {
    const self = this.#self;
    const asked = { ...self, ...(this.#place && { resume: this.#place }), observe: [...this.#observed] };
    this.#arrive(joined(await send("join", asked).catch((error) => this.#refused(error))), self);
  }

  /**
   * @param {Joined} answer
   * @param {{ name: string, data: string }} self
   */
  #arrive(answer, self) {
    this.#isPlaced = true;
    this.#hasMissed = this.#hasMissed || (!answer.resumed && this.#client.state.room.joinedAt !== null);
    this.#isHalfway = !answer.resumed;
    this.#tellsSelf = Array.isArray(answer.observed);
    this.#client.tellTime(answer); // before what was missed is heard: it was said before this
    this.#client.change("joined", { ...answer, ...self });
  }

  /**
   * @param {RpcError} error
   * @returns {never}
   */
  #refused(error) {
    if (!this.#tab.becomesNewcomer(error)) throw error;
    throw new RpcError({ code: 503, message: error.message }); // another socket, under the new id
  }

  /**
   * Reads what the state has not: the server need not know by now which keys are observed.
   * @param {Call} send
   */
  async #readAnew(send) {
    const client = this.#client;
    await send("listen-metadata-change", { keys: [...this.#observed] });
    if (!client.state.metadata.has("default")) {
      client.change("read-metadata", await send("get-metadata", { key: "default" }));
    }
    client.change("on-peer-update", await send("get-peer", { peer_id: client.state.room.localPeer })); // as it is shown
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
