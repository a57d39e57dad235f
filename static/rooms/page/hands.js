// Raised hands. A person has one hand, whatever the number of tabs: it is up in each, and lowered in all.

import {
  hmsActions,
  hmsNotifications,
  hmsStore,
  selectHandRaisedPeers,
  selectLocalPeer,
  selectPermissions,
} from "../core.js";
import { part, setText } from "./dom.js";
import { fill } from "./text.js";
import { attempt, toast } from "./toasts.js";
import { gettext } from "./translation.js";
import { isReader, personOf, who } from "./who.js";

/** @import { HMSPeer } from "../hms.js" */

let isLowering = false; // one's own, here

export function startHands() {
  part("hand").addEventListener("click", turnOwnHand);
  part("lower-all").addEventListener("click", () => {
    for (const peer of hmsStore.getState(selectHandRaisedPeers)) lowerHand([peer]);
  });
  hmsNotifications.onNotification(({ data: peer }) => tellHand(peer), "HAND_RAISE_CHANGED");
}

/**
 * The tabs in which somebody's hand was raised.
 * @param {HMSPeer} peer
 */
export const raisedBy = (peer) =>
  hmsStore.getState(selectHandRaisedPeers).filter((other) => personOf(other) === personOf(peer));

/** The same for the reader. */
function ownRaised() {
  const local = hmsStore.getState(selectLocalPeer);
  return local ? raisedBy(local) : [];
}

export function drawOwnHand() {
  const isUp = ownRaised().length > 0;
  // A hand that is up can be lowered, also by who may not raise one any more.
  part("hand").hidden = !hmsStore.getState(selectPermissions)?.raiseHand && !isUp;
  part("hand").setAttribute("aria-pressed", String(isUp));
  setText(part("hand-label"), isUp ? gettext("Lower hand") : gettext("Raise hand"));
}

export const turnOwnHand = () =>
  attempt(async () => {
    const tabs = ownRaised();
    isLowering = tabs.length > 0;
    if (isLowering) await lower(tabs);
    else await hmsActions.raiseLocalPeerHand();
  }, gettext("Hand not changed. {why}")).finally(() => {
    isLowering = false;
  });

/**
 * Lowers a person's hand in every tab.
 * @param {HMSPeer[]} tabs
 */
export const lowerHand = (tabs) => attempt(() => lower(tabs), gettext("Hand not lowered. {why}"));

/** @param {HMSPeer[]} tabs */
async function lower(tabs) {
  for (const peer of tabs.filter(({ isHandRaised }) => isHandRaised)) {
    await (peer.isLocal ? hmsActions.lowerLocalPeerHand() : hmsActions.lowerRemotePeerHand(peer.id));
  }
}

/**
 * Says that somebody else raised a hand, or that one's own is down: once for all tabs.
 * @param {HMSPeer} peer
 */
function tellHand(peer) {
  const tabs = raisedBy(peer).length;
  if (isReader(peer)) {
    if (!tabs) toast(gettext("Your hand is down."), undefined, { kind: "own-hand", isOwn: isLowering });
  } else if (peer.isHandRaised && tabs === 1) {
    const count = new Set(hmsStore.getState(selectHandRaisedPeers).map(personOf)).size;
    const sentence = count > 1 ? gettext("{name} raised a hand. Hands up: {count}") : gettext("{name} raised a hand.");
    toast(fill(sentence, { name: who(peer), count }), undefined, { kind: "hands" });
  }
}
