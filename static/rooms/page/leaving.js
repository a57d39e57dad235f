// Leaving, which the last one and the last host are asked about, and ending the room.

import {
  hmsActions,
  hmsStore,
  selectIsLastHost,
  selectLocalPeerRoleName,
  selectPeerCount,
  selectPersons,
} from "../hms.js";
import { needConnection } from "./connection.js";
import { answer, confirm } from "./dialogs.js";
import { make, part, setParts, setText } from "./dom.js";
import { powersOf } from "./powers.js";
import { roleText } from "./roles.js";
import { fill, filled } from "./text.js";
import { attempt } from "./toasts.js";
import { gettext } from "./translation.js";
import { nameText } from "./who.js";
import { inWords } from "./words.js";

const OFFERED = 500; // people to hand over to
const NAME_SHOWN = 40; // characters

/** The reason that others are given for the end: theirs may be another language. */
export const BY_HOST = "The host ended it.";

/** @typedef {(kind: string, text: string) => void} Ended what the page does then */

/** @type {Ended} */
let ended = () => {};

/** @param {Ended} then */
export function startLeaving(then) {
  ended = then;
  part("leave").addEventListener("click", leave);
  part("handover-go").addEventListener("click", handOver);
  part("handover-leave").addEventListener("click", () => part("handover").close("leave"));
  part("handover-end").addEventListener("click", () => part("handover").close("end"));
}

export async function leave() {
  if (hmsStore.getState(selectPeerCount) < 2) return leaveAsLast();
  if (!hmsStore.getState(selectIsLastHost) || !others().length) return goAway("");
  fillHandover();
  const choice = await answer(part("handover"));
  if (choice === "end") await endRoom();
  else if (choice === "leave") await goAway("");
}

async function leaveAsLast() {
  const sure = await confirm({
    title: gettext("Leave as the last one?"),
    text: gettext("Nobody else is here: messages, pins and polls will be gone."),
    action: gettext("Leave"),
    danger: true,
  });
  if (sure) await goAway(gettext("You were the last one: the room is empty now."));
}

/** @param {string} text what is said then, empty for the usual */
async function goAway(text) {
  await hmsActions.leave();
  ended("left", text);
}

export async function endRoom() {
  const sure = await confirm({
    title: gettext("End the room?"),
    text: gettext("Everybody leaves, and messages, pins and polls are gone."),
    action: gettext("End the room"),
    danger: true,
  });
  if (!sure) return;
  await attempt(async () => {
    await hmsActions.endRoom(false, BY_HOST);
    ended("ended", gettext("You ended it for everyone."));
  }, gettext("Not ended. {why}"));
}

// --- Handing over ---

const others = () => hmsStore.getState(selectPersons).filter(({ isLocal }) => !isLocal);
const ownRole = () => hmsStore.getState(selectLocalPeerRoleName) ?? "";

function fillHandover() {
  const people = others().slice(0, OFFERED);
  const options = people.map(({ peer }) => make("option", { value: peer.id }, nameText(peer, NAME_SHOWN)));
  part("handover-to").replaceChildren(...options);
  setParts(
    part("handover-text"),
    fill(gettext("Nobody else here has the role {role}."), { role: make("bdi", {}, roleText(ownRole())) }),
  );
  part("handover-points").replaceChildren(...powersOf(ownRole()).map((words) => make("li", {}, words)));
  part("handover-problem").hidden = true;
}

async function handOver() {
  part("handover-go").disabled = true;
  try {
    needConnection();
    await hmsActions.changeRoleOfPeer(part("handover-to").value, ownRole(), true);
    part("handover").close("leave");
  } catch (error) {
    setText(part("handover-problem"), filled(gettext("Not handed over. {why}"), { why: inWords(error) }));
    part("handover-problem").hidden = false;
  } finally {
    part("handover-go").disabled = false;
  }
}
