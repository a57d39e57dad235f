// What a page can do in a room, under the SDK's names. One class however long, for the SDK's hmsActions is one object.

import { RpcError } from "./connection/error.js";
import { CoreActions } from "./core_actions.js";
import { problemWith } from "./json.js";
import { Locks } from "./locks.js";
import { Polls } from "./polls.js";
import { explained } from "./refusals.js";
import { SessionStore } from "./session_store.js";
import { HAND_RAISE } from "./state/shapes.js";

/** @import { HMSActions, HMSConfig, HMSHeldLock, HMSLockOptions, HMSMetadataRule, HMSRoomSettings } from "../hms.js" */
/** @import { HMSMessageOptions, HMSRoleChangeRequest, HMSRoomCode, HMSSetOptions } from "../hms.js" */
/** @import { Core } from "./core.js" */

/** @implements {HMSActions} */
export class Actions extends CoreActions {
  #client;
  #locks;
  #polls;

  /** @param {Core} core */
  constructor(core) {
    super(core);
    const { client, notices, store } = core;
    this.#client = client;
    client.explain = explained;
    this.#locks = new Locks(client, store);
    this.#polls = new Polls(client, (type, id) => notices.tell(type, store.getState().polls[id]));
    core.polls = this.#polls;
    this.sessionStore = new SessionStore(client);
  }

  get interactivityCenter() {
    return this.#polls;
  }

  /** @param {HMSConfig} config */
  async join(config) {
    await super.join(config);
    this.#locks.freeForgotten();
  }

  /**
   * @param {boolean} read
   * @param {string} [id]
   */
  setMessageRead(read, id) {
    this.#client.change("read", { read, id });
  }

  /**
   * The value of the key `default`.
   * @param {unknown} value
   * @param {HMSSetOptions} [options]
   */
  async setSessionMetadata(value, options) {
    this.#refuse("setSessionMetadata", value);
    await this.sessionStore.set("default", value, options);
  }

  async populateSessionMetadata() {
    this.#client.change("read-metadata", await this.#client.call("get-metadata", { key: "default" }, { again: true }));
  }

  /** @param {unknown} metadata a string, or a value that is stored as JSON. */
  async changeMetadata(metadata) {
    if (typeof metadata !== "string") this.#refuse("changeMetadata", metadata);
    await this.#client.changePeer({ data: typeof metadata === "string" ? metadata : JSON.stringify(metadata) });
  }

  /** @param {string} name */
  async changeName(name) {
    await this.#client.changePeer({ name });
  }

  /** @param {string} peerID */
  async removePeer(peerID, reason = "") {
    await this.#client.call("peer-leave-request", { requested_for: peerID, reason });
  }

  /**
   * Ours: lets somebody come again who was removed, by the `person` of selectRemoved.
   * @param {string} person
   */
  async letIn(person) {
    await this.#client.call("peer-let-in", { person }, { again: true });
  }

  async endRoom(lock = false, reason = "") {
    await this.#client.call("end-room", { lock, reason });
    this.#client.leave();
  }

  /**
   * @param {string} peerID
   * @param {string} role
   */
  async changeRoleOfPeer(peerID, role, force = false) {
    await this.#client.call("role-change-request", { requested_for: peerID, role, force });
  }

  /**
   * @param {string[]} roles
   * @param {string} role
   */
  async changeRoleOfPeersWithRoles(roles, role) {
    await this.#client.call("role-change-request", { roles, role, force: true });
  }

  /** @param {HMSRoleChangeRequest} request */
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

  /** @param {string} peerID */
  async raiseRemotePeerHand(peerID) {
    await this.#client.call("group-add", { name: HAND_RAISE, peer_id: peerID }, { again: true });
  }

  /** @param {string} peerID */
  async lowerRemotePeerHand(peerID) {
    await this.#client.call("group-remove", { name: HAND_RAISE, peer_id: peerID }, { again: true });
  }

  /**
   * Ours: gives the room other rules of its own, those of selectMetadataRules under `room`.
   * @param {HMSMetadataRule[]} rules
   */
  async setMetadataRules(rules) {
    await this.#client.call("set-metadata-rules", { rules }, { again: true });
  }

  /**
   * Ours: sets the room up for everybody; what is not given stays.
   * @param {HMSRoomSettings} settings
   */
  async setRoom({ slowMode, ...settings }) {
    await this.#client.call("set-room", { ...settings, slow_mode: slowMode }, { again: true });
  }

  /** Ours: by which code one enters with each role. */
  async getRoomCodes() {
    const { codes } = await this.#client.call("room-codes", {}, { again: true });
    return /** @type {HMSRoomCode[]} */ (codes);
  }

  /**
   * Ours: a new code for a role; the one before opens nothing any more.
   * @param {string} role
   */
  async replaceRoomCode(role) {
    const { code } = await this.#client.call("replace-room-code", { role });
    return /** @type {string} */ (code);
  }

  /**
   * Ours: lets a message of one's own say something else; without `mentions` those stay.
   * @param {string} id
   * @param {string} message
   * @param {Pick<HMSMessageOptions, "mentions">} [options]
   */
  async editMessage(id, message, { mentions } = {}) {
    const said = { id, message, ...(mentions && { mentions }) };
    const { edited_at: at } = await this.#client.call("message-edit", said, { again: true });
    const named = mentions ?? this.#client.state.messages.get(id)?.mentions;
    this.#client.change("on-message-edit", { message_id: id, info: { message }, mentions: named, edited_at: at });
  }

  /**
   * Ours: deletes a message for everybody: one's own, or, for who may remove others, any.
   * @param {string} id
   */
  async deleteMessage(id) {
    await this.#client.call("message-delete", { id }, { again: true });
    this.#client.change("on-message-delete", { message_id: id });
  }

  /** Ours: deletes all messages that people read, for everybody; for who may remove others. */
  async clearMessages() {
    await this.#client.call("clear-messages", {}, { again: true });
  }

  /**
   * Ours: puts an emoji under a message, or takes it back; `on`: which, by default the other than now.
   * @param {string} id
   * @param {string} emoji
   * @param {boolean} [on]
   */
  async reactToMessage(id, emoji, on) {
    const { peers, room, messages } = this.#client.state;
    const person = peers.get(room.localPeer)?.person ?? "";
    const held = messages.get(id)?.reactions?.find((one) => one.emoji === emoji);
    const wanted = on ?? !held?.persons.includes(person);
    const told = await this.#client.call("message-react", { id, emoji, on: wanted }, { again: true });
    this.#client.change("on-message-react", { ...told, person });
  }

  /**
   * Ours: pins a message for everybody.
   * @param {string} id
   */
  async pinMessage(id) {
    await this.#client.call("pin-message", { id }, { again: true });
  }

  /**
   * Ours.
   * @param {string} id
   */
  async unpinMessage(id) {
    await this.#client.call("unpin-message", { id }, { again: true });
  }

  /**
   * Ours: what `action` comes to, done while no other peer holds the lock of this name.
   * @template Result
   * @param {string} name
   * @param {(lock: HMSHeldLock) => Result | Promise<Result>} action
   * @param {HMSLockOptions} [options]
   * @returns {Promise<Result>}
   */
  async withLock(name, action, options) {
    return this.#locks.run(name, action, options);
  }

  /**
   * Ours: frees a lock of selectLocks that somebody holds.
   * @param {{ name: string, token: number }} lock
   */
  async unlock(lock) {
    await this.#locks.free(lock);
  }

  /** Ours: the server's time in milliseconds since 1970, which a step of this computer's clock does not change. */
  serverNow() {
    return this.#client.now;
  }

  /**
   * @param {string} action
   * @param {unknown} value
   */
  #refuse(action, value) {
    const problem = problemWith(value);
    if (problem) throw new RpcError({ code: 400, message: `${action}: ${problem}` });
  }
}
