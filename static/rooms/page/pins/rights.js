// Who may pin: what the rules of the room say of the pins, and the hosts' switch for it.

import {
  hmsActions,
  hmsStore,
  selectIsConnectedToRoom,
  selectMayWrite,
  selectMetadataRule,
  selectMetadataRules,
  selectRolesMap,
  selectSessionStore,
} from "../../hms.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { whoMay } from "../words.js";
import { PINS_KEY } from "./pinned.js";

/** @import { HMSMetadataRule, HMSMetadataWriters, HMSStore } from "../../hms.js" */

const selectMayPin = selectMayWrite(PINS_KEY);
const selectMayNote = selectMayWrite("default");
const selectRule = selectMetadataRule(PINS_KEY);
const selectHeld = selectSessionStore(PINS_KEY);

/**
 * Whether one may take a pin away; one without an id is the session metadata.
 * @param {{ id: string }} pin
 */
export const mayUnpin = ({ id }) => hmsStore.getState(id ? selectMayPin : selectMayNote);

/** @param {HMSStore} store */
export const selectRights = (store) => [selectMayPin(store), selectMayNote(store), selectRule(store)];

/** Why one may not pin, as a sentence; empty if one may. */
export function whyNotPin() {
  if (hmsStore.getState(selectMayPin)) return "";
  const { write, create = write } = hmsStore.getState(selectRule) ?? {};
  return whoMay(hmsStore.getState(selectHeld) ? write : create, "pin");
}

/** Tells people when the switch is turned. */
export function startRights() {
  hmsStore.subscribe((are, were) => {
    if (are === undefined || were === undefined) return;
    if (are) toast(gettext("Only hosts can pin messages now."));
    else if (hmsStore.getState(selectMayPin)) toast(gettext("You can pin messages again."));
  }, selectAreHostsPins);
}

/**
 * Whether nobody pins but those who may change the rules; undefined outside the room.
 * @param {HMSStore} store
 */
function selectAreHostsPins(store) {
  return selectIsConnectedToRoom(store) ? isForHosts(selectRule(store), hosts(store)) : undefined;
}

export const areHostsPins = () => hmsStore.getState(selectAreHostsPins) === true;

/** @param {HMSStore} store */
const hosts = (store) =>
  Object.entries(selectRolesMap(store)).flatMap(([name, { permissions }]) => (permissions?.manageRoom ? [name] : []));

/** @type {(rule: HMSMetadataRule | undefined, hosts: string[]) => boolean} */
function isForHosts(rule, hosts) {
  const { write, create = write } = rule ?? {};
  /** @param {HMSMetadataWriters | undefined} who */
  const isTheirs = (who) => Array.isArray(who) && who.every((role) => hosts.includes(role));
  return isTheirs(write) && isTheirs(create);
}

/**
 * Leaves pinning to hosts, or gives it back.
 * @param {boolean} toHosts
 */
export const leavePins = (toHosts) => hmsActions.setMetadataRules(rulesWith(hmsStore.getState(), toHosts));

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
