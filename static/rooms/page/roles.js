// What roles are called: the usual ones in the page's language, others by the name that they were given.

import { gettext } from "./translation.js";

const USUAL = new Map([
  ["host", gettext("host")],
  ["guest", gettext("guest")],
  ["viewer", gettext("viewer")],
]);

/** @param {string} [role] */
export const roleText = (role = "") => USUAL.get(role) ?? role;
