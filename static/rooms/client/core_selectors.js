// Selectors under the names of the 100ms SDK, functions of the store's state, that every page needs: selectors.js has
// the rest. What is ours says so.

import { derived, select } from "./select.js";
import { messageIn, messagesIn } from "./state/view.js";

/** @import { HMSRoleChangeRequest } from "../hms.js" */
/** @import { Selector } from "./select.js" */

export const selectRoom = select((store) => store.room);
export const selectRoomState = select((store) => store.room.roomState);
export const selectIsConnectedToRoom = select((store) => store.room.isConnected);
export const selectSessionId = select((store) => store.room.sessionId);
export const selectPeersMap = select((store) => store.peers);
export const selectPeers = derived([selectPeersMap, selectRoom], (peers, room) => room.peers.map((id) => peers[id]));
export const selectLocalPeer = select((store) => store.peers[store.room.localPeer]);
export const selectLocalPeerRoleName = select((store) => selectLocalPeer(store)?.roleName);
export const selectRemotePeers = derived([selectPeers], (peers) => peers.filter((peer) => !peer.isLocal));
export const selectPeerCount = select(({ room }) => room.peerCount || room.peers.length);
export const selectPeerByID = (/** @type {string} */ id) => select((store) => store.peers[id]);

export const selectPeersWithHandRaised = derived([selectPeers], (peers) =>
  peers.filter((peer) => peer.isHandRaised).sort((a, b) => Number(a.raisedAt) - Number(b.raisedAt)),
);
export const selectHandRaisedPeers = selectPeersWithHandRaised;
export const selectRolesMap = select((store) => store.roles);
export const selectAvailableRoleNames = derived([selectRolesMap], (roles) => Object.keys(roles));
export const selectLocalPeerRole = select((store) => store.roles[selectLocalPeerRoleName(store) ?? ""] ?? null);
export const selectPermissions = select((store) => selectLocalPeerRole(store)?.permissions);
/** @type {Selector<HMSRoleChangeRequest | null>} */
export const selectRoleChangeRequest = derived(
  [(store) => store.roleChangeRequests, selectPeersMap],
  ([request], peers) =>
    request
      ? { requestedBy: peers[request.requestedBy ?? ""], role: { name: request.roleName }, token: request.token }
      : null,
);
export const selectMessageByMessageID = (/** @type {string} */ id) => select((store) => messageIn(store.messages, id));
export const selectHMSMessages = derived([(store) => store.messages], messagesIn);
export const selectHMSMessagesCount = select((store) => store.messages.allIDs.length);

export const selectSessionMetadata = select((store) => store.sessionMetadata);
/**
 * The value under a key; with no key, all of them.
 * @param {string} [key]
 */
export const selectSessionStore = (key) =>
  select((store) => (key === undefined ? store.sessionStore : store.sessionStore[key]));
export const selectPollsMap = select((store) => store.polls);
export const selectPolls = derived([selectPollsMap], (polls) => Object.values(polls));
/** Ours: own messages on their way or not delivered, `status` being "sending" or "failed". */
export const selectOutbox = select((store) => store.outbox);
/** Ours: gaps among the messages, as {after: the id of the message before or null, since: Date or undefined}. */
export const selectMissed = select((store) => store.missed);
/** Ours: who is writing now: [{peerID, isPrivate, recipientRoles?}]. */
export const selectTyping = select((store) => store.typing);
/** Ours: what there is of before: {hasMore, isWithheld}. */
export const selectHistory = select((store) => store.history);
/** Ours: milliseconds to add to performance.now() for the server's time; null until it is known. */
export const selectServerTimeOffset = select((store) => store.clockOffset);
/** Ours: the rules of session metadata, {room, template}: those of the room go first. */
export const selectMetadataRules = select((store) => store.metadataRules);
/** Ours: who was removed; for those who may remove others. */
export const selectRemoved = select((store) => store.removed);
