// Raised hands: later/hands.js raises and lowers them. A person has one hand, whatever the number of tabs: it is up in each.

import { getState, onNotification, selectHandRaisedPeers, selectLocalPeer, selectPermissions } from "../core.js";
import { onClick, part, setText } from "./dom.js";
import { need } from "./opening.js";
import { gettext } from "./translation.js";
import { personOf } from "./who.js";

/** @import { HMSPeer } from "../hms.js" */

let isTurning = false;

export function startHands() {
  onClick(part("hand"), turnOwnHand);
  onClick(part("lower-all"), lowerAll);
  onNotification(async ({ data: peer }) => (await need())?.tellHand(peer), "HAND_RAISE_CHANGED");
}

async function turnOwnHand() {
  if (isTurning) return;
  isTurning = true;
  await (await need(turnOwnHand))?.turnOwnHand();
  isTurning = false;
}

const lowerAll = async () => (await need(lowerAll))?.lowerAll();

/**
 * The tabs in which somebody's hand was raised.
 * @param {HMSPeer} peer
 */
export const raisedBy = (peer) => getState(selectHandRaisedPeers).filter((other) => personOf(other) === personOf(peer));

/** The same for the reader. */
export function ownRaised() {
  const local = getState(selectLocalPeer);
  return local ? raisedBy(local) : [];
}

export function drawOwnHand() {
  const isUp = ownRaised().length > 0;
  // A hand that is up can be lowered, also by who may not raise one any more.
  part("hand").hidden = !getState(selectPermissions)?.raiseHand && !isUp;
  part("hand").setAttribute("aria-pressed", String(isUp));
  setText(part("hand-label"), isUp ? gettext("Lower hand") : gettext("Raise hand"));
}
