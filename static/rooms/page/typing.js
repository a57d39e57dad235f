// Who is writing a message, in a line that is always there; and telling others that one is.

import { getState, hmsActions, selectLocalPeer, selectPeers, selectTyping, subscribe } from "../core.js";
import { isAway } from "./connection.js";
import { eachFrame, part, setParts } from "./dom.js";
import { recipient } from "./recipients.js";
import { fill } from "./text.js";
import { gettext } from "./translation.js";
import { personOf, who } from "./who.js";

/** @import { HMSPeer, HMSTyping } from "../hms.js" */
/** @import { Said } from "./types.js" */

export function startTyping() {
  const drawSoon = eachFrame(draw);
  subscribe(drawSoon, selectTyping);
  subscribe(drawSoon, selectPeers);
}

/** Tells whom the message is for that one is writing it, or, once it is empty, that one is not any more. */
export function tellTyping() {
  if (isAway()) return; // what is called now would be told when nobody writes any more
  const { kind, id } = recipient();
  const to = kind === "peer" ? { recipientPeer: id } : kind === "role" ? { recipientRoles: [id] } : {};
  hmsActions.setTyping(part("message").value.trim() !== "", to).catch(() => {}); // of no matter if it is refused
}

function draw() {
  setParts(part("typing"), sentence());
}

/** @returns {Said[]} */
function sentence() {
  const [first, second, ...others] = writing();
  if (others.length) return [gettext("Several people are typing…")];
  if (second)
    return fill(gettext("{name} and {other} are typing…"), { name: who(first.peer), other: who(second.peer) });
  if (!first) return [];
  const name = who(first.peer);
  return first.isPrivate
    ? fill(gettext("{name} is typing to you alone…"), { name })
    : fill(gettext("{name} is typing…"), { name });
}

/** Other persons who are writing, each once. */
function writing() {
  const { typing, peers } = { typing: getState(selectTyping), peers: getState(selectPeers) };
  const local = getState(selectLocalPeer);
  /** @type {Map<string, { peer: HMSPeer, isPrivate: boolean }>} */
  const persons = new Map();
  for (const { peerID, isPrivate } of typing) {
    const peer = peers.find(({ id }) => id === peerID);
    if (peer && local && personOf(peer) !== personOf(local)) persons.set(personOf(peer), { peer, isPrivate });
  }
  return [...persons.values()];
}
