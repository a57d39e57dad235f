// A line about those who came and went, which is added to as long as nothing is said after it.

import { getState, selectPeers } from "../../core.js";
import { make, setParts } from "../dom.js";
import { fill } from "../text.js";
import { gettext, ngettext } from "../translation.js";
import { personOf, who } from "../who.js";

/** @import { HMSPeer } from "../../hms.js" */
/** @import { Said } from "../types.js" */

/** @typedef {{ peer: HMSPeer, joined: boolean }} Move */

const JOINED = {
  one: gettext("{name} joined"),
  two: gettext("{name} and {other} joined"),
  more: (/** @type {number} */ count) => ngettext("{count} person joined", "{count} people joined", count),
};
const LEFT = {
  one: gettext("{name} left"),
  two: gettext("{name} and {other} left"),
  more: (/** @type {number} */ count) => ngettext("{count} person left", "{count} people left", count),
};

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
  return peer.isLocal || getState(selectPeers).some(isTab);
}

/** @type {(moves: Move[], sentences: typeof JOINED) => Said[]} */
function named(moves, { one, two, more }) {
  if (!moves.length) return [];
  if (moves.length > 2) return fill(more(moves.length), { count: moves.length });
  const [name, other] = moves.map(({ peer }) => who(peer));
  return fill(other ? two : one, { name, other });
}
