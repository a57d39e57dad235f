// The room's page: its door, which one joins by.

import { uuid } from "../client/uuid.js";
import { hmsActions } from "../core.js";
import { resetConnection } from "./connection.js";
import { onClick, pageData, part, setText } from "./dom.js";
import { showToken, startDoor } from "./door.js";
import { keepName, nameInside } from "./ends.js";
import { startFocus } from "./focus.js";
import { startInvite } from "./invite.js";
import { startLanguages } from "./languages.js";
import { soon } from "./loader.js";
import { lasting } from "./memory.js";
import { rememberRoom } from "./recent.js";
import { OBSERVED, resetRoom, startRoom } from "./room.js";
import { showScreen } from "./screens.js";
import { filled } from "./text.js";
import { gettext } from "./translation.js";
import { inWords } from "./why.js";

const { code = "", closed } = pageData();

function start() {
  startInvite(pageData());
  startLanguages();
  startDoor(Boolean(closed));
  startFocus();
  listenToPage();

  const name = nameInside();
  part("lobby-name").value ||= name ?? lasting.get("name") ?? ""; // typed while the script was loading
  if (!closed) part("lobby-name").focus();
  startRoom();
  if (name)
    enter(name); // a reload: straight back in, also where the room was closed to others meanwhile
  else if (part("lobby-form").dataset.sent) enter(part("lobby-name").value);
}

function listenToPage() {
  // By itself the form, without a dialog that it could close, sends nothing: no name gets into an address.
  part("lobby-form").addEventListener("submit", (event) => {
    event.preventDefault();
    enter(part("lobby-name").value);
  });
  onClick(part("end-again"), () => {
    if (part("lobby-name").value.trim()) enter(part("lobby-name").value);
    else location.reload(); // was refused before a name was given
  });
}

/** @param {string} given */
async function enter(given) {
  const name = given.trim();
  if (!name) {
    part("lobby-name").value = "";
    part("lobby-form").reportValidity(); // blanks are no name: what none is told
    return;
  }
  lasting.set("name", name);
  const button = part("lobby-join");
  showScreen("lobby");
  button.disabled = true;
  button.textContent = gettext("Joining…");
  part("lobby-problem").hidden = true;
  try {
    const authToken = await hmsActions.getAuthTokenByRoomCode({ roomCode: code, userId: ownId() });
    showToken(authToken);
    await hmsActions.sessionStore.observe(OBSERVED);
    await hmsActions.join({ userName: name, authToken });
    entered(name);
  } catch (error) {
    const from = await soon();
    if (from?.isKeptOut(error)) from.refused(error);
    else {
      setText(part("lobby-problem"), filled(gettext("You could not join. {why}"), { why: await inWords(error) }));
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
  keepName(name);
  rememberRoom(code);
  resetConnection();
  showScreen("room");
  resetRoom();
}

start();
