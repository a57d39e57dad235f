// The public client: the names of the 100ms web SDK for a room's people, chat, session metadata, roles, hands and
// polls. Code written for these parts of the SDK runs with its import line changed to this file.

import { Client } from "./client.js";
import { problemWith } from "./json.js";
import { Notices } from "./notices.js";
import { Polls } from "./polls.js";
import { RpcError } from "./rpc.js";
import { HAND_RAISE } from "./state.js";
import { Store } from "./store.js";
import { tokenByRoomCode, uuid } from "./token.js";

export { HMSNotificationTypes } from "./notices.js";
export * from "./selectors.js";

export const HMSRoomState = Object.freeze({
  Disconnected: "Disconnected",
  Preview: "Preview",
  Connecting: "Connecting",
  Connected: "Connected",
  Reconnecting: "Reconnecting",
  Disconnecting: "Disconnecting",
  Failed: "Failed",
});

const RETRY_IS_SAFE = 4 * 60_000; // ms for which the server knows a message it already has by its client id

class Actions {
  #client;

  constructor(store, client, notices) {
    this.#client = client;
    this.interactivityCenter = new Polls(client, (type, id) => notices.tell(type, store.getState().polls[id]));
    this.sessionStore = {
      set: (key, value, options) => this.#set("sessionStore.set", key, value, options),
      observe: (keys) => client.observe([keys].flat()),
      unobserve: (keys) => client.unobserve([keys].flat()),
    };
  }

  /** @param {{userName: string, authToken: string, metaData?: string, initEndpoint?: string}} config */
  async join(config) {
    await this.#client.join(config);
    this.#sendAgain();
  }

  async leave() {
    this.#client.leave();
  }

  /** A token for a room code; when it expires during the session, a new one is fetched by the same code. */
  async getAuthTokenByRoomCode(request, options) {
    return tokenByRoomCode(request, options);
  }

  async sendBroadcastMessage(message, type) {
    await this.#say({ message, type });
  }

  async sendGroupMessage(message, roles, type) {
    await this.#say({ message, type, recipientRoles: roles });
  }

  async sendDirectMessage(message, peerID, type) {
    await this.#say({ message, type, recipientPeer: peerID });
  }

  setMessageRead(read, id) {
    this.#client.change("read", { read, id });
  }

  /**
   * `ifChangeVersion`: only if the value still has this version (0: was never set); else rejects with
   * {code: 409, data: the entry that stands}.
   */
  async setSessionMetadata(value, options) {
    await this.#set("setSessionMetadata", "default", value, options);
  }

  async populateSessionMetadata() {
    this.#client.change("read-metadata", await this.#client.call("get-metadata", { key: "default" }, { again: true }));
  }

  /** @param metadata a string, or a value that is stored as JSON. */
  async changeMetadata(metadata) {
    if (typeof metadata !== "string") this.#refuse("changeMetadata", metadata);
    await this.#client.changePeer({ data: typeof metadata === "string" ? metadata : JSON.stringify(metadata) });
  }

  async changeName(name) {
    await this.#client.changePeer({ name });
  }

  async removePeer(peerID, reason = "") {
    await this.#client.call("peer-leave-request", { requested_for: peerID, reason });
  }

  async endRoom(lock = false, reason = "") {
    await this.#client.call("end-room", { lock, reason });
    this.#client.leave();
  }

  async changeRoleOfPeer(peerID, role, force = false) {
    await this.#client.call("role-change-request", { requested_for: peerID, role, force });
  }

  async changeRoleOfPeersWithRoles(roles, role) {
    await this.#client.call("role-change-request", { roles, role, force: true });
  }

  async acceptChangeRole({ requestedBy, role, token }) {
    await this.#client.call("role-change", { requested_by: requestedBy?.id, role: role.name, token });
    this.#client.change("answered-role", {});
  }

  rejectChangeRole() {
    this.#client.change("answered-role", {});
  }

  async raiseLocalPeerHand() {
    await this.#client.call("group-join", { name: HAND_RAISE }, { again: true });
  }

  async lowerLocalPeerHand() {
    await this.#client.call("group-leave", { name: HAND_RAISE }, { again: true });
  }

  async raiseRemotePeerHand(peerID) {
    await this.#client.call("group-add", { name: HAND_RAISE, peer_id: peerID }, { again: true });
  }

  async lowerRemotePeerHand(peerID) {
    await this.#client.call("group-remove", { name: HAND_RAISE, peer_id: peerID }, { again: true });
  }

  /** Ours: pins a message for everybody; `text` is what the pin shows. */
  async pinMessage(id, text) {
    await this.#client.call("pin-message", { id, text }, { again: true });
  }

  /** Ours. */
  async unpinMessage(id) {
    await this.#client.call("unpin-message", { id }, { again: true });
  }

  /** Ours: sends a message that failed once more; it cannot arrive twice. */
  async retryMessage(clientId) {
    const entry = this.#client.state.outbox.get(clientId);
    if (entry) await this.#deliver(entry);
  }

  /** Ours: gives up a message that failed. */
  discardMessage(clientId) {
    this.#client.change("discarded", { clientId });
  }

  /** Ours: tries at once to get the connection back. */
  retryConnection() {
    this.#client.retryNow();
  }

  async #say({ message, type = "chat", ...recipients }) {
    if (typeof message !== "string" || !message.trim()) {
      throw new RpcError({ code: 400, message: "message: expected text that is not blank" });
    }
    await this.#deliver({ clientId: uuid(), message, type, time: Date.now(), ...recipients });
  }

  async #deliver(entry) {
    const { clientId, message, type, recipientRoles: roles, recipientPeer: peer } = entry;
    this.#client.change("sending", entry);
    const params = { info: { message, type }, client_id: clientId };
    if (roles) params.roles = roles;
    if (peer) params.peer_id = peer;
    try {
      const { message_id: id, timestamp } = await this.#client.call("broadcast", params, { again: true });
      this.#client.change("sent", { clientId, id, time: timestamp });
    } catch (error) {
      this.#client.change("not-sent", { clientId, error: error.message });
      throw error;
    }
  }

  /** Sends what a reload of the page interrupted. */
  #sendAgain() {
    for (const entry of this.#client.state.outbox.values()) {
      if (entry.status !== "sending") continue;
      if (Date.now() - entry.time < RETRY_IS_SAFE)
        this.#deliver(entry).catch(() => {}); // shows as failed
      else this.#client.change("not-sent", { clientId: entry.clientId, error: "not delivered" });
    }
  }

  async #set(action, key, value, { ifChangeVersion } = {}) {
    this.#refuse(action, value);
    const params = { key, data: value };
    if (ifChangeVersion !== undefined) params.if_change_version = ifChangeVersion;
    try {
      this.#client.change("read-metadata", await this.#client.call("set-metadata", params));
    } catch (error) {
      if (error.code === 409 && error.data) this.#client.change("read-metadata", error.data);
      throw error;
    }
  }

  #refuse(action, value) {
    const problem = problemWith(value);
    if (problem) throw new RpcError({ code: 400, message: `${action}: ${problem}` });
  }
}

export class HMSReactiveStore {
  #store = new Store();
  #notices = new Notices();
  #actions = new Actions(this.#store, new Client(this.#store, this.#notices), this.#notices);

  getStore() {
    const store = this.#store;
    return { getState: store.getState.bind(store), subscribe: store.subscribe.bind(store) };
  }

  getActions() {
    return this.#actions;
  }

  getHMSActions() {
    return this.#actions;
  }

  getNotifications() {
    return { onNotification: this.#notices.onNotification };
  }

  /** From now on store.subscribe() also calls back once with the present value. */
  triggerOnSubscribe() {
    this.#store.triggerOnSubscribe();
  }
}

const hms = new HMSReactiveStore();
export const hmsStore = hms.getStore();
export const hmsActions = hms.getActions();
export const hmsNotifications = hms.getNotifications();
