// What a role may do to others and to the room, in words.

import { getState } from "../../core.js";
import { selectRoleByRoleName } from "../../hms.js";
import { gettext } from "../translation.js";

/** @type {[permission: string, words: string][]} */
const POWERS = [
  ["removeOthers", gettext("Remove people, and delete what others said")],
  ["changeRole", gettext("Change the roles of others, yours too")],
  ["manageRoom", gettext("Change the settings and links of the room")],
  ["endRoom", gettext("End the room for everyone")],
];

/**
 * What somebody can do with a role who could not do it with another, each as a phrase.
 * @param {string} role
 * @param {string} [before]
 */
export function powersOf(role, before = "") {
  const [gained, held] = [permissions(role), permissions(before)];
  return POWERS.filter(([name]) => gained[name] && !held[name]).map(([, words]) => words);
}

/** @type {(role: string) => Record<string, boolean | undefined>} */
const permissions = (role) => getState(selectRoleByRoleName(role))?.permissions ?? {};
