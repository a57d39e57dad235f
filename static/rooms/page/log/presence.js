// A line about those who came and went, which is added to as long as nothing is said after it.

import { hmsStore, selectPeers } from "../../hms.js";
import { make, setParts } from "../dom.js";
import { personOf, who } from "../who.js";

/** @import { HMSPeer } from "../../hms.js" */
/** @import { Said } from "../types.js" */

/** @typedef {{ peer: HMSPeer, joined: boolean }} Move */

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
    setParts(this.element, [...didSomething(came, "joined"), both, ...didSomething(went, "left")]);
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

/** @type {(moves: Move[], what: string) => Said[]} */
function didSomething(moves, what) {
  if (!moves.length) return [];
  if (moves.length > 2) return [`${moves.length} people ${what}`];
  const [first, second] = moves.map(({ peer }) => who(peer));
  return second ? [first, " and ", second, ` ${what}`] : [first, ` ${what}`];
}
