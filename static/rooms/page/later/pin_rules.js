// Why one may not pin, and the hosts' switch for it.

import { getState } from "../../core.js";
import { hmsActions, selectMetadataRules, selectSessionStore } from "../../hms.js";
import { PINS_KEY } from "../pinned.js";
import { hosts, isForHosts, mayPin, selectRule } from "./pin_rights.js";
import { whoMay } from "./words.js";

/** @import { HMSMetadataRule, HMSStore } from "../../hms.js" */

const selectHeld = selectSessionStore(PINS_KEY);

/** Why one may not pin, as a sentence; empty if one may. */
export function whyNotPin() {
  if (mayPin()) return "";
  const { write, create = write } = getState(selectRule) ?? {};
  return whoMay(getState(selectHeld) ? write : create, "pin");
}

/**
 * Leaves pinning to hosts, or gives it back.
 * @param {boolean} toHosts
 */
export const leavePins = (toHosts) => hmsActions.setMetadataRules(rulesWith(getState(), toHosts));

/** @type {(store: HMSStore, toHosts: boolean) => HMSMetadataRule[]} */
function rulesWith(store, toHosts) {
  const { room, template } = selectMetadataRules(store);
  const others = room.filter(({ key }) => key !== PINS_KEY);
  const rule = { ...termsOf(selectRule(store)), key: PINS_KEY };
  // In front, and so before any rule for more keys than this.
  if (toHosts) return [{ ...rule, write: hosts(store) }, ...others];
  const left = selectRule({ ...store, metadataRules: { room: others, template } });
  const isEnough = !isForHosts(left, hosts(store)) && sameTerms(left, rule);
  return isEnough ? others : [rule, ...others];
}

/**
 * What a rule says beside who may write.
 * @param {Partial<HMSMetadataRule>} [rule]
 */
const termsOf = ({ key, write, create, remove, ...terms } = {}) => terms;

/** @type {(a: HMSMetadataRule | undefined, b: HMSMetadataRule) => boolean} */
const sameTerms = (a, b) => JSON.stringify(termsOf(a)) === JSON.stringify(termsOf(b));
