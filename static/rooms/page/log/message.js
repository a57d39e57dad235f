// A message as an element: who said what, when and to whom.

import { getState, selectPeerByID, selectRolesMap } from "../../core.js";
import { avatar } from "../avatar.js";
import { hasFocus, icon, make, onClick, setParts } from "../dom.js";
import { linked } from "../linked.js";
import { isPinned } from "../pinned.js";
import { roleText } from "../roles.js";
import { fill, fullTime, shortTime, together } from "../text.js";
import { gettext } from "../translation.js";
import { isOwn, mentionsReader, senderOf, who, writeName } from "../who.js";
import { quoteOf } from "./quotes.js";
import { drawReactions } from "./reactions.js";

/** @import { HMSMessage } from "../../hms.js" */
/** @import { Said } from "../types.js" */

export const EDITED = gettext("(edited)");
const FOLDED_FROM = { lines: 24, characters: 2_500 };

/** @type {(message: HMSMessage, own: boolean, isContinued: boolean) => HTMLElement} */
export function bubble(message, own, isContinued) {
  const sender = senderOf(message);
  const classes = ["message", own && "own", isContinued && "continued", isForSome(message) && "private"];
  const element = make(
    "article",
    { class: classes.filter(Boolean).join(" "), tabIndex: -1 },
    avatar(sender ?? { id: "", name: gettext("The room") }),
    make(
      "div",
      { class: "bubble" },
      headOf(message, own),
      privately(message, own),
      quoteOf(message.replyTo),
      ...bodyOf(message),
    ),
  );
  markPinned(element, isPinned(message.id));
  markMention(element, message);
  drawReactions(element, message);
  return element;
}

/**
 * Has an element say what its message says now.
 * @type {(element: HTMLElement, message: HMSMessage) => void}
 */
export function rewrite(element, message) {
  const [text, ...more] = element.querySelectorAll(":scope > .bubble > :is(.text, .fold)");
  const hadFocus = more.concat(text).some((part) => hasFocus(part));
  for (const part of more) part.remove();
  text.replaceWith(...bodyOf(message));
  markMention(element, message);
  if (hadFocus) element.focus({ preventScroll: true });
}

/**
 * What a message says, and that it said something else before.
 * @param {HMSMessage} message
 */
function bodyOf({ message, editedAt }) {
  const text = textOf(message);
  const fold = foldIfLong(text, message, { tabIndex: -1 });
  if (editedAt) text.append(" ", make("span", { class: "edited", title: fullTime(editedAt) }, EDITED));
  return fold ? [text, fold] : [text];
}

/**
 * The text of a message, with its links.
 * @param {string} message
 */
export const textOf = (message) => make("p", { class: "text", dir: "auto" }, ...linked(message, { tabIndex: -1 }));

/**
 * Cuts an element with a very long text. The button for all of it, or null.
 * @type {(text: HTMLElement, message: string, properties?: object) => HTMLElement | null}
 */
export function foldIfLong(text, message, properties = {}) {
  const lines = message.split("\n", FOLDED_FROM.lines + 1).length;
  if (lines <= FOLDED_FROM.lines && message.length <= FOLDED_FROM.characters) return null;
  text.classList.add("folded");
  const all = make("button", { class: "button small quiet fold", type: "button", ...properties }, gettext("Show all"));
  onClick(all, () => {
    const isFolded = text.classList.toggle("folded");
    all.textContent = isFolded ? gettext("Show all") : gettext("Show less");
  });
  return all;
}

/** @type {(element: HTMLElement, pinned: boolean) => void} */
export const markPinned = (element, pinned) => mark(element, "pinned", pinned && [icon("pin"), gettext("Pinned")]);

/** @type {(element: HTMLElement, message: HMSMessage) => void} */
const markMention = (element, message) =>
  mark(element, "mentioned", !isOwn(message) && mentionsReader(message) && ["@ ", gettext("Mentions you")]);

/**
 * Has the head of a message say something of it, or no more.
 * @type {(element: HTMLElement, kind: string, said: Said[] | false) => void}
 */
function mark(element, kind, said) {
  const held = element.querySelector(`.${kind}-mark`);
  if (element.classList.toggle(kind, said !== false) === Boolean(held)) return;
  if (said) element.querySelector(".message-head")?.append(make("span", { class: `mark ${kind}-mark` }, ...said));
  else held?.remove();
}

/** @type {(message: HMSMessage, own: boolean) => HTMLElement} */
function headOf(message, own) {
  const sender = senderOf(message);
  const time = make("time", { class: "time", title: fullTime(message.time) }, shortTime(message.time));
  time.dateTime = message.time.toISOString();
  const author = make("b", { class: "author", dir: "auto" }, own ? gettext("You") : gettext("The room"));
  if (sender && !own) writeName(author, sender);
  const role =
    isModerator(message.senderRole) && !own ? make("span", { class: "role" }, roleText(message.senderRole)) : null;
  return make("header", { class: "message-head" }, author, role, time);
}

/** @param {string | undefined} role */
const isModerator = (role) => Boolean(getState(selectRolesMap)[role ?? ""]?.permissions?.removeOthers);

/** @type {(message: HMSMessage) => string[]} */
const rolesOf = ({ recipientRoles }) => (Array.isArray(recipientRoles) ? recipientRoles : []);

/** @param {HMSMessage} message */
export const isForSome = (message) => Boolean(message.recipientPeer || rolesOf(message).length);

/** @type {(message: HMSMessage, own: boolean) => HTMLElement | null} */
function privately(message, own) {
  if (!isForSome(message)) return null;
  const said = make("span", { class: "said" });
  setParts(said, privacyOf(message, own));
  return make("p", { class: "privately", dir: "auto" }, icon("private"), said);
}

/** @type {(message: HMSMessage, own: boolean) => Said[]} */
function privacyOf(message, own) {
  const role = make("bdi", {}, together(rolesOf(message).map((role) => roleText(role))));
  if (!message.recipientPeer) return fill(gettext("Only to role {role}"), { role });
  if (!own) return [gettext("Only to you")];
  const peer = getState(selectPeerByID(message.recipientPeer));
  return peer ? fill(gettext("Only to {name}"), { name: who(peer) }) : [gettext("Only to somebody who left")];
}
