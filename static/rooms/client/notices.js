// What is worth telling the app about a change: pure, from the states before and after it.

import { report } from "./report.js";
import { same } from "./same.js";
import { texts } from "./state/shapes.js";
import { messageIn } from "./state/view.js";

/** @import { HMSNotification, HMSNotificationData, HMSNotifications, HMSNotificationType } from "../hms.js" */
/** @import { HMSPeer, HMSStore } from "../hms.js" */

/** @type {{ readonly [Type in HMSNotificationType]: Type }} */
export const HMSNotificationTypes = /* @__PURE__ */ Object.freeze({
  PEER_JOINED: "PEER_JOINED",
  PEER_LEFT: "PEER_LEFT",
  PEER_LIST: "PEER_LIST",
  NEW_MESSAGE: "NEW_MESSAGE",
  MESSAGES_MISSED: "MESSAGES_MISSED",
  MESSAGES_CLEARED: "MESSAGES_CLEARED",
  ERROR: "ERROR",
  RECONNECTING: "RECONNECTING",
  RECONNECTED: "RECONNECTED",
  ROLE_UPDATED: "ROLE_UPDATED",
  ROOM_ENDED: "ROOM_ENDED",
  REMOVED_FROM_ROOM: "REMOVED_FROM_ROOM",
  NAME_UPDATED: "NAME_UPDATED",
  METADATA_UPDATED: "METADATA_UPDATED",
  POLL_STARTED: "POLL_STARTED",
  POLL_STOPPED: "POLL_STOPPED",
  POLL_VOTES_UPDATED: "POLL_VOTES_UPDATED",
  HAND_RAISE_CHANGED: "HAND_RAISE_CHANGED",
  ROOM_CODE_CHANGED: "ROOM_CODE_CHANGED",
});

/** @typedef {HMSNotificationType} Type */
/** @typedef {{ [One in Type]: { type: One, data: HMSNotificationData[One] } }[Type]} Fact */
/** @typedef {"NAME_UPDATED" | "METADATA_UPDATED" | "ROLE_UPDATED" | "HAND_RAISE_CHANGED"} PeerFact */

/** @type {[PeerFact, (old: HMSPeer, peer: HMSPeer) => boolean][]} */
const PEER_FACTS = [
  ["NAME_UPDATED", (old, peer) => old.name !== peer.name],
  ["METADATA_UPDATED", (old, peer) => old.metadata !== peer.metadata],
  ["ROLE_UPDATED", (old, peer) => old.roleName !== peer.roleName],
  ["HAND_RAISE_CHANGED", (old, peer) => old.isHandRaised !== peer.isHandRaised],
];

/**
 * Notifications for one change.
 * @param {HMSStore} before a view of the state
 * @param {HMSStore} after
 * @param {string} method
 * @param {any} params
 * @returns {Fact[]}
 */
export function facts(before, after, method, params) {
  switch (method) {
    case "connecting":
      return [];
    case "peer-list":
      if (before.room.roomState !== "Reconnecting") return [{ type: "PEER_LIST", data: Object.values(after.peers) }];
      return peerFacts(before, after);
    case "joined":
      return [...gapFacts(before, after), ...peerFacts(before, after)];
    case "on-broadcast":
      return messageFacts(before, after, texts([params?.message_id]) ?? []);
    case "on-messages-clear":
      return [{ type: "MESSAGES_CLEARED", data: { by: texts([params?.by])?.map((id) => after.peers[id])[0] } }];
    case "on-room-code-change":
      return (texts([params?.role]) ?? []).map((role) => ({ type: "ROOM_CODE_CHANGED", data: { role } }));
    case "shared":
      return messageFacts(before, after, sharedByOthers(after, params.messages));
    case "on-poll-stats":
      return Object.keys(after.polls)
        .filter((id) => before.polls[id] !== after.polls[id])
        .map((id) => ({ type: "POLL_VOTES_UPDATED", data: after.polls[id] }));
    default:
      return peerFacts(before, after, params?.reason);
  }
}

/**
 * Ids of messages that others wrote than this person.
 * @type {(after: HMSStore, messages: { id: string, senderPerson?: string }[]) => string[]}
 */
function sharedByOthers(after, messages) {
  const { person } = after.peers[after.room.localPeer] ?? {};
  return messages.filter(({ senderPerson }) => !person || senderPerson !== person).map(({ id }) => id);
}

/** @type {(before: HMSStore, after: HMSStore) => Fact[]} */
function gapFacts(before, after) {
  const last = after.missed.at(-1);
  return before.missed === after.missed || !last ? [] : [{ type: "MESSAGES_MISSED", data: last }];
}

/** @type {(before: HMSStore, after: HMSStore, ids: string[]) => Fact[]} */
function messageFacts(before, after, ids) {
  return ids.flatMap((id) => {
    const data = messageIn(after.messages, id);
    return data && !messageIn(before.messages, id) ? [{ type: "NEW_MESSAGE", data }] : [];
  });
}

/** @type {(before: HMSStore, after: HMSStore, reason?: string) => Fact[]} */
function peerFacts(before, after, reason) {
  if (before.peers === after.peers) return [];
  /** @type {Fact[]} */
  const found = [];
  for (const id of Object.keys(before.peers)) {
    if (!after.peers[id]) found.push({ type: "PEER_LEFT", data: { ...before.peers[id], reason } });
  }
  for (const [id, peer] of Object.entries(after.peers)) {
    const old = before.peers[id];
    if (!old) found.push({ type: "PEER_JOINED", data: peer });
    else if (!same(old, peer)) {
      for (const [type, changed] of PEER_FACTS) if (changed(old, peer)) found.push({ type, data: peer });
    }
  }
  return found;
}

/** Hands notifications to those who asked for them. */
export class Notices {
  /** @type {Set<(notification: HMSNotification) => void>} */
  #listeners = new Set();
  #lastId = 0;

  /**
   * Returns a function that ends it. `types`: one type, a list of them, or all.
   * @type {HMSNotifications["onNotification"]}
   */
  onNotification = (callback, types) => {
    const wanted = types === undefined ? null : /** @type {HMSNotificationType[]} */ ([types].flat());
    /** @param {any} notification */
    const listener = (notification) => {
      if (!wanted || wanted.includes(notification.type)) callback(notification);
    };
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /**
   * @template {HMSNotificationType} Type
   * @param {Type} type
   * @param {HMSNotificationData[Type]} data
   * @param {{ message?: string, severity?: "info" | "error" }} options
   */
  tell(type, data, { message = "", severity = "info" } = {}) {
    this.#lastId += 1;
    const notification = /** @type {HMSNotification} */ ({ id: this.#lastId, type, message, data, severity });
    for (const listener of [...this.#listeners]) {
      try {
        listener(notification);
      } catch (error) {
        report(error);
      }
    }
  }
}
