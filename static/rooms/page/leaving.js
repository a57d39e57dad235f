// Leaving, which the last one and the last host are asked about, and ending the room.

import {
  hmsActions,
  hmsStore,
  selectIsLastHost,
  selectLocalPeerRoleName,
  selectPeerCount,
  selectPersons,
} from "../hms.js";
import { answer, confirm } from "./dialogs.js";
import { make, part, setParts, setText } from "./dom.js";
import { powersOf } from "./powers.js";
import { fill, filled } from "./text.js";
import { attempt } from "./toasts.js";
import { nameText } from "./who.js";
import { inWords } from "./words.js";

const OFFERED = 500; // people to hand over to
const NAME_SHOWN = 40; // characters

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
    title: "Leave as the last one?",
    text: "Nobody else is here: messages, pins and polls will be gone.",
    action: "Leave",
    danger: true,
  });
  if (sure) await goAway("You were the last one: the room is empty now.");
}

/** @param {string} text what is said then, empty for the usual */
async function goAway(text) {
  await hmsActions.leave();
  ended("left", text);
}

export async function endRoom() {
  const sure = await confirm({
    title: "End the room?",
    text: "Everybody leaves, and messages, pins and polls are gone.",
    action: "End the room",
    danger: true,
  });
  if (!sure) return;
  await attempt(async () => {
    await hmsActions.endRoom(false, "The host ended it.");
    ended("ended", "You ended it for everyone.");
  }, "Not ended");
}

// --- Handing over ---

const others = () => hmsStore.getState(selectPersons).filter(({ isLocal }) => !isLocal);
const ownRole = () => hmsStore.getState(selectLocalPeerRoleName) ?? "";

function fillHandover() {
  const people = others().slice(0, OFFERED);
  const options = people.map(({ peer }) => make("option", { value: peer.id }, nameText(peer, NAME_SHOWN)));
  part("handover-to").replaceChildren(...options);
  setParts(part("handover-text"), fill("Nobody else here is {role}.", { role: make("bdi", {}, ownRole()) }));
  part("handover-points").replaceChildren(...powersOf(ownRole()).map((words) => make("li", {}, words)));
  part("handover-problem").hidden = true;
}

async function handOver() {
  part("handover-go").disabled = true;
  try {
    await hmsActions.changeRoleOfPeer(part("handover-to").value, ownRole(), true);
    part("handover").close("leave");
  } catch (error) {
    setText(part("handover-problem"), filled("Not handed over. {why}", { why: inWords(error) }));
    part("handover-problem").hidden = false;
  } finally {
    part("handover-go").disabled = false;
  }
}
