// Raising hands, lowering them, and that somebody did. One's own is lowered in all tabs.

import { getState } from "../../core.js";
import { hmsActions, selectHandRaisedPeers } from "../../hms.js";
import { ownRaised, raisedBy } from "../hands.js";
import { fill } from "../text.js";
import { attempt, toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { isReader, personOf, who } from "../who.js";

/** @import { HMSPeer } from "../../hms.js" */

let isLowering = false; // one's own, here

export const turnOwnHand = () =>
  attempt(async () => {
    const tabs = ownRaised();
    isLowering = tabs.length > 0;
    if (isLowering) await lower(tabs);
    else await hmsActions.raiseLocalPeerHand();
  }, gettext("Hand not changed. {why}")).finally(() => {
    isLowering = false;
  });

export function lowerAll() {
  for (const peer of getState(selectHandRaisedPeers)) lowerHand([peer]);
}

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
export function tellHand(peer) {
  const tabs = raisedBy(peer).length;
  if (isReader(peer)) {
    if (!tabs) toast(gettext("Your hand is down."), undefined, { kind: "own-hand", isOwn: isLowering });
  } else if (peer.isHandRaised && tabs === 1) {
    const count = new Set(getState(selectHandRaisedPeers).map(personOf)).size;
    const sentence = count > 1 ? gettext("{name} raised a hand. Hands up: {count}") : gettext("{name} raised a hand.");
    toast(fill(sentence, { name: who(peer), count }), undefined, { kind: "hands" });
  }
}
