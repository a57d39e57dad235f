// The link for others: copied at once, or, by those who may manage the room, chosen in a dialog with one for each role.

import { getState, onNotification, selectIsConnectedToRoom, selectPermissions, subscribe } from "../core.js";
import { onClick, part, setText } from "./dom.js";
import { copyLink } from "./link.js";
import { need, open } from "./opening.js";
import { toast } from "./toasts.js";
import { gettext } from "./translation.js";

/** @import { HMSStore } from "../hms.js" */

let link = ""; // empty if it is good no more
let role = ""; // that one enters with by it

/** @param {HMSStore} store */
const selectMayShare = (store) => selectIsConnectedToRoom(store) && Boolean(selectPermissions(store)?.manageRoom);

/** What the button for it is called, by whether one chooses. */
export const inviteLabel = () => (mayShare() ? gettext("Share") : gettext("Copy guest link"));

/** @param {DOMStringMap} page what the server says in it */
export function startInvite({ invite = "", inviteRole = "", closed }) {
  [link, role] = [closed ? "" : invite, inviteRole];
  for (const name of ["empty-copy", "lobby-copy"]) onClick(part(name), copyInvite);
  onClick(part("copy-invite"), share);
  part("invite-link").addEventListener("focus", () => part("invite-link").select());
  subscribe((may) => {
    setText(part("invite-label"), inviteLabel());
    if (may && !link) renew();
  }, selectMayShare);
  onNotification(({ data }) => {
    if (data.role === role) renew();
  }, "ROOM_CODE_CHANGED");
}

/** Whether one chooses among the links of all roles. */
const mayShare = () => getState(selectMayShare);

/** Copies the link for guests, or offers those of all roles. */
export function share() {
  if (mayShare()) open(({ openShare }) => openShare());
  else copyInvite();
}

function copyInvite() {
  if (link) copyLink(link);
  else toast(gettext("The link was replaced by another one. Ask a host for it."));
}

/** Finds the link anew, which only those can who may manage the room. */
async function renew() {
  link = "";
  const from = mayShare() ? await need() : null;
  link = (await from?.currentLink(role)) ?? "";
  part("invite-link").value = link;
}
