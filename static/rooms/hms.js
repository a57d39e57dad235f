// The public client: the names of the 100ms web SDK for a room's people, chat, session metadata, roles, hands and
// polls. Code written for these parts of the SDK runs with its import line changed to this file.

import { Client } from "./client/client.js";
import { RpcError } from "./client/connection/rpc.js";
import { tokenByRoomCode, uuid } from "./client/identity/token.js";
import { problemWith } from "./client/json.js";
import { Notices } from "./client/notices.js";
import { Outbox } from "./client/outbox.js";
import { Polls } from "./client/polls.js";
import { HAND_RAISE } from "./client/state/shapes.js";
import { Store } from "./client/store.js";

export { HMSNotificationTypes } from "./client/notices.js";
export * from "./client/selectors.js";

export const HMSRoomState = Object.freeze({
  Disconnected: "Disconnected",
  Preview: "Preview",
  Connecting: "Connecting",
  Connected: "Connected",
  Reconnecting: "Reconnecting",
  Disconnecting: "Disconnecting",
  Failed: "Failed",
});

class Actions {
  #client;
  #outbox;

  constructor(store, client, notices) {
    this.#client = client;
    this.#outbox = new Outbox(client);
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
    this.#outbox.sendAgain();
  }

  async leave() {
    this.#client.leave();
  }

  /**
   * A token for a room code; when it expires during the session, a new one is fetched by the same code.
   * @param {{roomCode: string, userId?: string, secret?: string}} request `secret`: what proves that one is the same
   *   person as the last time, 16 to 128 characters; by default this browser has one of its own
   */
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

  /** Ours: lets somebody come again who was removed, by the `person` of selectRemoved. */
  async letIn(person) {
    await this.#client.call("peer-let-in", { person }, { again: true });
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

  /** Ours: pins a message for everybody. */
  async pinMessage(id) {
    await this.#client.call("pin-message", { id }, { again: true });
  }

  /** Ours. */
  async unpinMessage(id) {
    await this.#client.call("unpin-message", { id }, { again: true });
  }

  /** Ours: sends a message that failed once more; it cannot arrive twice. */
  async retryMessage(clientId) {
    const entry = this.#client.state.outbox.get(clientId);
    if (entry?.status === "failed") await this.#outbox.send(entry);
  }

  /** Ours: gives up a message that failed. */
  discardMessage(clientId) {
    this.#client.change("discarded", { clientId });
  }

  /** Ours: tries at once to get the connection back. */
  retryConnection() {
    this.#client.retryNow();
  }

  /** Ours: the server's time in milliseconds since 1970, which a step of this computer's clock does not change. */
  serverNow() {
    return this.#client.now;
  }

  async #say({ message, type = "chat", ...recipients }) {
    if (typeof message !== "string" || !message.trim()) {
      throw new RpcError({ code: 400, message: "message: expected text that is not blank" });
    }
    await this.#outbox.send({ clientId: uuid(), message, type, time: this.#client.now, ...recipients });
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
