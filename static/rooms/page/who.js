// Names in the page: each isolated, and with a tag of its person where two persons have names that look alike.

import { getState, selectAvailableRoleNames, selectLocalPeer, selectPeerByID } from "../core.js";
import { make } from "./dom.js";
import { plays, shortest, shows, skeleton } from "./names.js";
import { filled } from "./text.js";
import { gettext } from "./translation.js";

/** @import { HMSMessage } from "../hms.js" */
/** @import { Someone } from "./types.js" */

const LOOKS = 5_000; // names remembered in a session
const ALIKE = 200; // persons remembered under one look: enough to tell all of them apart

/** @type {Map<string, Set<string>>} */
const looks = new Map(); // skeleton → persons seen under such a name
/** @type {WeakMap<Element, () => void>} */
const draws = new WeakMap(); // element with data-look → how to draw it anew

/**
 * Whose peers are one person's: nobody can choose it.
 * @param {Someone} peer
 */
export const personOf = (peer) => peer.person ?? peer.id ?? "";

/**
 * Who sent a message; null if the room itself did.
 * @param {HMSMessage} message
 */
export function senderOf({ sender, senderName, senderPerson }) {
  return sender ? { id: sender, name: senderName, person: senderPerson } : null;
}

/**
 * Whether one wrote it oneself, here or in another tab.
 * @param {HMSMessage} message
 */
export function isOwn(message) {
  const sender = senderOf(message);
  return sender !== null && isReader(sender);
}

/**
 * Whether a message is about the reader, here or in another tab.
 * @param {HMSMessage} message
 */
export const mentionsReader = ({ mentions = [] }) =>
  mentions.some((id) => isReader(getState(selectPeerByID(id)) ?? { id }));

/**
 * Whether somebody is the reader, here or in another tab.
 * @param {Someone} one
 */
export function isReader(one) {
  const local = getState(selectLocalPeer);
  return Boolean(local && (one.id === local.id || personOf(one) === personOf(local)));
}

/**
 * The name that is shown: somebody whose name shows nothing is a guest.
 * @param {Someone} one
 */
export const nameOf = ({ name = "" }) => (shows(name) ? name : gettext("Guest"));

/** Forgets who was met: another session has other persons. */
export function forgetPersons() {
  looks.clear();
}

/**
 * Remembers somebody, and tells those apart who are taken for each other from now on.
 * @param {Someone} one
 */
export function meet(one) {
  const look = skeleton(nameOf(one));
  const person = personOf(one);
  const persons = looks.get(look) ?? new Set();
  looks.set(look, persons);
  if (!person || persons.has(person) || persons.size >= ALIKE) return look;
  persons.add(person);
  if (looks.size > LOOKS) looks.delete(looks.keys().next().value ?? "");
  if (persons.size > 1) {
    for (const element of document.querySelectorAll(`[data-look="${CSS.escape(look)}"]`)) draws.get(element)?.();
  }
  return look;
}

/**
 * A few letters of the person, where the name alone does not say who it is: from left to right, whatever is around.
 * @param {Someone} one
 */
export function tagOf(one) {
  const person = personOf(one);
  const persons = looks.get(skeleton(nameOf(one))) ?? new Set();
  const others = [...persons].filter((other) => other !== person);
  const isPlain = shows(one.name ?? "") && !plays(one.name ?? "", getState(selectAvailableRoleNames));
  if (!person || (!others.length && isPlain)) return "";
  return `\u2066#${shortest(person, others)}\u2069`;
}

/**
 * A person's name in plain text, for labels and options; with a tag, `most` characters of it.
 * @param {Someone} one
 */
export function nameText(one, most = Infinity) {
  const tag = tagOf(one);
  if (!tag) return nameOf(one);
  const characters = [...nameOf(one)];
  const name = characters.length > most ? `${characters.slice(0, most).join("")}…` : nameOf(one);
  return `${name} ${tag}`;
}

/**
 * Calls `draw` now, and again when others turn out to look like this one.
 * @param {HTMLElement} element
 * @param {Someone} one
 * @param {() => void} draw
 */
export function drawName(element, one, draw) {
  element.dataset.look = meet(one);
  draws.set(element, draw);
  draw();
}

/**
 * A person's name as an element.
 * @param {Someone} one
 */
export function who(one) {
  return writeName(make("span", { class: "who" }), one);
}

/**
 * Writes a person's name into an element; `isOwn` marks it as the reader's.
 * @template {HTMLElement} Named
 * @param {Named} element
 * @param {Someone} one
 */
export function writeName(element, one, { isOwn = false } = {}) {
  drawName(element, one, () => {
    const tag = tagOf(one);
    /** @type {(string | Node)[]} */
    const parts = [make("bdi", {}, nameOf(one))];
    if (tag) parts.push(" ", make("span", { class: "tag", title: gettext("Others here have a name like this") }, tag));
    if (isOwn) parts.push(" ", make("span", { class: "you" }, gettext("(you)")));
    element.replaceChildren(...parts);
  });
  return element;
}

/**
 * Gives an element a label, a sentence in which a person's name stands as {name}.
 * @param {HTMLElement} element
 * @param {string} sentence
 * @param {Someone} one
 */
export function labelName(element, sentence, one) {
  drawName(element, one, () => element.setAttribute("aria-label", filled(sentence, { name: nameText(one) })));
}
