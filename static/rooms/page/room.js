// The room, for who goes in: starts its parts, listens to what ends the stay, and has the room's menu.

import { hmsActions, hmsNotifications, hmsStore, selectPermissions, selectRoleChangeRequest } from "../hms.js";
import { startAbout } from "./about.js";
import { alertActions, startAlerts } from "./alerts.js";
import { startAvatars } from "./avatar.js";
import { startComposer } from "./composer.js";
import { startConnection } from "./connection.js";
import { confirm } from "./dialogs.js";
import { make, pageData, part } from "./dom.js";
import { inviteLabel } from "./invite.js";
import { mayChooseLanguage, openLanguages } from "./languages.js";
import { BY_HOST, endRoom, leave, startLeaving } from "./leaving.js";
import { clearChat, startClearing } from "./log/clearing.js";
import { resetLog, startLog } from "./log/log.js";
import { findPlace, startPlace } from "./log/place.js";
import { ended, refused, removal } from "./main.js"; // which is there: the bundle has nothing of it again
import { toggleMenu } from "./menu.js";
import { openNewPoll, startNewPoll } from "./new_poll.js";
import { resetPanel, startPanel } from "./panel.js";
import { drawPeople, startPeople } from "./people.js";
import { hasPins, openPins, resetPins, startPins } from "./pins/bar.js";
import { PINS_KEY } from "./pins/pinned.js";
import { resetPolls, startPolls } from "./polls.js";
import { roleText } from "./roles.js";
import { isShown } from "./screens.js";
import { openSettings, startSettings } from "./settings.js";
import { share, startShare } from "./share.js";
import { drawSpotlight, SPOTLIGHT_KEY, startSpotlight } from "./spotlight.js";
import { fill } from "./text.js";
import { attempt, toast } from "./toasts.js";
import { openTranscript, startTranscript } from "./transcript.js";
import { gettext } from "./translation.js";
import { fitKeyboard } from "./viewport.js";
import { who } from "./who.js";

/** @import { HMSRoleChangeRequest } from "../hms.js" */
/** @import { MenuItem } from "./types.js" */

/** Keys of the session metadata that the room shows. */
export const OBSERVED = [PINS_KEY, SPOTLIGHT_KEY];

/** @type {Record<string, string>} */
const THEMES = { system: gettext("Theme: system"), light: gettext("Theme: light"), dark: gettext("Theme: dark") };

export function startRoom() {
  const { code = "", maxMessage } = pageData();
  startAbout();
  startAvatars();
  startLog();
  startPlace();
  startClearing();
  startComposer(Number(maxMessage), code);
  startPins();
  startSpotlight();
  startPeople();
  startPanel();
  startPolls();
  startNewPoll();
  startSettings();
  startShare();
  startTranscript();
  startAlerts();
  startConnection();
  startLeaving(ended);
  fitKeyboard();
  listenToRoom();
  part("more").addEventListener("click", () => toggleMenu(part("more"), moreActions()));
}

/** Draws what there is of a room just entered. */
export function resetRoom() {
  resetPanel();
  resetLog();
  resetPins();
  drawSpotlight();
  drawPeople();
  resetPolls();
  findPlace();
  if (matchMedia("(hover: hover)").matches) part("message").focus();
}

function listenToRoom() {
  hmsNotifications.onNotification(({ data }) => ended("removed", ...removal(data)), "REMOVED_FROM_ROOM");
  hmsNotifications.onNotification(({ data }) => {
    // As in the published SDK it tells also of who was removed by nobody inside.
    if (data.roomEnded)
      ended("ended", data.reason === BY_HOST ? gettext("The host ended it.") : make("bdi", {}, data.reason ?? ""));
    else ended("removed", ...removal(data));
  }, "ROOM_ENDED");
  hmsNotifications.onNotification(({ data: error }) => {
    if (isShown("room")) refused(error);
  }, "ERROR");
  hmsStore.subscribe((request) => request && answerRoleChange(request), selectRoleChangeRequest);
  hmsNotifications.onNotification(({ data: peer }) => {
    const role = make("bdi", {}, roleText(peer.roleName));
    if (peer.isLocal) toast(fill(gettext("Your role is now {role}."), { role }), undefined, { kind: "role" });
  }, "ROLE_UPDATED");
}

function moreActions() {
  const theme = window.hmsroomTheme;
  const isNarrow = !part("leave").checkVisibility(); // no space beside the menu
  /** @type {MenuItem[]} */
  const actions = isNarrow ? [{ label: inviteLabel(), action: share }] : [];
  if (hasPins()) actions.push({ label: gettext("Pinned messages"), action: openPins });
  actions.push({ label: THEMES[theme.current()], action: theme.change });
  if (mayChooseLanguage) actions.push({ label: gettext("Language"), action: openLanguages });
  actions.push(...alertActions(), { label: gettext("Save the transcript"), action: openTranscript });
  if (hmsStore.getState(selectPermissions)?.pollWrite)
    actions.push({ label: gettext("Make a poll"), action: openNewPoll });
  if (hmsStore.getState(selectPermissions)?.manageRoom)
    actions.push({ label: gettext("Room settings"), action: openSettings });
  if (hmsStore.getState(selectPermissions)?.removeOthers) {
    actions.push({ label: gettext("Clear the chat"), danger: true, action: clearChat });
  }
  if (hmsStore.getState(selectPermissions)?.endRoom) {
    actions.push({ label: gettext("End the room for everyone"), danger: true, action: endRoom });
  }
  if (isNarrow) actions.push({ label: gettext("Leave"), danger: true, action: leave });
  return actions;
}

/** @param {HMSRoleChangeRequest} request */
async function answerRoleChange(request) {
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
