// This page as a peer of a room: joins, keeps its place over losses and reloads, and applies what it hears.
// One class of two hundred lines, for all its ways in and out change the same connection.

import { CLOSE_CODES } from "./connection/closing.js";
import { RpcError } from "./connection/error.js";
import { Rpc } from "./connection/rpc.js";
import { Greeting } from "./greeting.js";
import { Hearing } from "./hearing.js";
import { Tab } from "./identity/tab.js";
import { facts } from "./notices.js";
import { apply } from "./state/changes.js";
import { nowhere } from "./state/start.js";

/** @import { HMSConfig } from "../hms.js" */
/** @import { CallOptions } from "./connection/requests.js" */
/** @import { Notices } from "./notices.js" */
/** @import { ParamsOf, State } from "./state/types.js" */
/** @import { Store } from "./store.js" */

const CLOSE_FOLLOWS = new Set([401, CLOSE_CODES.OPENED_ELSEWHERE]); // errors that the server sends just before

export class Client {
  #store;
  #notices;
  #tab = new Tab(this);
  /** Knows which keys are observed. */
  greeting = new Greeting(this, this.#tab);
  /** What comes by itself from the server. */
  hearing = new Hearing(this, this.greeting);
  /**
   * What is thrown for a refusal: with more to read in it once refusals.js is there.
   * @type {(error: RpcError) => never}
   */
  explain = (error) => {
    throw error;
  };
  /** @type {Rpc | null} */
  #rpc = null;
  /** @type {object | null} the join under way, until its connection is begun */
  #entering = null;

  /**
   * @param {Store} store
   * @param {Notices} notices
   */
  constructor(store, notices) {
    this.#store = store;
    this.#notices = notices;
    /** @type {(type: string, action: (rpc: Rpc) => void) => void} */
    const on = (type, action) => globalThis.addEventListener?.(type, () => this.#rpc && action(this.#rpc));
    on("online", (rpc) => rpc.hurry());
    on("offline", (rpc) => rpc.lose());
    on("pagehide", (rpc) => rpc.hide());
    on("pageshow", (rpc) => rpc.hurry()); // as it was, out of the browser's cache
  }

  get state() {
    return this.#store.raw;
  }

  /** Whether there is a connection, or one is being made. */
  get isConnecting() {
    return this.#rpc !== null;
  }

  /** The server's time, in milliseconds since 1970; this computer's until the server's is known. */
  get now() {
    const { clockOffset } = this.state;
    return clockOffset === null ? Date.now() : performance.now() + clockOffset;
  }

  /** @param {{ timestamp?: unknown }} [told] the server's time as it was said */
  tellTime(told) {
    const timestamp = told?.timestamp;
    if (typeof timestamp === "number") this.change("clock", { offset: timestamp - performance.now() });
  }

  /**
   * Resolves when the peer is in the room and its store holds people and session metadata.
   * @param {HMSConfig} config
   */
  async join({ userName: name, authToken: token, metaData: data = "", initEndpoint: endpoint }) {
    if (this.#rpc || this.#entering) {
      throw new RpcError({ code: 400, message: "join: already in a room, or on the way into one" });
    }
    this.greeting.begin({ name, data });
    this.#tab.enter({ token, endpoint, name, data });
    const entering = {};
    this.#entering = entering;
    if (!(await this.#tab.hold()) && entering === this.#entering) this.#tab.goesOnElsewhere();
    if (entering !== this.#entering) throw new RpcError({ code: 1000, message: "join: left meanwhile" });
    this.#entering = null;
    const rpc = this.#connection();
    this.#rpc = rpc;
    await rpc.open();
    if (rpc !== this.#rpc) throw new RpcError({ code: 1000, message: "join: left meanwhile" });
    this.#connected();
  }

  leave() {
    this.#rpc?.notify("leave", { client_reason: "user request" });
    this.#stop({ forget: true });
  }

  retryNow() {
    this.#rpc?.hurry();
  }

  /**
   * The result of a request. What it rejects with tells the parts of a refusal.
   * @param {string} method
   * @param {object} params
   * @param {CallOptions} [options]
   */
  async call(method, params, options) {
    if (!this.#rpc) throw new RpcError({ code: 410, message: `${method}: not in a room` });
    const result = await this.#rpc.call(method, params, options).catch(this.explain);
    this.hearing.place(result);
    return result;
  }

  /**
   * Applies something that this page did or learned.
   * @template {string} Method
   * @param {Method} method
   * @param {ParamsOf<Method>} params
   * @param {number} [seq]
   */
  change(method, params, seq) {
    const [before, { messages }] = [this.#store.getState(), this.state];
    this.#store.set(apply(this.state, method, params, seq));
    const kept = this.greeting.isHalfway ? { ...this.state, place: null } : this.state;
    this.#tab.keep(kept, { now: method === "sent" }); // own messages are not replayed
    this.#tab.share(method, params, messages);
    for (const { type, data } of facts(before, this.#store.getState(), method, params)) this.#notices.tell(type, data);
  }

  /**
   * Takes another state.
   * @param {State} state
   */
  replace(state) {
    this.#store.set(state);
  }

  /**
   * Says a new name or metadata of this peer.
   * @param {{ name?: string, data?: string }} fields
   */
  async changePeer(fields) {
    const { name, data } = await this.call("peer-update", fields, { again: true }); // as the server shows them
    this.change("changed", { name, data });
  }

  #connection() {
    const rpc = new Rpc({
      address: async () => this.greeting.address(await this.#tab.address()),
      greet: (send) => this.greeting.greet(send),
    });
    /** @type {(type: string, handler: (detail: any) => void) => void} */
    const on = (type, handler) =>
      rpc.addEventListener(type, (event) => rpc === this.#rpc && handler(/** @type {CustomEvent} */ (event).detail));
    on("notification", (frame) => this.hearing.notification(frame));
    on("pong", (result) => this.hearing.pong(result));
    on("lost", (detail) => this.#lost(detail));
    on("restored", () => this.#restored());
    on("ended", ({ error }) => this.#ended(error));
    return rpc;
  }

  #connected() {
    const hasMissed = this.greeting.end();
    this.#tab.arrived();
    this.change("connection", { roomState: "Connected", isConnected: true, at: this.now });
    this.hearing.arrived({ hasMissed });
  }

  /** @param {{ attempt: number, delay: number, code: number }} detail */
  #lost({ attempt, delay, code }) {
    if (this.state.room.roomState === "Reconnecting") return;
    this.change("connection", { roomState: "Reconnecting", at: this.now });
    this.#notices.tell("RECONNECTING", { code, attempt, delay, isTerminal: false }, { severity: "error" });
  }

  #restored() {
    this.#connected();
    this.#notices.tell("RECONNECTED", null);
  }

  /**
   * The server has said that something is wrong with this peer or its socket.
   * @param {{ code: number, message: string, data?: unknown }} told
   */
  refused({ code, message, data }) {
    if (CLOSE_FOLLOWS.has(code)) return;
    const error = new RpcError({ code, message, data, isTerminal: true });
    if (this.#tab.becomesNewcomer(error)) this.#rpc?.reopen();
    else this.#rpc?.fail(error);
  }

  /**
   * Somebody has removed this peer, or ended the room.
   * @param {{ requested_by?: string, reason?: string, room_end?: boolean }} told
   */
  sentAway({ requested_by: id, reason = "", room_end: roomEnded = false }) {
    const requestedBy = id === undefined ? undefined : this.#store.getState().peers[id];
    this.#stop({ forget: true });
    const type = roomEnded || id === undefined ? "ROOM_ENDED" : "REMOVED_FROM_ROOM";
    this.#notices.tell(type, { requestedBy, reason, roomEnded });
  }

  /** @param {RpcError} error */
  #ended(error) {
    const wasInside = !this.greeting.isFirst && this.state.room.joinedAt !== null;
    const isRemoved = error.data?.removed === true;
    this.#stop({ forget: error.code === CLOSE_CODES.SENT_AWAY || isRemoved });
    this.change("failed", { error });
    if (isRemoved && wasInside) {
      this.#notices.tell("REMOVED_FROM_ROOM", { reason: error.data.reason ?? "", roomEnded: false });
    } else {
      this.#notices.tell("ERROR", error, { message: error.message, severity: "error" });
    }
  }

  /** @param {{ forget: boolean }} options as in Tab.leave */
  #stop(options) {
    const rpc = this.#rpc;
    this.#rpc = null;
    this.#entering = null;
    rpc?.close();
    this.#tab.leave(options);
    this.#store.set({ ...nowhere(), clockOffset: this.state.clockOffset });
  }
}
