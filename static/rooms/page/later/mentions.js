// After an @, the people whose names begin with what is typed, to complete it.

import { getState } from "../../core.js";
import { selectPeerByID, selectRemotePeers } from "../../hms.js";
import { avatar } from "../avatar.js";
import { make, part } from "../dom.js";
import { isNaming, namedAtCursor, namesKept } from "../mentions.js";
import { persons } from "../persons.js";
import { filled } from "../text.js";
import { announce } from "../toasts.js";
import { ngettext } from "../translation.js";
import { nameOf, tagOf, who } from "../who.js";

/** @import { PersonHere, Someone } from "../types.js" */

const MOST = 6; // people offered at a time
const MOST_IDS = 20; // that go with a message

const text = part("message");
const list = part("mentions");
/** @type {PersonHere[]} */
let offered = [];
let at = 0; // the one that Enter takes
/** @type {Map<string, string[]>} */
const chosen = new Map(namesKept()); // what stands after an @ → ids of the peers of whoever was chosen so last

export function startMentions() {
  text.addEventListener("input", offer);
  text.addEventListener("click", offer);
  text.addEventListener("blur", close);
  if (document.activeElement === text && isNaming()) offer();
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
  const found = typed === undefined ? [] : persons(getState(selectRemotePeers)).filter(isNamed(typed));
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
  chosen.set(
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

/**
 * A person's name with a tag where it needs one, without characters that nobody sees, to stand in what somebody writes.
 * @param {Someone} one
 */
function typedName(one) {
  const tag = tagOf(one);
  return tag ? `${nameOf(one)} ${tag.slice(1, -1)}` : nameOf(one);
}

/**
 * Ids of the peers that a text is about: of the people chosen for it whose names still stand there, and of those that
 * it was about before and still may be, for who left has no name.
 * @param {string} words
 * @param {string[]} [before]
 */
export function mentionsIn(words, before = []) {
  const named = chosenIn(words);
  const left = named.reduce((rest, [name]) => rest.replaceAll(`@${name}`, ""), words);
  const still = before.filter((id) => {
    const peer = getState(selectPeerByID(id));
    return !peer || standsIn(left, nameOf(peer));
  });
  return [...new Set([...still, ...named.flatMap(([, ids]) => ids)])].slice(0, MOST_IDS);
}

/**
 * What is kept of them with a draft: names, and the ids of each.
 * @param {string} words
 */
export function chosenIn(words) {
  let left = words;
  // The longest first: who is called Al is not meant where Al Green is.
  return [...chosen]
    .sort(([a], [b]) => b.length - a.length)
    .filter(([name]) => {
      const stands = standsIn(left, name);
      left = left.replaceAll(`@${name}`, "");
      return stands;
    });
}

/** @type {(words: string, name: string) => boolean} */
const standsIn = (words, name) =>
  words
    .split(`@${name}`)
    .slice(1)
    .some((after) => !/^[\p{L}\p{N}]/u.test(after));
