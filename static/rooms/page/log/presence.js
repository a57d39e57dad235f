// A line about those who came and went, which is added to as long as nothing is said after it.

import { getState, selectPeers } from "../../core.js";
import { make, setParts } from "../dom.js";
import { fill } from "../text.js";
import { gettext, ngettext } from "../translation.js";
import { personOf, who } from "../who.js";

/** @import { HMSPeer } from "../../hms.js" */
/** @import { Said, Someone } from "../types.js" */

/** @typedef {[one: string, more: (count: number) => string, two?: string]} Sentences */

/** @type {Sentences} */
const JOINED = [
  gettext("{name} joined"),
  (count) => ngettext("{count} person joined", "{count} people joined", count),
  gettext("{name} and {other} joined"),
];
/** @type {Sentences} */
const LEFT = [
  gettext("{name} left"),
  (count) => ngettext("{count} person left", "{count} people left", count),
  gettext("{name} and {other} left"),
];
/** @type {Sentences} */
const REMOVED = [
  gettext("{name} was removed"),
  (count) => ngettext("{count} person was removed", "{count} people were removed", count),
];

export class PresenceLine {
  element = make("p", { class: "line", dir: "auto" });
  /** @type {Map<string, Someone>} person → as whom they joined */
  #came = new Map();
  /** @type {Map<string, Someone & { reason?: string }>} person → who is not here since, and why */
  #gone = new Map();

  /** @type {(peer: Someone, joined: boolean) => void} */
  add(peer, joined) {
    const person = personOf(peer);
    this.#gone.delete(person);
    (joined ? this.#came : this.#gone).set(person, peer);
    const gone = [...this.#gone.values()];
    const isRemoved = (/** @type {{ reason?: string }} */ { reason }) => reason === "peer kicked";
    const said = [
      ...named([...this.#came.values()], JOINED),
      ...named(
        gone.filter((one) => !isRemoved(one)),
        LEFT,
      ),
      ...named(gone.filter(isRemoved), REMOVED),
    ];
    setParts(this.element, said.slice(1));
  }
}

/**
 * Whether the peer is but one more tab of somebody who is here.
 * @param {HMSPeer} peer
 */
export function isHereOtherwise(peer) {
  const person = personOf(peer);
  const isTab = (/** @type {HMSPeer} */ other) => other.id !== peer.id && personOf(other) === person;
  return peer.isLocal || getState(selectPeers).some(isTab);
}

/**
 * @type {(peers: Someone[], sentences: Sentences) => Said[]} after a point; nothing of nobody
 */
function named(peers, [one, more, two]) {
  const { length: count } = peers;
  if (!count) return [];
  const [name, other] = peers.slice(0, 2).map(who);
  const sentence = count === 1 ? one : (count === 2 && two) || more(count);
  return [" · ", ...fill(sentence, { name, other, count })];
}
