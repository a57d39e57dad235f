// This page as a peer of a room: joins, keeps its place over losses and reloads, and applies what it hears.

import { Rpc, RpcError } from "./connection/rpc.js";
import { Keeper } from "./identity/keep.js";
import { Hold, Siblings } from "./identity/tabs.js";
import { ask, claimsOf, renewed, uuid } from "./identity/token.js";
import { facts } from "./notices.js";
import { report } from "./report.js";
import { apply, nowhere } from "./state/state.js";

const HERE = new URL(import.meta.url).origin;
const AGENT = "sdk:hmsroom";
const CLOSE_FOLLOWS = new Set([401, 4002]); // errors that the server sends just before it closes the socket
const CLOCK_NOISE = 1_000; // ms by which a reading of the server's clock may be off, for the time it was under way

/** Whether an error says that this peer id is somebody else's. */
const refusesPeer = ({ code, message }) => code === 403 && String(message).startsWith("peer:");

export class Client {
  #store;
  #notices;
  #rpc = null;
  #keeper = null;
  #siblings = null;
  #hold = new Hold();
  #entering = null; // the join under way, until its connection is begun
  #token = "";
  #origin = HERE;
  #isCopy = false; // began as a duplicate of another tab
  #isNewcomer = false; // has taken another peer id since it was last in the room
  #placed = false; // whether join was answered on the present socket: events before that come again
  #halfway = false; // whether a state was promised that has not come whole: there is nothing to resume from
  #missed = false; // whether more than events was missed: what is read on request is to be read again
  #hello = null; // {name, data} of a join that is not answered yet
  #observed = new Set(["default"]);
  #after = new Map(); // method → what else to do once it is applied

  constructor(store, notices) {
    this.#store = store;
    this.#notices = notices;
    globalThis.addEventListener?.("online", () => this.#rpc?.hurry());
    globalThis.addEventListener?.("offline", () => this.#rpc?.lose());
  }

  get state() {
    return this.#store.raw;
  }

  /** The server's time, in milliseconds since 1970; this computer's until the server's is known. */
  get now() {
    const { clockOffset } = this.state;
    return clockOffset === null ? Date.now() : performance.now() + clockOffset;
  }

  /** Does `action(params)` each time this notification has been applied, or after a `resync`. */
  after(method, action) {
    this.#after.set(method, action);
  }

  /** Resolves when the peer is in the room and its store holds people and session metadata. */
  async join({ userName, authToken, metaData = "", initEndpoint = HERE }) {
    if (this.#rpc || this.#entering) {
      throw new RpcError({ code: 400, message: "join: already in a room, or on the way into one" });
    }
    const claims = claimsOf(authToken);
    this.#origin = new URL(initEndpoint, HERE === "null" ? undefined : HERE).origin;
    this.#token = authToken;
    this.#hello = { name: userName, data: metaData };
    this.#isCopy = this.#isNewcomer = this.#halfway = this.#missed = false;
    const entering = (this.#entering = {});
    this.#takeUp(claims, userName, metaData);
    if (!(await this.#hold.take(this.state.room.localPeer)) && entering === this.#entering) this.#goesOnElsewhere();
    if (entering !== this.#entering) throw new RpcError({ code: 1000, message: "join: left meanwhile" });
    this.#entering = null;
    const rpc = this.#connection();
    this.#rpc = rpc;
    await rpc.open();
    if (rpc !== this.#rpc) throw new RpcError({ code: 1000, message: "join: left meanwhile" });
    this.#connected();
  }

  /** Finds what this tab kept of the room. */
  #takeUp({ room_id: roomId, owner, user_id: userId, jti, role }, name, data) {
    const key = ["hmsroom", roomId, role, owner ?? userId ?? jti].join(":");
    this.#keeper = new Keeper(key);
    this.#siblings = new Siblings(
      key,
      () => this.state,
      (session, messages) => session === this.state.room.sessionId && this.change("shared", { messages }),
    );
    this.#store.set(this.#keeper.load() ?? nowhere());
    const id = this.state.room.localPeer || uuid();
    this.change("connecting", { roomId, peer: { id, name, data, userId, role } });
  }

  /** Another tab, which this one is a duplicate of, has the peer that was kept. */
  #goesOnElsewhere() {
    this.#isCopy = true;
    this.change("copied", {});
    this.#takeAnother();
  }

  #takeAnother() {
    const id = uuid();
    this.#hold.take(id);
    this.change("newcomer", { id });
  }

  /** Whether to try once more, under another peer id, for this one is somebody else's. */
  #becomesNewcomer(error) {
    if (!refusesPeer(error) || this.#isNewcomer) return false;
    this.#isNewcomer = true;
    this.#takeAnother();
    return true;
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
    const kept = this.#halfway ? { ...this.state, place: null } : this.state;
    this.#keeper?.save(kept, { now: method === "sent" }); // own messages are not replayed
    this.#share(method, params);
    for (const { type, data } of facts(before, this.#store.getState(), method, params)) this.#notices.tell(type, data);
  }

  /** Passes on what other tabs of this person do not get. */
  #share(method, params) {
    if (method === "sent" || method === "on-broadcast") {
      const message = this.state.messages.get(params?.message_id ?? params?.id);
      if (message?.recipientPeer || message?.recipientRoles) this.#siblings?.tell(this.state.room.sessionId, [message]);
    }
    this.#siblings?.answer(this.state);
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
    const before = this.#observed;
    this.#observed = keys;
    try {
      if (this.#rpc) await this.call("listen-metadata-change", { keys: [...keys] }, { again: true });
    } catch (error) {
      if (this.#observed === keys) this.#observed = before; // else no greeting would be accepted any more
      throw error;
    }
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
      mine((result) => this.#heardPing(result)),
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
    const { endpoint } = await this.#init();
    if (typeof endpoint !== "string") throw new RpcError({ code: 1003, message: "/init: the answer has no endpoint" });
    const peer = this.state.room.localPeer;
    return `${endpoint}?${new URLSearchParams({ peer, token: this.#token, user_agent_v2: AGENT })}`;
  }

  async #init() {
    for (let mended = 0; ; mended += 1) {
      const query = new URLSearchParams({ peer_id: this.state.room.localPeer, user_agent_v2: AGENT });
      try {
        return await ask(`${this.#origin}/init?${query}`, { headers: { Authorization: `Bearer ${this.#token}` } });
      } catch (error) {
        if (mended === 2 || !(await this.#mends(error))) throw error;
      }
    }
  }

  /** Whether something was done about a refusal, so that another try is worth it. */
  async #mends(error) {
    if (error.code !== 401) return this.#becomesNewcomer(error);
    const token = await renewed(this.#token);
    if (token) this.#token = token;
    return Boolean(token);
  }

  async #greet(send) {
    const { place, room, peers } = this.state;
    const { name, data } = this.#hello ?? peers.get(room.localPeer);
    this.#placed = false;
    const resume = place && !this.#halfway ? { resume: place } : {};
    const result = await send("join", { name, data, ...resume }).catch((error) => {
      if (!this.#becomesNewcomer(error)) throw error;
      throw new RpcError({ code: 503, message: error.message }); // another socket, under the new id
    });
    if (typeof result?.session_id !== "string" || !Number.isInteger(result.seq)) {
      throw new RpcError({ code: 1003, message: "join: the answer names no session" });
    }
    this.#placed = true;
    this.#missed = this.#missed || (!result.resumed && room.joinedAt !== null);
    this.#halfway = !result.resumed;
    this.change("joined", { ...result, name, data });
    if (result.resumed) return;
    await send("listen-metadata-change", { keys: [...this.#observed] });
    if (!this.state.metadata.has("default")) {
      this.change("read-metadata", await send("get-metadata", { key: "default" }));
    }
    this.change("on-peer-update", await send("get-peer", { peer_id: room.localPeer })); // as the server shows it
    this.#halfway = false;
    if (this.#isCopy) this.#siblings.ask(this.state.place);
  }

  #connected() {
    this.#hello = null;
    this.#isCopy = this.#isNewcomer = false;
    this.change("connection", { roomState: "Connected", isConnected: true, at: this.now });
    this.#rpc.hurry(); // the pong tells the server's time
    this.#readRemoved();
    if (this.#missed) this.#after.get("resync")?.();
    this.#missed = false;
  }

  /** Reads who was removed, if this peer may remove others. */
  async #readRemoved() {
    const { roles, peers, room } = this.state;
    if (!roles.get(peers.get(room.localPeer)?.role)?.permissions?.removeOthers) return;
    try {
      this.change("on-removed-change", await this.call("peers-removed", {}, { again: true }));
    } catch {
      // The role changed meanwhile, or the connection ended: then others say so.
    }
  }

  #lost({ attempt, delay, code }) {
    if (this.state.room.roomState === "Reconnecting") return;
    this.change("connection", { roomState: "Reconnecting", at: this.now });
    this.#notices.tell("RECONNECTING", { code, attempt, delay, isTerminal: false }, { severity: "error" });
  }

  #restored() {
    this.#connected();
    this.#notices.tell("RECONNECTED", null);
  }

  #heard({ method, params, seq }) {
    try {
      if (method === "on-peer-leave-request") this.#sentAway(params);
      else if (method === "on-error") this.#refused(params);
      else if (this.#placed) this.#apply(method, params, seq);
      else if (seq === undefined) this.#apply(method, { ...params, history: undefined }); // not that of this place
    } catch (error) {
      report(error); // one event that cannot be understood is no reason to stop
    }
  }

  #apply(method, params, seq) {
    this.change(method, params, seq);
    this.#after.get(method)?.(params);
    if (method === "on-policy-change" && this.#placed) this.#readRemoved();
  }

  #refused({ code, message, data }) {
    if (CLOSE_FOLLOWS.has(code)) return;
    const error = new RpcError({ code, message, data, isTerminal: true });
    if (this.#becomesNewcomer(error)) this.#rpc.reopen();
    else this.#rpc.fail(error);
  }

  #sentAway({ requested_by: id, reason = "", room_end: roomEnded = false }) {
    const requestedBy = this.#store.getState().peers[id];
    this.#stop({ forget: true });
    const type = roomEnded || id === undefined ? "ROOM_ENDED" : "REMOVED_FROM_ROOM";
    this.#notices.tell(type, { requestedBy, reason, roomEnded });
  }

  #ended(error) {
    const { joinedAt } = this.state.room;
    const isRemoved = error.data?.removed === true;
    const wasInside = this.#hello === null && joinedAt !== null;
    this.#stop({ forget: error.code === 4003 || isRemoved });
    this.change("failed", { error });
    if (isRemoved && wasInside) {
      this.#notices.tell("REMOVED_FROM_ROOM", { reason: error.data.reason ?? "", roomEnded: false });
    } else {
      this.#notices.tell("ERROR", error, { message: error.message, severity: "error" });
    }
  }

  /** `forget`: the peer is gone; otherwise another try, or a reload, finds its place again. */
  #stop({ forget }) {
    const [rpc, keeper] = [this.#rpc, this.#keeper];
    this.#rpc = this.#keeper = this.#entering = null;
    rpc?.close();
    if (forget) keeper?.clear();
    else keeper?.close();
    this.#hold.release();
    this.#siblings?.close();
    this.#siblings = null;
    this.#store.set({ ...nowhere(), clockOffset: this.state.clockOffset });
  }

  #place(result) {
    if (this.#placed && Number.isInteger(result?.seq)) this.change("place", { history: result.history }, result.seq);
  }

  #heardPing(result) {
    this.#place(result);
    const { clockOffset: held } = this.state;
    const offset = result?.timestamp - performance.now();
    if (!Number.isFinite(offset)) return;
    if (held === null || Math.abs(offset - held) > CLOCK_NOISE) this.change("clock", { offset });
  }
}
