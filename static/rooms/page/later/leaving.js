// What the last one and the last host are asked before they leave, and ending the room.

import { getState } from "../../core.js";
import { hmsActions, selectIsLastHost, selectLocalPeerRoleName, selectPeerCount, selectPersons } from "../../hms.js";
import { needConnection } from "../connection.js";
import { make, part, setParts, setText } from "../dom.js";
import { ended } from "../ends.js";
import { BY_HOST, goAway } from "../leaving.js";
import { roleText } from "../roles.js";
import { fill, filled } from "../text.js";
import { attempt } from "../toasts.js";
import { gettext } from "../translation.js";
import { nameText } from "../who.js";
import { answer, confirm } from "./dialogs.js";
import { powersOf } from "./powers.js";
import { inWords } from "./words.js";

const OFFERED = 500; // people to hand over to
const NAME_SHOWN = 40; // characters

export function startLeaving() {
  part("handover-go").addEventListener("click", handOver);
  part("handover-leave").addEventListener("click", () => part("handover").close("leave"));
  part("handover-end").addEventListener("click", () => part("handover").close("end"));
}

/** Leaves, if the last one or the last host does so knowing what that means. */
export async function askBeforeLeaving() {
  if (getState(selectPeerCount) < 2) return leaveAsLast();
  if (!getState(selectIsLastHost) || !others().length) return goAway("");
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

const others = () => getState(selectPersons).filter(({ isLocal }) => !isLocal);
const ownRole = () => getState(selectLocalPeerRoleName) ?? "";

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
