// Who may pin: what the rules of the room say of the pins.

import { getState, subscribe } from "../../core.js";
import { selectIsConnectedToRoom, selectMayWrite, selectMetadataRule, selectRolesMap } from "../../hms.js";
import { atEntry, PINS_KEY } from "../pinned.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";

/** @import { HMSMetadataRule, HMSMetadataWriters, HMSStore } from "../../hms.js" */

const selectMayPin = selectMayWrite(PINS_KEY);
const selectMayNote = selectMayWrite("default");
export const selectRule = selectMetadataRule(PINS_KEY);

/**
 * Whether one may take a pin away; one without an id is the session metadata.
 * @param {{ id: string }} pin
 */
export const mayUnpin = ({ id }) => getState(id ? selectMayPin : selectMayNote);

/** @param {HMSStore} store */
export const selectRights = (store) => [selectMayPin(store), selectMayNote(store), selectRule(store)];

export const mayPin = () => getState(selectMayPin);

/** Tells people when the switch is turned, or was turned since one entered the room. */
export function startRights() {
  subscribe(tell, selectAreHostsPins);
  const store = getState();
  tell(selectAreHostsPins(store), selectAreHostsPins({ ...store, metadataRules: atEntry().rules }));
}

/** @type {(are: boolean | undefined, were: boolean | undefined) => void} */
function tell(are, were) {
  if (are === undefined || were === undefined || are === were) return;
  if (are) toast(gettext("Only hosts can pin messages now."));
  else if (mayPin()) toast(gettext("You can pin messages again."));
}

/**
 * Whether nobody pins but those who may change the rules; undefined outside the room.
 * @param {HMSStore} store
 */
function selectAreHostsPins(store) {
  return selectIsConnectedToRoom(store) ? isForHosts(selectRule(store), hosts(store)) : undefined;
}

export const areHostsPins = () => getState(selectAreHostsPins) === true;

/** @param {HMSStore} store */
export const hosts = (store) =>
  Object.entries(selectRolesMap(store)).flatMap(([name, { permissions }]) => (permissions?.manageRoom ? [name] : []));

/** @type {(rule: HMSMetadataRule | undefined, hosts: string[]) => boolean} */
export function isForHosts(rule, hosts) {
  const { write, create = write } = rule ?? {};
  /** @param {HMSMetadataWriters | undefined} who */
  const isTheirs = (who) => Array.isArray(who) && who.every((role) => hosts.includes(role));
  return isTheirs(write) && isTheirs(create);
}
