// This tab as one peer of a room: its token, its peer id, and what outlives a reload of the page.

import { RpcError } from "../connection/error.js";
import { ask, HERE } from "../connection/http.js";
import { isForSome } from "../state/chat.js";
import { nowhere } from "../state/start.js";
import { uuid } from "../uuid.js";
import { Keeper } from "./keep.js";
import { Hold, Siblings } from "./tabs.js";
import { claimsOf, renewed } from "./token.js";

/** @import { Client } from "../client.js" */
/** @import { Messages } from "../state/messages.js" */
/** @import { Message, Place, State } from "../state/types.js" */

const AGENT = "sdk:hmsroom";

const PASSED_ON = new Set(["sent", "on-broadcast", "on-message-edit", "on-message-react", "on-message-delete"]);

/** @typedef {{ token: string, endpoint?: string, name: string, data: string }} Entry */

/**
 * Whether an error says that this peer id is somebody else's.
 * @param {{ code: number, message: string }} error
 */
const refusesPeer = ({ code, message }) => code === 403 && String(message).startsWith("peer:");

export class Tab {
  #client;
  /** @type {Keeper | null} */
  #keeper = null;
  /** @type {Siblings | null} */
  #siblings = null;
  #hold = new Hold();
  #token = "";
  #origin = HERE;
  #isCopy = false; // began as a duplicate of another tab
  #isNewcomer = false; // has taken another peer id since it was last in the room

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
  }

  /**
   * Finds what this tab kept of the room that a token is for.
   * @param {Entry} entry
   */
  enter({ token, endpoint = HERE, name, data }) {
    const { room_id: roomId, owner, user_id: userId, jti, role } = claimsOf(token);
    this.#origin = new URL(endpoint, HERE === "null" ? undefined : HERE).origin;
    this.#token = token;
    this.#isCopy = false;
    this.#isNewcomer = false;
    const key = ["hmsroom", roomId, role, owner ?? userId ?? jti].join(":");
    this.#keeper = new Keeper(key);
    this.#siblings = new Siblings(
      key,
      () => this.#client.state,
      (session, messages, gone) => this.#heard(session, messages, gone),
    );
    this.#client.replace(this.#keeper.load() ?? nowhere());
    const id = this.#client.state.room.localPeer || uuid();
    this.#client.change("connecting", { roomId, peer: { id, name, data, userId, role } });
  }

  /** Whether nobody else has the peer id. */
  hold() {
    return this.#hold.take(this.#client.state.room.localPeer);
  }

  /** Another tab, which this one is a duplicate of, has the peer that was kept. */
  goesOnElsewhere() {
    this.#isCopy = true;
    this.#client.change("copied", {});
    this.#takeAnother();
  }

  /**
   * Whether to try once more, under another peer id, for this one is somebody else's.
   * @param {{ code: number, message: string }} error
   */
  becomesNewcomer(error) {
    if (!refusesPeer(error) || this.#isNewcomer) return false;
    this.#isNewcomer = true;
    this.#takeAnother();
    return true;
  }

  #takeAnother() {
    const id = uuid();
    this.#hold.take(id);
    this.#client.change("newcomer", { id });
  }

  /** In the room: what happens to the peer id from here on is another story. */
  arrived() {
    this.#isCopy = false;
    this.#isNewcomer = false;
  }

  /** The URL of the socket. */
  async address() {
    const { endpoint } = await this.#init();
    if (typeof endpoint !== "string") throw new RpcError({ code: 1003, message: "/init: the answer has no endpoint" });
    const peer = this.#client.state.room.localPeer;
    return `${endpoint}?${new URLSearchParams({ peer, token: this.#token, user_agent_v2: AGENT })}`;
  }

  async #init() {
    for (let mended = 0; ; mended += 1) {
      const query = new URLSearchParams({ peer_id: this.#client.state.room.localPeer, user_agent_v2: AGENT });
      try {
        return await ask(`${this.#origin}/init?${query}`, { headers: { Authorization: `Bearer ${this.#token}` } });
      } catch (error) {
        if (mended === 2 || !(await this.#mends(/** @type {RpcError} */ (error)))) throw error;
      }
    }
  }

  /**
   * Whether something was done about a refusal, so that another try is worth it.
   * @param {RpcError} error
   */
  async #mends(error) {
    if (error.code !== 401) return this.becomesNewcomer(error);
    const token = await renewed(this.#token);
    if (token) this.#token = token;
    return Boolean(token);
  }

  /**
   * @param {State} state
   * @param {{ now: boolean }} options `now`: it cannot be had again from the server
   */
  keep(state, options) {
    this.#keeper?.save(state, options);
  }

  /**
   * Passes on what other tabs of this person do not get, or may have heard before they knew the message that it is
   * about; and what they asked for.
   * @param {string} method of a change
   * @param {any} params of it
   * @param {Messages} before the messages as they were
   */
  share(method, params, before) {
    const { state } = this.#client;
    if (PASSED_ON.has(method)) {
      const id = params?.message_id ?? params?.id;
      const [was, now] = [before.get(id), state.messages.get(id)];
      if (was && !now) this.#siblings?.tell(state, [], [id]);
      else if (now && now !== was && isForSome(now)) this.#siblings?.tell(state, [now]);
    }
    if (method === "on-messages-clear" && state.place) this.#siblings?.cleared(state.place);
    this.#siblings?.answer(state);
  }

  /**
   * Asks the tab that this one is a copy of for what was said since then.
   * @param {Place | null} place
   */
  catchUp(place) {
    if (this.#isCopy && place) this.#siblings?.ask(place);
  }

  /**
   * `forget`: the peer is gone; otherwise another try, or a reload, finds its place again.
   * @param {{ forget: boolean }} options
   */
  leave({ forget }) {
    if (forget) this.#keeper?.clear();
    else this.#keeper?.close();
    this.#keeper = null;
    this.#hold.release();
    this.#siblings?.close();
    this.#siblings = null;
  }

  /** @type {(session: string, messages: Message[], gone: string[]) => void} */
  #heard(session, messages, gone) {
    if (session === this.#client.state.room.sessionId) this.#client.change("shared", { messages, gone });
  }
}
