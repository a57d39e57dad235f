// A line about those who came and went, which is added to as long as nothing is said after it.

import { hmsStore, selectPeers } from "../../hms.js";
import { make, setParts } from "../dom.js";
import { fill } from "../text.js";
import { personOf, who } from "../who.js";

/** @import { HMSPeer } from "../../hms.js" */
/** @import { Said } from "../types.js" */

/** @typedef {{ peer: HMSPeer, joined: boolean }} Move */

const JOINED = { one: "{name} joined", two: "{name} and {other} joined", more: "{count} people joined" };
const LEFT = { one: "{name} left", two: "{name} and {other} left", more: "{count} people left" };

export class PresenceLine {
  element = make("p", { class: "line", dir: "auto" });
  /** @type {Map<string, Move>} person → the last that is known of them */
  #moves = new Map();

  /** @param {Move} move */
  add(move) {
    this.#moves.set(personOf(move.peer), move);
    const moves = [...this.#moves.values()];
    const came = moves.filter(({ joined }) => joined);
    const went = moves.filter(({ joined }) => !joined);
    const both = came.length && went.length ? " · " : "";
    setParts(this.element, [...named(came, JOINED), both, ...named(went, LEFT)]);
  }
}

/**
 * Whether the peer is but one more tab of somebody who is here.
 * @param {HMSPeer} peer
 */
export function isHereOtherwise(peer) {
  const person = personOf(peer);
  const isTab = (/** @type {HMSPeer} */ other) => other.id !== peer.id && personOf(other) === person;
  return peer.isLocal || hmsStore.getState(selectPeers).some(isTab);
}

/** @type {(moves: Move[], sentences: typeof JOINED) => Said[]} */
function named(moves, { one, two, more }) {
  if (!moves.length) return [];
  if (moves.length > 2) return fill(more, { count: moves.length });
  const [name, other] = moves.map(({ peer }) => who(peer));
  return fill(other ? two : one, { name, other });
}
