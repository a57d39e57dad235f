// After an @, the people whose names begin with what is typed, to complete it.

import { hmsStore, selectRemotePeers } from "../../hms.js";
import { avatar } from "../avatar.js";
import { make, part } from "../dom.js";
import { mention, namedAtCursor } from "../mentions.js";
import { persons } from "../persons.js";
import { filled } from "../text.js";
import { announce } from "../toasts.js";
import { ngettext } from "../translation.js";
import { nameOf, typedName, who } from "../who.js";

/** @import { PersonHere } from "../types.js" */

const MOST = 6; // people offered at a time

const text = part("message");
const list = part("mentions");
/** @type {PersonHere[]} */
let offered = [];
let at = 0; // the one that Enter takes

export function startMentions() {
  text.addEventListener("input", offer);
  text.addEventListener("click", offer);
  text.addEventListener("blur", close);
  if (document.activeElement === text) offer();
}

/**
 * Takes the keys that choose among the people who are offered. Whether it was one of them.
 * @param {KeyboardEvent} event
 */
export function chooseByKey(event) {
  if (list.hidden || event.isComposing) return false;
  if (event.key === "ArrowDown") mark((at + 1) % offered.length);
  else if (event.key === "ArrowUp") mark((at - 1 + offered.length) % offered.length);
  else if (event.key === "Escape") close();
  else if (event.key === "Enter" || event.key === "Tab") complete(offered[at]);
  else return false;
  event.preventDefault();
  return true;
}

function offer() {
  const typed = namedAtCursor()?.toLocaleLowerCase();
  const found = typed === undefined ? [] : persons(hmsStore.getState(selectRemotePeers)).filter(isNamed(typed));
  if (!found.length) {
    close();
    return;
  }
  offered = found.slice(0, MOST);
  list.replaceChildren(...offered.map(option));
  if (list.hidden) announce(offerOf(found.length));
  list.hidden = false;
  mark(0);
}

/** @param {number} count */
const offerOf = (count) =>
  filled(
    ngettext(
      "{count} person to choose from with the arrow keys",
      "{count} people to choose from with the arrow keys",
      count,
    ),
    { count },
  );

/** @type {(typed: string) => (person: PersonHere) => boolean} */
const isNamed = (typed) => (person) => {
  const name = nameOf(person).toLocaleLowerCase();
  return name.startsWith(typed) || name.includes(` ${typed}`);
};

/** @type {(person: PersonHere, place: number) => HTMLElement} */
function option(person, place) {
  const element = make("li", { class: "option", role: "option", id: `mention-${place}` }, avatar(person), who(person));
  element.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the text
  element.addEventListener("click", () => complete(person));
  return element;
}

/** @param {number} place */
function mark(place) {
  at = place;
  [...list.children].forEach((element, number) => {
    element.setAttribute("aria-selected", String(number === place));
  });
  text.setAttribute("aria-activedescendant", `mention-${place}`);
}

/** @param {PersonHere} person */
function complete(person) {
  const end = text.selectionStart;
  const start = text.value.lastIndexOf("@", end - 1);
  const name = typedName(person);
  mention(
    name,
    person.tabs.map(({ id }) => id),
  );
  text.setRangeText(`@${name} `, start, end, "end");
  close();
  text.dispatchEvent(new Event("input"));
}

function close() {
  list.hidden = true;
  text.removeAttribute("aria-activedescendant");
}
