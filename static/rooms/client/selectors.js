// All selectors under the names of the 100ms SDK: those of core_selectors.js, and these. What is ours says so.

import {
  selectHMSMessages,
  selectLocalPeer,
  selectLocalPeerRole,
  selectMetadataRules,
  selectPeerCount,
  selectPeers,
  selectPermissions,
} from "./core_selectors.js";
import { mayWrite, ruleOf } from "./rules.js";
import { derived, select } from "./select.js";
import { messageIn } from "./state/view.js";

/** @import { HMSMessage, HMSPeer, HMSPerson, HMSStore } from "../hms.js" */
/** @import { Selector } from "./select.js" */

export * from "./core_selectors.js";

export const selectRoomID = select((store) => store.room.id);
export const selectRoomStarted = select((store) => store.room.roomState !== "Disconnected");
export const selectIsInPreview = select((store) => store.room.roomState === "Preview");
export const selectRoomStartTime = select((store) => store.room.startedAt);
export const selectLocalPeerID = select((store) => store.room.localPeer);
export const selectLocalPeerName = select((store) => selectLocalPeer(store)?.name);
export const selectPeerNameByID = (/** @type {string} */ id) => select((store) => store.peers[id]?.name);
export const selectPeerName = selectPeerNameByID;
export const selectPeerTypeByID = (/** @type {string} */ id) => select((store) => store.peers[id]?.type);
export const selectPeersByRole = (/** @type {string} */ role) =>
  derived([selectPeers], (peers) => peers.filter((peer) => peer.roleName === role));
export const selectPeersByRoles = (/** @type {string[]} */ roles) =>
  derived([selectPeers], (peers) => peers.filter((peer) => roles.includes(peer.roleName ?? "")));
export const selectPeerByCondition = (/** @type {(peer: HMSPeer) => boolean} */ predicate) =>
  select((store) => selectPeers(store).find(predicate));
export const selectPeersByCondition = (/** @type {(peer: HMSPeer) => boolean} */ predicate) =>
  derived([selectPeers], (peers) => peers.filter(predicate));

/**
 * One person, shown as the peer that one would show first.
 * @param {HMSPeer[]} peers
 * @returns {HMSPerson}
 */
function personView(peers) {
  const shown = peers.find(({ isLocal }) => isLocal) ?? peers.find(({ state }) => state === "connected") ?? peers[0];
  return { person: shown.person, peers, peer: shown, isLocal: shown.isLocal, state: shown.state };
}

/** Ours: the peers as persons: for each the ids of its peers, in the order of joining, oneself first. */
export const selectPersons = derived([selectPeers], (peers) => {
  /** @type {Map<string, HMSPeer[]>} */
  const tabs = new Map();
  for (const peer of peers) {
    // Of a server from before persons each peer is one.
    const key = peer.person ?? `peer:${peer.id}`;
    tabs.set(key, [...(tabs.get(key) ?? []), peer]);
  }
  return [...tabs.values()].map(personView).sort((a, b) => Number(b.isLocal) - Number(a.isLocal));
});
/** Ours: whether nobody else who may change roles and end the room is here. */
export const selectIsLastHost = select((store) => {
  /** @param {HMSPeer} peer */
  const isHost = ({ roleName = "" }) => {
    const { changeRole, endRoom } = store.roles[roleName]?.permissions ?? {};
    return Boolean(changeRole && endRoom);
  };
  const own = selectPersons(store).find(({ isLocal }) => isLocal);
  const local = selectLocalPeer(store);
  if (!own || !local || !isHost(local) || own.peers.length > 1) return false;
  return selectPeers(store).filter(isHost).length === 1;
});
/** Ours: how many persons are in the room; in a large room, where only peers are counted, how many peers. */
export const selectPersonCount = (/** @type {HMSStore} */ store) =>
  selectPeerCount(store) - (store.room.peers.length - selectPersons(store).length);

/** A peer's metadata, parsed; {} when there is none, or null, or it is not JSON. */
export const selectPeerMetadata = (/** @type {string} */ id) =>
  derived([(store) => store.peers[id]?.metadata], (metadata) => {
    try {
      return (metadata && JSON.parse(metadata)) ?? {};
    } catch {
      return {};
    }
  });

export const selectHasPeerHandRaised = (/** @type {string} */ id) =>
  select((store) => Boolean(store.peers[id]?.isHandRaised));

export const selectRoleByRoleName = (/** @type {string} */ name) => select((store) => store.roles[name]);
/** @type {(store: HMSStore<any>, id: string) => boolean} */
const isOwn = (store, id) => {
  const [held, local] = [messageIn(store.messages, id), selectLocalPeer(store)];
  return Boolean(held && local && (held.sender === local.id || (local.person && held.senderPerson === local.person)));
};
/** @param {HMSMessage} message */
const everybody = (message) => !message.recipientPeer && !message.recipientRoles?.length;
/** @param {HMSMessage[]} messages */
const unread = (messages) => messages.filter((message) => !message.read).length;
export const selectMessagesMap = select((store) => store.messages.byID);
export const selectMessageIDsInOrder = select((store) => store.messages.allIDs);
export const selectUnreadHMSMessagesCount = derived([selectHMSMessages], unread);
export const selectBroadcastMessages = derived([selectHMSMessages], (messages) => messages.filter(everybody));
export const selectHMSBroadcastMessages = selectBroadcastMessages;
export const selectBroadcastMessagesUnreadCount = derived([selectBroadcastMessages], unread);
/** Direct messages from and to a peer. */
export const selectMessagesByPeerID = (/** @type {string} */ id) =>
  derived([selectHMSMessages], (messages) =>
    messages.filter(({ sender, recipientPeer }) => recipientPeer && (recipientPeer === id || sender === id)),
  );
export const selectMessagesUnreadCountByPeerID = (/** @type {string} */ id) =>
  derived([selectMessagesByPeerID(id)], unread);
export const selectMessagesByRole = (/** @type {string} */ role) =>
  derived([selectHMSMessages], (messages) => messages.filter((message) => message.recipientRoles?.includes(role)));
export const selectMessagesUnreadCountByRole = (/** @type {string} */ role) =>
  derived([selectMessagesByRole(role)], unread);

export const selectPollByID = (/** @type {string} */ id) => select((store) => store.polls[id]);
export const selectErrors = select((store) => store.errors);
export const selectRecentError = select((store) => store.errors.at(-1) ?? null);
/** Ours: a key's entry with its change_version, author and time. */
export const selectSessionEntry = (/** @type {string} */ key) => select((store) => store.entries[key]);

/** Ours: the locks that somebody holds, by their names. */
export const selectLocks = select((store) => store.locks);
/** Ours: what the server allows, and how much of it was used when one came; null until one is in the room. */
export const selectLimits = select((store) => store.limits);
/** Ours: whether this person may delete a message. */
export const selectMayDelete = (/** @type {string} */ id) =>
  select((store) => isOwn(store, id) || selectPermissions(store)?.removeOthers === true);
/** Ours: whether this person may change a message. */
export const selectMayEdit = (/** @type {string} */ id) =>
  select((store) => isOwn(store, id) && selectPermissions(store)?.sendMessages === true);
/** Ours: the rule that counts for a key; undefined if there is none. */
export const selectMetadataRule = (/** @type {string} */ key) =>
  derived([selectMetadataRules], ({ room, template }) => ruleOf([...room, ...template], key));
/** Ours: whether this peer may write a key. */
export const selectMayWrite = (/** @type {string} */ key) => may(key);
/** Ours: whether this peer may remove a key. */
export const selectMayRemove = (/** @type {string} */ key) => may(key, { removes: true });

/** @type {(key: string, act?: { removes: boolean }) => Selector<boolean>} */
const may = (key, act) =>
  derived(
    [selectMetadataRule(key), selectLocalPeer, selectLocalPeerRole, (store) => store.entries[key]],
    (rule, peer, role, entry) => mayWrite(key, { rule, peer, role, entry, ...act }),
  );
