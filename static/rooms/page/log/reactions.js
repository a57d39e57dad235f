// The reactions under a message: each with how many and who, and a button that adds one's own or takes it back.

import { getState, selectHMSMessages, selectLocalPeer, selectPeers } from "../../core.js";
import { arrange, hasFocus, make, onClick, setText } from "../dom.js";
import { need } from "../opening.js";
import { filled, together, visible } from "../text.js";
import { gettext, ngettext } from "../translation.js";
import { nameText, personOf, senderOf } from "../who.js";

/** @import { HMSMessage, HMSReaction } from "../../hms.js" */

const NAMED = 5; // persons

/** @type {(message: HMSMessage, emoji: string) => boolean} */
export const isOwnReaction = ({ reactions }, emoji) => {
  const local = getState(selectLocalPeer);
  const held = reactions?.find((one) => one.emoji === emoji);
  return Boolean(local && held?.persons.includes(personOf(local)));
};

/**
 * Draws the reactions of a message into its element.
 * @type {(element: HTMLElement, message: HMSMessage) => void}
 */
export function drawReactions(element, message) {
  const { reactions = [] } = message;
  const held = element.querySelector(".reactions");
  if (!held && !reactions.length) return;
  const box = held ?? boxIn(element);
  const hadFocus = hasFocus(box);
  const buttons = new Map([...box.children].map((each) => [/** @type {HTMLElement} */ (each).dataset.emoji, each]));
  const drawn = reactions.map((one) => {
    const button = buttons.get(one.emoji) ?? buttonFor(message.id, one.emoji);
    drawButton(button, one, isOwnReaction(message, one.emoji));
    return button;
  });
  arrange(box, drawn);
  if (!drawn.length) box.remove();
  if (hadFocus && !hasFocus(box)) element.focus({ preventScroll: true });
}

/** @param {HTMLElement} element */
function boxIn(element) {
  // In the log, whose additions are read out: these are none.
  const box = make("div", {
    class: "reactions",
    role: "group",
    "aria-label": gettext("Reactions"),
    "aria-live": "off",
  });
  element.querySelector(".bubble")?.append(box);
  return box;
}

/** @type {(id: string, emoji: string) => HTMLElement} */
function buttonFor(id, emoji) {
  const sign = make("bdi", { class: "sign" }, emoji);
  const button = make("button", { class: "reaction", type: "button", tabIndex: -1 }, sign, " ", make("span", {}));
  button.dataset.emoji = emoji;
  const react = async () => (await need(react))?.react(id, emoji);
  onClick(button, react);
  return button;
}

/** @type {(button: Element, reaction: HMSReaction, isOwn: boolean) => void} */
function drawButton(button, reaction, isOwn) {
  const { emoji, count } = reaction;
  const label = visible(filled(gettext("{emoji} {count}, by {names}"), { emoji, count, names: namesOf(reaction) }));
  setText(button.children[1], count);
  button.setAttribute("aria-pressed", String(isOwn));
  button.setAttribute("aria-label", label);
  button.setAttribute("title", label);
}

/**
 * Who reacted so, as far as they are known here.
 * @param {HMSReaction} reaction
 */
const namesOf = (reaction) => together(listOf(reaction, NAMED));

/**
 * So many names of those who reacted so, and the number of the others.
 * @type {(reaction: HMSReaction, most: number) => string[]}
 */
export function listOf({ persons, count }, most) {
  const names = persons
    .map(nameOfPerson)
    .filter((name) => name !== "")
    .slice(0, most);
  if (!names.length) return [filled(ngettext("{count} person", "{count} people", count), { count })];
  const others = count - names.length;
  if (others > 0) names.push(filled(ngettext("{count} other", "{count} others", others), { count: others }));
  return names;
}

/** @param {string} person */
function nameOfPerson(person) {
  const local = getState(selectLocalPeer);
  if (local && personOf(local) === person) return gettext("you");
  const peer = getState(selectPeers).find((one) => personOf(one) === person);
  const said = peer ? undefined : getState(selectHMSMessages).find((one) => one.senderPerson === person);
  const one = peer ?? (said && senderOf(said));
  return one ? nameText(one) : "";
}
