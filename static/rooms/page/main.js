// The room's page: wires the parts together, joins, and tells how it ended.

import { uuid } from "../client/uuid.js";
import { hmsActions, hmsNotifications, hmsStore, selectPermissions, selectRoleChangeRequest } from "../hms.js";
import { startAbout } from "./about.js";
import { alertActions, startAlerts } from "./alerts.js";
import { startComposer } from "./composer.js";
import { resetConnection, startConnection } from "./connection.js";
import { confirm } from "./dialogs.js";
import { make, pageData, part, setText } from "./dom.js";
import { inviteLabel, share, startInvite } from "./invite.js";
import { mayChooseLanguage, openLanguages, startLanguages } from "./languages.js";
import { BY_HOST, endRoom, leave, startLeaving } from "./leaving.js";
import { clearChat, startClearing } from "./log/clearing.js";
import { resetLog, startLog } from "./log/log.js";
import { here, lasting } from "./memory.js";
import { toggleMenu } from "./menu.js";
import { openNewPoll, startNewPoll } from "./new_poll.js";
import { resetPanel, startPanel } from "./panel.js";
import { drawPeople, startPeople } from "./people.js";
import { hasPins, openPins, resetPins, startPins } from "./pins/bar.js";
import { PINS_KEY } from "./pins/pinned.js";
import { resetPolls, startPolls } from "./polls.js";
import { rememberRoom } from "./recent.js";
import { roleText } from "./roles.js";
import { isShown, showEnd, showScreen } from "./screens.js";
import { openSettings, startSettings } from "./settings.js";
import { startShare } from "./share.js";
import { drawSpotlight, SPOTLIGHT_KEY, startSpotlight } from "./spotlight.js";
import { fill, filled } from "./text.js";
import { attempt, toast } from "./toasts.js";
import { openTranscript, startTranscript } from "./transcript.js";
import { gettext } from "./translation.js";
import { fitKeyboard } from "./viewport.js";
import { who } from "./who.js";
import { inWords } from "./words.js";

/** @import { HMSPeer, HMSRoleChangeRequest } from "../hms.js" */
/** @import { MenuItem, Said } from "./types.js" */

const { code = "", closed, maxMessage } = pageData();
const inside = `inside:${code}`; // in this tab: the name under which one is in the room

/**
 * Codes of errors that end the stay, and the screens that tell of them.
 * @type {Map<number | undefined, string>}
 */
const ENDINGS = new Map([
  [4002, "elsewhere"],
  [4003, "removed"],
  [401, "expired"],
  [403, "refused"],
  [404, "refused"],
]);

/** Those that have a screen at the door, too. */
const KEPT_OUT = new Set(["removed", "locked", "replaced", "closed"]);

/** @type {Record<string, string>} */
const THEMES = { system: gettext("Theme: system"), light: gettext("Theme: light"), dark: gettext("Theme: dark") };

function start() {
  startInvite(pageData());
  startAbout();
  startLog();
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
  startLanguages();
  fitKeyboard();
  listenToPage();
  listenToRoom();

  part("lobby-name").value ||= here.get(inside) ?? lasting.get("name") ?? ""; // typed while the script was loading
  const name = here.get(inside);
  if (name)
    enter(name); // a reload: straight back in, also where the room was closed to others meanwhile
  else if (!closed) part("lobby-name").focus();
}

function listenToPage() {
  part("lobby-form").addEventListener("submit", (event) => {
    event.preventDefault();
    enter(part("lobby-name").value);
  });
  part("more").addEventListener("click", () => toggleMenu(part("more"), moreActions()));
  part("end-again").addEventListener("click", () => {
    if (part("lobby-name").value.trim()) enter(part("lobby-name").value);
    else location.reload(); // was refused before a name was given
  });
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
    if (peer.isLocal) toast(fill(gettext("You are now {role}."), { role: make("bdi", {}, roleText(peer.roleName)) }));
  }, "ROLE_UPDATED");
}

/** @param {string} given */
async function enter(given) {
  const name = given.trim();
  if (!name) return;
  lasting.set("name", name);
  const button = part("lobby-join");
  showScreen("lobby");
  button.disabled = true;
  button.textContent = gettext("Joining…");
  part("lobby-problem").hidden = true;
  try {
    await hmsActions.sessionStore.observe([PINS_KEY, SPOTLIGHT_KEY]);
    const authToken = await hmsActions.getAuthTokenByRoomCode({ roomCode: code, userId: ownId() });
    await hmsActions.join({ userName: name, authToken });
    entered(name);
  } catch (error) {
    if (KEPT_OUT.has(endingOf(error))) refused(error);
    else {
      setText(part("lobby-problem"), filled(gettext("You could not join. {why}"), { why: inWords(error) }));
      part("lobby-problem").hidden = false;
    }
  } finally {
    button.disabled = false;
    button.textContent = gettext("Join the room");
  }
}

/** This browser's person, the same in all its tabs. */
function ownId() {
  const id = lasting.get("user") ?? uuid();
  lasting.set("user", id);
  return id;
}

/** @param {string} name */
function entered(name) {
  here.set(inside, name);
  rememberRoom(code);
  resetConnection();
  showScreen("room");
  resetPanel();
  resetLog();
  resetPins();
  drawSpotlight();
  drawPeople();
  resetPolls();
  if (matchMedia("(hover: hover)").matches) part("message").focus();
}

/** @type {(kind: string, ...reason: Said[]) => void} */
function ended(kind, ...reason) {
  if (kind !== "elsewhere") here.remove(inside);
  resetConnection();
  showEnd(kind, ...reason);
}

/**
 * Tells of an error that ended the stay, or kept one out.
 * @param {any} error
 */
function refused(error) {
  const kind = endingOf(error);
  if (kind === "removed") ended(kind, ...removal(error.data ?? {}));
  else ended(kind, kind === "refused" || kind === "lost" ? inWords(error) : "");
}

/** @param {any} error */
function endingOf({ code: number, message, data }) {
  if (data?.removed) return "removed";
  if (data?.locked) return "locked";
  if (number === 403 && /opens the room no longer/u.test(message)) return "replaced";
  if (number === 403 && /closed|not available/u.test(message)) return "closed";
  if (number === 401 && /access.key/u.test(message)) return "revoked";
  return ENDINGS.get(number) ?? "lost";
}

/**
 * What somebody is told who was removed: the reason, by whom, and what now.
 * @param {{ requestedBy?: HMSPeer, reason?: string }} told
 * @returns {Said[]}
 */
function removal({ requestedBy, reason }) {
  const said = reason
    ? fill(gettext("You were removed: {reason}."), { reason: make("bdi", {}, reason) })
    : [gettext("You were removed.")];
  const by = requestedBy ? fill(gettext("By {name}."), { name: who(requestedBy) }) : [];
  return [...said, " ", ...by, " ", gettext("You can come back only when somebody lets you in again.")];
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
    text: fill(gettext("{name} asks you to become {role}."), {
      name: request.requestedBy ? who(request.requestedBy) : gettext("The room"),
      role: make("bdi", {}, roleText(request.role?.name)),
    }),
    action: gettext("Accept"),
  });
  if (agrees) await attempt(() => hmsActions.acceptChangeRole(request), gettext("Role not changed. {why}"));
  else hmsActions.rejectChangeRole(request);
}

start();
