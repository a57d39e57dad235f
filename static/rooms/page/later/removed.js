// Those who were removed, for whoever may let them in again.

import { getState, subscribe } from "../../core.js";
import { hmsActions, selectPermissions, selectRemoved, selectRoom } from "../../hms.js";
import { avatar } from "../avatar.js";
import { arrange, make, part, setParts } from "../dom.js";
import { isModerator } from "../people.js";
import { roleText } from "../roles.js";
import { fill, fullTime } from "../text.js";
import { attempt, toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { labelName, who } from "../who.js";

/** @import { HMSRemoved } from "../../hms.js" */

/** @type {Map<string, HTMLElement>} */
const removed = new Map(); // person → its row

export function startRemoved() {
  subscribe(draw, (store) => [selectRemoved(store), selectPermissions(store)]);
  draw();
}

function draw() {
  const held = isModerator() ? getState(selectRemoved) : [];
  const persons = new Set(held.map(({ person }) => person));
  for (const person of removed.keys()) if (!persons.has(person)) removed.delete(person);
  part("removed").hidden = !held.length;
  arrange(
    part("removed-list"),
    held.map((one) => {
      const element = removed.get(one.person) ?? removedRow(one);
      removed.set(one.person, element);
      return element;
    }),
  );
}

/** @param {HMSRemoved} removed */
function removedRow({ person, name, role, reason, removedBy, removedByPerson, removedAt }) {
  const one = { person, name };
  const back = make("button", { class: "button small", type: "button" }, gettext("Let in again"));
  labelName(back, gettext("Let in again: {name}"), one);
  back.addEventListener("click", () => letIn(one));
  const by = make("span", { class: "person-status", title: removedAt && fullTime(removedAt) });
  const host = removedBy && who({ name: removedBy, person: removedByPerson });
  setParts(by, host ? fill(gettext("Removed by {name}"), { name: host }) : [gettext("Removed")]);
  const line = make("span", { class: "person-line" }, who(one), make("span", { class: "role" }, roleText(role)));
  const why = make("span", { class: "person-status", dir: "auto" }, reason);
  return make("li", { class: "person" }, avatar(one), make("span", { class: "person-text" }, line, by, why), back);
}

/** @param {{ person: string, name: string }} one */
const letIn = (one) =>
  attempt(async () => {
    await hmsActions.letIn(one.person);
    if (getState(selectRoom).locked)
      toast(fill(gettext("{name} can come back. For all others the room stays locked."), { name: who(one) }));
  }, gettext("Not let in. {why}"));
