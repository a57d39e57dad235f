// This page as a peer of a room: joins, keeps its place over losses and reloads, and applies what it hears.

import { Keeper } from "./keep.js";
import { facts } from "./notices.js";
import { Rpc, RpcError } from "./rpc.js";
import { apply, nowhere } from "./state.js";
import { ask, claimsOf, renewed, uuid } from "./token.js";

const HERE = new URL(import.meta.url).origin;
const AGENT = "sdk:hmsroom";
const CLOSE_FOLLOWS = new Set([401, 4002]); // errors that the server sends just before it closes the socket

export class Client {
  #store;
  #notices;
  #rpc = null;
  #keeper = null;
  #token = "";
  #origin = HERE;
  #placed = false; // whether join was answered on the present socket: events before that come again
  #halfway = false; // whether a state was promised that has not come whole: there is nothing to resume from
  #hello = null; // {name, data} of a join that is not answered yet
  #observed = new Set(["default"]);
  #after = new Map(); // method → what else to do once it is applied

  constructor(store, notices) {
    this.#store = store;
    this.#notices = notices;
    globalThis.addEventListener?.("online", () => this.#rpc?.hurry());
    globalThis.addEventListener?.("offline", () => this.#rpc?.hurry());
  }

  get state() {
    return this.#store.raw;
  }

  /** Does `action(params)` each time this notification has been applied. */
  after(method, action) {
    this.#after.set(method, action);
  }

  /** Resolves when the peer is in the room and its store holds people and session metadata. */
  async join({ userName, authToken, metaData = "", initEndpoint = HERE }) {
    if (this.#rpc) throw new RpcError({ code: 400, message: "join: already in a room, or on the way into one" });
    const { room_id: roomId, user_id: userId, jti, role } = claimsOf(authToken);
    this.#token = authToken;
    this.#origin = new URL(initEndpoint, HERE === "null" ? undefined : HERE).origin;
    this.#hello = { name: userName, data: metaData };
    this.#keeper = new Keeper(roomId, userId ?? jti);
    this.#store.set(this.#keeper.load() ?? nowhere());
    const id = this.state.room.localPeer || uuid();
    this.change("connecting", { roomId, peer: { id, name: userName, data: metaData, userId, role } });
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

  /** The result of a request; `again` as in Rpc.call. */
  async call(method, params, options) {
    if (!this.#rpc) throw new RpcError({ code: 410, message: `${method}: not in a room` });
    const result = await this.#rpc.call(method, params, options);
    this.#place(result);
    return result;
  }

  /** Applies something that this page did or learned. */
  change(method, params, seq) {
    const before = this.#store.getState();
    this.#store.set(apply(this.state, method, params, seq));
    this.#keeper?.save(this.state, { now: method === "sent" }); // own messages are not replayed
    for (const { type, data } of facts(before, this.#store.getState(), method, params)) this.#notices.tell(type, data);
  }

  /** Says a new name or metadata of this peer. */
  async changePeer(fields) {
    const { name, data } = await this.call("peer-update", fields, { again: true }); // as the server shows them
    this.change("changed", { name, data });
  }

  async observe(keys) {
    await this.#listen(new Set([...this.#observed, ...keys]));
  }

  async unobserve(keys) {
    const given = new Set(keys);
    await this.#listen(new Set([...this.#observed].filter((key) => key === "default" || !given.has(key))));
  }

  async #listen(keys) {
    this.#observed = keys;
    if (this.#rpc) await this.call("listen-metadata-change", { keys: [...keys] }, { again: true });
  }

  #connection() {
    const rpc = new Rpc({ address: () => this.#address(), greet: (send) => this.#greet(send) });
    const mine = (handler) => (event) => rpc === this.#rpc && handler(event.detail);
    rpc.addEventListener(
      "notification",
      mine((frame) => this.#heard(frame)),
    );
    rpc.addEventListener(
      "pong",
      mine((result) => this.#place(result)),
    );
    rpc.addEventListener(
      "lost",
      mine((detail) => this.#lost(detail)),
    );
    rpc.addEventListener(
      "restored",
      mine(() => this.#restored()),
    );
    rpc.addEventListener(
      "ended",
      mine(({ error }) => this.#ended(error)),
    );
    return rpc;
  }

  async #address() {
    const peer = this.state.room.localPeer;
    const { endpoint } = await this.#init(peer).catch(async (error) => {
      if (error.code !== 401) throw error;
      const token = await renewed(this.#token);
      if (!token) throw error;
      this.#token = token;
      return this.#init(peer);
    });
    return `${endpoint}?${new URLSearchParams({ peer, token: this.#token, user_agent_v2: AGENT })}`;
  }

  #init(peer) {
    const query = new URLSearchParams({ peer_id: peer, user_agent_v2: AGENT });
    return ask(`${this.#origin}/init?${query}`, { headers: { Authorization: `Bearer ${this.#token}` } });
  }

  async #greet(send) {
    const { place, room, peers } = this.state;
    const { name, data } = this.#hello ?? peers.get(room.localPeer);
    this.#placed = false;
    const result = await send("join", { name, data, ...(place && !this.#halfway ? { resume: place } : {}) });
    this.#placed = true;
    this.change("joined", { ...result, name, data });
    if (result.resumed) return;
    this.#halfway = true;
    await send("listen-metadata-change", { keys: [...this.#observed] });
    if (!this.state.metadata.has("default")) {
      this.change("read-metadata", await send("get-metadata", { key: "default" }));
    }
    if (place) this.change("on-peer-update", await send("get-peer", { peer_id: room.localPeer }));
    this.#halfway = false;
  }

  #connected() {
    this.#hello = null;
    this.change("connection", { roomState: "Connected", isConnected: true, at: Date.now() });
  }

  #lost({ attempt, delay, code }) {
    if (this.state.room.roomState === "Reconnecting") return;
    this.change("connection", { roomState: "Reconnecting" });
    this.#notices.tell("RECONNECTING", { code, attempt, delay, isTerminal: false }, { severity: "error" });
  }

  #restored() {
    this.#connected();
    this.#notices.tell("RECONNECTED", null);
  }

  #heard({ method, params, seq }) {
    if (method === "on-peer-leave-request") this.#sentAway(params);
    else if (method === "on-error") this.#refused(params);
    else if (this.#placed || seq === undefined) {
      this.change(method, params, seq);
      this.#after.get(method)?.(params);
    }
  }

  #refused({ code, message }) {
    if (!CLOSE_FOLLOWS.has(code)) this.#rpc.fail(new RpcError({ code, message, isTerminal: true }));
  }

  #sentAway({ requested_by: id, reason = "", room_end: roomEnded = false }) {
    const requestedBy = this.#store.getState().peers[id];
    this.#stop({ forget: true });
    const type = roomEnded || !requestedBy ? "ROOM_ENDED" : "REMOVED_FROM_ROOM";
    this.#notices.tell(type, { requestedBy, reason, roomEnded });
  }

  #ended(error) {
    this.#stop({ forget: error.code === 4003 });
    this.change("failed", { error });
    this.#notices.tell("ERROR", error, { message: error.message, severity: "error" });
  }

  /** `forget`: the peer is gone; otherwise another try, or a reload, finds its place again. */
  #stop({ forget }) {
    const [rpc, keeper] = [this.#rpc, this.#keeper];
    this.#rpc = null;
    this.#keeper = null;
    rpc?.close();
    if (forget) keeper?.clear();
    else keeper?.close();
    this.#store.set(nowhere());
  }

  #place(result) {
    if (Number.isInteger(result?.seq)) this.change("place", {}, result.seq);
  }
}
