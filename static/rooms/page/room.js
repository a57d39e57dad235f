// The room: starts its parts, and listens to what ends the stay.

import {
  onNotification,
  selectPermissions,
  selectRemoved,
  selectRoleChangeRequest,
  selectRoom,
  selectRoomState,
  subscribe,
} from "../core.js";
import { startAbout } from "./about.js";
import { startAlerts } from "./alerts.js";
import { startAvatars } from "./avatar.js";
import { startComposer } from "./composer.js";
import { startConnection } from "./connection.js";
import { make, onClick, pageData, part } from "./dom.js";
import { ended, refused, removed } from "./ends.js";
import { BY_HOST, startLeaving } from "./leaving.js";
import { startClearing } from "./log/clearing.js";
import { resetLog, startLog } from "./log/log.js";
import { findPlace, startPlace } from "./log/place.js";
import { need, openAt } from "./opening.js";
import { resetPanel, startPanel } from "./panel.js";
import { drawPeople, startPeople } from "./people.js";
import { PINS_KEY, resetPins, selectHasPins } from "./pinned.js";
import { resetPolls, selectHasPolls } from "./polls.js";
import { roleText } from "./roles.js";
import { isShown } from "./screens.js";
import { SPOTLIGHT_KEY, selectLit } from "./spotlight.js";
import { fill } from "./text.js";
import { toast } from "./toasts.js";
import { gettext } from "./translation.js";
import { fitKeyboard } from "./viewport.js";

/** @import { HMSStore } from "../hms.js" */

/** Keys of the session metadata that the room shows. */
export const OBSERVED = [PINS_KEY, SPOTLIGHT_KEY];

export function startRoom() {
  const { code = "", maxMessage } = pageData();
  startAbout();
  startAvatars();
  startLog();
  startPlace();
  startClearing();
  startComposer(Number(maxMessage), code);
  startPeople();
  startPanel();
  startAlerts();
  startConnection();
  startLeaving();
  fitKeyboard();
  listenToRoom();
  subscribe((isIt) => isIt && need(), selectIsMoreWanted);
  onClick(part("more"), () => openAt(part("more"), ({ toggleRoomMenu }) => toggleRoomMenu()));
}

/** Draws what there is of a room just entered. */
export function resetRoom() {
  resetPanel();
  resetLog();
  resetPins();
  drawPeople();
  resetPolls();
  findPlace();
  if (matchMedia("(hover: hover)").matches) part("message").focus();
}

/**
 * Whether the room has something that later.js shows by itself.
 * @param {HMSStore} store
 */
const selectIsMoreNeeded = (store) =>
  Boolean(selectLit(store)) ||
  selectRoom(store).slowMode > 0 ||
  selectHasPins(store) ||
  selectHasPolls(store) ||
  Boolean(selectRoleChangeRequest(store)) ||
  Boolean(selectPermissions(store)?.removeOthers && selectRemoved(store).length);

/**
 * The same while there is a connection: what could not be loaded is asked for again when one is back.
 * @param {HMSStore} store
 */
const selectIsMoreWanted = (store) => selectRoomState(store) === "Connected" && selectIsMoreNeeded(store);

function listenToRoom() {
  onNotification(({ data }) => removed(data), "REMOVED_FROM_ROOM");
  onNotification(({ data }) => {
    // As in the published SDK it tells also of who was removed by nobody inside.
    if (data.roomEnded)
      ended("ended", data.reason === BY_HOST ? gettext("The host ended it.") : make("bdi", {}, data.reason ?? ""));
    else removed(data);
  }, "ROOM_ENDED");
  onNotification(({ data: error }) => {
    if (isShown("room")) refused(error);
  }, "ERROR");
  onNotification(({ data: peer }) => {
    const role = make("bdi", {}, roleText(peer.roleName));
    if (peer.isLocal) toast(fill(gettext("Your role is now {role}."), { role }), undefined, { kind: "role" });
  }, "ROLE_UPDATED");
}
