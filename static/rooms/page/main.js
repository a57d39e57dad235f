// The room's page: its door, which one joins by, and what it tells at the end. The room itself is loaded after it.

import { uuid } from "../client/uuid.js";
import { hmsActions } from "../hms.js";
import { resetConnection } from "./connection.js";
import { make, pageData, part, setText } from "./dom.js";
import { startDoor, waitBefore } from "./door.js";
import { startFocus } from "./focus.js";
import { startInvite } from "./invite.js";
import { startLanguages } from "./languages.js";
import { loadRoom, loadRoomSoon } from "./loader.js";
import { here, lasting } from "./memory.js";
import { rememberRoom } from "./recent.js";
import { showEnd, showScreen } from "./screens.js";
import { fill, filled } from "./text.js";
import { gettext } from "./translation.js";
import { who } from "./who.js";
import { inWords } from "./words.js";

/** @import { HMSPeer } from "../hms.js" */
/** @import { Room } from "./loader.js" */
/** @import { Said } from "./types.js" */

const { code = "", closed } = pageData();
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

/** Those that keep everybody out who is not inside, and may be over soon. */
const SHUT = new Set(["locked", "replaced", "closed"]);
/** Those that have a screen at the door, too. */
const KEPT_OUT = new Set(["removed", ...SHUT]);

function start() {
  startInvite(pageData());
  startLanguages();
  startDoor(Boolean(closed));
  startFocus();
  listenToPage();

  part("lobby-name").value ||= here.get(inside) ?? lasting.get("name") ?? ""; // typed while the script was loading
  const name = here.get(inside);
  if (name)
    enter(name); // a reload: straight back in, also where the room was closed to others meanwhile
  else if (part("lobby-form").dataset.sent) enter(part("lobby-name").value);
  else if (!closed) {
    part("lobby-name").focus();
    loadRoomSoon();
  }
}

function listenToPage() {
  // By itself the form, without a dialog that it could close, sends nothing: no name gets into an address.
  part("lobby-form").addEventListener("submit", (event) => {
    event.preventDefault();
    enter(part("lobby-name").value);
  });
  part("end-again").addEventListener("click", () => {
    if (part("lobby-name").value.trim()) enter(part("lobby-name").value);
    else location.reload(); // was refused before a name was given
  });
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
    const token = hmsActions.getAuthTokenByRoomCode({ roomCode: code, userId: ownId() });
    const [room, authToken] = await Promise.all([loadRoom(), token]);
    await hmsActions.sessionStore.observe(room.OBSERVED);
    await hmsActions.join({ userName: name, authToken });
    entered(name, room);
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

/** @type {(name: string, room: Room) => void} */
function entered(name, room) {
  here.set(inside, name);
  rememberRoom(code);
  resetConnection();
  showScreen("room");
  room.resetRoom();
}

/** @type {(kind: string, ...reason: Said[]) => void} */
export function ended(kind, ...reason) {
  if (kind !== "elsewhere") here.remove(inside);
  resetConnection();
  waitBefore(SHUT.has(kind));
  showEnd(kind, ...reason);
}

/**
 * Tells of an error that ended the stay, or kept one out.
 * @param {any} error
 */
export function refused(error) {
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
export function removal({ requestedBy, reason }) {
  const why = reason ? [...fill(gettext("Reason: {reason}."), { reason: make("bdi", {}, reason) }), " "] : [];
  const by = requestedBy ? [...fill(gettext("By {name}."), { name: who(requestedBy) }), " "] : [];
  return [...by, ...why, gettext("You can come back only when somebody lets you in again.")];
}

start();
