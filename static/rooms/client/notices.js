// What is worth telling the app about a change: pure, from the states before and after it.

import { same } from "./json.js";
import { report } from "./report.js";
import { texts } from "./state/shapes.js";
import { messageIn } from "./state/view.js";

const names = (list) => Object.freeze(Object.fromEntries(list.map((name) => [name, name])));

export const HMSNotificationTypes = names([
  "PEER_JOINED",
  "PEER_LEFT",
  "PEER_LIST",
  "NEW_MESSAGE",
  "MESSAGES_MISSED",
  "ERROR",
  "RECONNECTING",
  "RECONNECTED",
  "ROLE_UPDATED",
  "ROOM_ENDED",
  "REMOVED_FROM_ROOM",
  "NAME_UPDATED",
  "METADATA_UPDATED",
  "POLL_STARTED",
  "POLL_STOPPED",
  "POLL_VOTES_UPDATED",
  "HAND_RAISE_CHANGED",
]);

const PEER_FACTS = [
  ["NAME_UPDATED", (old, peer) => old.name !== peer.name],
  ["METADATA_UPDATED", (old, peer) => old.metadata !== peer.metadata],
  ["ROLE_UPDATED", (old, peer) => old.roleName !== peer.roleName],
  ["HAND_RAISE_CHANGED", (old, peer) => old.isHandRaised !== peer.isHandRaised],
];

/**
 * Notifications for one change, as [{type, data}].
 * @param before, after views of the state
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
      return messageFacts(before, after, texts([params?.message_id]));
    case "shared": {
      const { person } = after.peers[after.room.localPeer] ?? {};
      const others = params.messages.filter(({ senderPerson }) => !person || senderPerson !== person);
      return messageFacts(
        before,
        after,
        others.map(({ id }) => id),
      );
    }
    case "on-poll-stats":
      return Object.keys(after.polls)
        .filter((id) => before.polls[id] !== after.polls[id])
        .map((id) => ({ type: "POLL_VOTES_UPDATED", data: after.polls[id] }));
    default:
      return peerFacts(before, after);
  }
}

function gapFacts(before, after) {
  if (before.missed === after.missed || !after.missed.length) return [];
  return [{ type: "MESSAGES_MISSED", data: after.missed.at(-1) }];
}

function messageFacts(before, after, ids) {
  const fresh = ids.filter((id) => messageIn(after.messages, id) && !messageIn(before.messages, id));
  return fresh.map((id) => ({ type: "NEW_MESSAGE", data: messageIn(after.messages, id) }));
}

function peerFacts(before, after) {
  if (before.peers === after.peers) return [];
  const found = [];
  for (const id of Object.keys(before.peers)) {
    if (!after.peers[id]) found.push({ type: "PEER_LEFT", data: before.peers[id] });
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
  #listeners = new Set();
  #lastId = 0;

  /** @returns a function that ends it. `types`: one type, a list of them, or all. */
  onNotification = (callback, types) => {
    const wanted = types === undefined ? null : [types].flat();
    const listener = (notification) => {
      if (!wanted || wanted.includes(notification.type)) callback(notification);
    };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  tell(type, data, { message = "", severity = "info" } = {}) {
    const notification = { id: ++this.#lastId, type, message, data, severity };
    for (const listener of [...this.#listeners]) {
      try {
        listener(notification);
      } catch (error) {
        report(error);
      }
    }
  }
}
