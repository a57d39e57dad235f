// Somebody asks one to take another role.

import { getState, subscribe } from "../../core.js";
import { hmsActions, selectRoleChangeRequest } from "../../hms.js";
import { make } from "../dom.js";
import { roleText } from "../roles.js";
import { fill } from "../text.js";
import { attempt } from "../toasts.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";
import { confirm } from "./dialogs.js";

/** @import { HMSRoleChangeRequest } from "../../hms.js" */

export function startRoleChanges() {
  subscribe(answer, selectRoleChangeRequest);
  answer(getState(selectRoleChangeRequest));
}

/** @param {HMSRoleChangeRequest | null} request */
async function answer(request) {
  if (!request) return;
  const agrees = await confirm({
    title: gettext("A new role?"),
    text: fill(gettext("{name} offers you the role {role}."), {
      name: request.requestedBy ? who(request.requestedBy) : gettext("The room"),
      role: make("bdi", {}, roleText(request.role?.name)),
    }),
    action: gettext("Accept"),
  });
  if (agrees) await attempt(() => hmsActions.acceptChangeRole(request), gettext("Role not changed. {why}"));
  else hmsActions.rejectChangeRole(request);
}
