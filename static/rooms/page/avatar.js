// A person's mark: letters on one of twelve colours, the same for whoever looks.

import { getState, selectPeers, subscribe } from "../core.js";
import { eachFrame, make } from "./dom.js";
import { hue, huesOf, initials } from "./text.js";
import { nameOf, personOf } from "./who.js";

/** @import { HMSPeer } from "../hms.js" */
/** @import { Someone } from "./types.js" */

/** @type {HMSPeer[] | null} */
let present = null;
/** @type {Map<string, number>} */
let hues = new Map(); // of those who are present

export function startAvatars() {
  subscribe(eachFrame(redraw), selectPeers);
}

/** @param {Someone} one */
export function avatar(one) {
  const person = personOf(one);
  const properties = { class: `avatar ${look(person)}`, "data-person": person, "aria-hidden": "true" };
  return make("span", properties, initials(nameOf(one)));
}

/** @param {string} person */
function look(person) {
  const peers = getState(selectPeers);
  if (peers !== present) {
    present = peers;
    hues = huesOf(peers.map((peer) => ({ person: personOf(peer), joinedAt: Number(peer.joinedAt ?? Infinity) })));
  }
  return `hue-${hues.get(person) ?? hue(person)}`;
}

/** Who came or went may have a hue that another would have got. */
function redraw() {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".avatar"))) {
    const next = `avatar ${look(element.dataset.person ?? "")}`;
    if (element.className !== next) element.className = next;
  }
}
