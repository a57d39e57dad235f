// Selectors under the names of the 100ms SDK: functions of the store's state.
// The last group is ours.

import { messageIn, messagesIn } from "./state/view.js";

/** A selector that computes again only when one of its inputs is another object. */
function derived(inputs, compute) {
  let held = null;
  let result;
  return (store) => {
    const values = inputs.map((input) => input(store));
    if (!held || values.some((value, at) => value !== held[at])) {
      result = compute(...values);
      held = values;
    }
    return result;
  };
}

export const selectRoom = (store) => store.room;
export const selectRoomID = (store) => store.room.id;
export const selectRoomState = (store) => store.room.roomState;
export const selectRoomStarted = (store) => store.room.roomState !== "Disconnected";
export const selectIsConnectedToRoom = (store) => store.room.isConnected;
export const selectIsInPreview = (store) => store.room.roomState === "Preview";
export const selectSessionId = (store) => store.room.sessionId;
export const selectRoomStartTime = (store) => store.room.startedAt;

export const selectPeersMap = (store) => store.peers;
export const selectPeers = derived([selectPeersMap, selectRoom], (peers, room) => room.peers.map((id) => peers[id]));
export const selectLocalPeerID = (store) => store.room.localPeer;
export const selectLocalPeer = (store) => store.peers[store.room.localPeer];
export const selectLocalPeerName = (store) => selectLocalPeer(store)?.name;
export const selectLocalPeerRoleName = (store) => selectLocalPeer(store)?.roleName;
export const selectRemotePeers = derived([selectPeers], (peers) => peers.filter((peer) => !peer.isLocal));
export const selectPeerCount = ({ room }) => room.peerCount || room.peers.length;
export const selectPeerByID = (id) => (store) => store.peers[id];
export const selectPeerNameByID = (id) => (store) => store.peers[id]?.name;
export const selectPeerName = selectPeerNameByID;
export const selectPeerTypeByID = (id) => (store) => store.peers[id]?.type;
export const selectPeersByRole = (role) =>
  derived([selectPeers], (peers) => peers.filter((peer) => peer.roleName === role));
export const selectPeersByRoles = (roles) =>
  derived([selectPeers], (peers) => peers.filter((peer) => roles.includes(peer.roleName)));
export const selectPeerByCondition = (predicate) => (store) => selectPeers(store).find(predicate);
export const selectPeersByCondition = (predicate) => derived([selectPeers], (peers) => peers.filter(predicate));

/** A peer's metadata, parsed; {} when there is none, or null, or it is not JSON. */
export const selectPeerMetadata = (id) =>
  derived([(store) => store.peers[id]?.metadata], (metadata) => {
    try {
      return (metadata && JSON.parse(metadata)) ?? {};
    } catch {
      return {};
    }
  });

export const selectHasPeerHandRaised = (id) => (store) => Boolean(store.peers[id]?.isHandRaised);
export const selectPeersWithHandRaised = derived([selectPeers], (peers) =>
  peers.filter((peer) => peer.isHandRaised).sort((a, b) => a.raisedAt - b.raisedAt),
);
export const selectHandRaisedPeers = selectPeersWithHandRaised;

export const selectRolesMap = (store) => store.roles;
export const selectAvailableRoleNames = derived([selectRolesMap], (roles) => Object.keys(roles));
export const selectRoleByRoleName = (name) => (store) => store.roles[name];
export const selectLocalPeerRole = (store) => store.roles[selectLocalPeer(store)?.roleName] ?? null;
export const selectPermissions = (store) => selectLocalPeerRole(store)?.permissions;
export const selectRoleChangeRequest = derived(
  [(store) => store.roleChangeRequests, selectPeersMap],
  ([request], peers) =>
    request
      ? { requestedBy: peers[request.requestedBy], role: { name: request.roleName }, token: request.token }
      : null,
);

const everybody = (message) => !message.recipientPeer && !message.recipientRoles?.length;
const unread = (messages) => messages.filter((message) => !message.read).length;
export const selectMessagesMap = (store) => store.messages.byID;
export const selectMessageIDsInOrder = (store) => store.messages.allIDs;
export const selectMessageByMessageID = (id) => (store) => messageIn(store.messages, id);
export const selectHMSMessages = derived([(store) => store.messages], messagesIn);
export const selectHMSMessagesCount = (store) => store.messages.allIDs.length;
export const selectUnreadHMSMessagesCount = derived([selectHMSMessages], unread);
export const selectBroadcastMessages = derived([selectHMSMessages], (messages) => messages.filter(everybody));
export const selectHMSBroadcastMessages = selectBroadcastMessages;
export const selectBroadcastMessagesUnreadCount = derived([selectBroadcastMessages], unread);

/** Direct messages from and to a peer. */
export const selectMessagesByPeerID = (id) =>
  derived([selectHMSMessages], (messages) =>
    messages.filter(({ sender, recipientPeer }) => recipientPeer && (recipientPeer === id || sender === id)),
  );
export const selectMessagesUnreadCountByPeerID = (id) => derived([selectMessagesByPeerID(id)], unread);
export const selectMessagesByRole = (role) =>
  derived([selectHMSMessages], (messages) => messages.filter((message) => message.recipientRoles?.includes(role)));
export const selectMessagesUnreadCountByRole = (role) => derived([selectMessagesByRole(role)], unread);

export const selectSessionMetadata = (store) => store.sessionMetadata;
/** The value under a key; with no key, all of them. */
export const selectSessionStore = (key) => (store) =>
  key === undefined ? store.sessionStore : store.sessionStore[key];

export const selectPollsMap = (store) => store.polls;
export const selectPolls = derived([selectPollsMap], (polls) => Object.values(polls));
export const selectPollByID = (id) => (store) => store.polls[id];

export const selectErrors = (store) => store.errors;
export const selectRecentError = (store) => store.errors.at(-1) ?? null;

/** Ours: a key's entry with its change_version, author and time. */
export const selectSessionEntry = (key) => (store) => store.entries[key];
/** Ours: own messages on their way or not delivered, `status` being "sending" or "failed". */
export const selectOutbox = (store) => store.outbox;
/** Ours: gaps among the messages, as {after: the id of the message before or null, since: Date or undefined}. */
export const selectMissed = (store) => store.missed;
/** Ours: who was removed, as {person, name, role, reason, removedBy, removedByPerson, removedAt}; for those who may remove others. */
export const selectRemoved = (store) => store.removed;
/** Ours: milliseconds to add to performance.now() for the server's time; null until it is known. */
export const selectServerTimeOffset = (store) => store.clockOffset;
