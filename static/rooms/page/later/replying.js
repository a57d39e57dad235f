// Answering a message: which one, above what is written.

import { getState, selectMessageByMessageID, selectRemotePeers, selectSessionId, subscribe } from "../../core.js";
import { keep } from "../composer.js";
import { onClick, part, setParts } from "../dom.js";
import { isForSome } from "../log/message.js";
import { wordsOf } from "../log/quotes.js";
import { persons } from "../persons.js";
import { chooseTo } from "../recipients.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { isOwn } from "../who.js";
import { endEditing, isEditing } from "./editing.js";

/** @import { HMSMessage } from "../../hms.js" */
/** @import { PersonHere } from "../types.js" */

const text = part("message");
const to = part("to");

/** @type {HMSMessage | undefined} */
let answered;

export function startReplying() {
  onClick(part("replying-end"), () => {
    showAnswered(undefined);
    part("message").focus();
  });
  text.addEventListener("keydown", ({ key, isComposing, defaultPrevented }) => {
    if (key !== "Escape" || isComposing || defaultPrevented) return;
    if (isEditing()) endEditing();
    else showAnswered(undefined);
  });
  subscribe(
    () => {
      const held = answered && getState(selectMessageByMessageID(answered.id));
      if (answered === held) return;
      showAnswered(held);
      if (!held && getState(selectSessionId)) toast(gettext("The message that you were answering was deleted."));
    },
    ({ messages }) => messages,
    Object.is,
  );
}

/** The message that is being answered, if one is. */
export const answeredNow = () => answered;

/** @param {HMSMessage | undefined} message */
export function showAnswered(message) {
  answered = message;
  part("replying").hidden = !message;
  setParts(part("replying-what"), message ? [gettext("Reply to"), " ", ...wordsOf(message)] : []);
}

/** Answers no more what was said to some, once what is written is for others. */
export function keepAmongThem() {
  if (answered && isForSome(answered) && to.value !== answerGoesTo(answered)) showAnswered(undefined);
}

/**
 * Chooses one person as the recipient and puts the cursor into the message.
 * @param {{ id: string }} peer
 */
export function writeTo({ id }) {
  if (isEditing()) endEditing();
  chooseTo(`peer:${shownFor(id)?.id ?? id}`);
  keepAmongThem();
  keep();
  text.focus();
}

/**
 * Begins an answer, for those whom the message was for.
 * @param {HMSMessage} message
 */
export function answer(message) {
  if (isEditing()) endEditing();
  const goesTo = answerGoesTo(message);
  // What is being written to some does not silently turn to everyone.
  if (goesTo || (goesTo === "" && !text.value)) chooseTo(goesTo);
  showAnswered(message);
  keep();
  text.focus();
}

/**
 * Whom an answer to a message is for, those whom that was for: empty for everyone, undefined if one cannot write to
 * them, for who it was has left or it was for several roles.
 * @param {HMSMessage} message
 */
export function answerGoesTo(message) {
  const { recipientPeer, recipientRoles: roles = [], sender, senderPerson } = message;
  if (roles.length) return roles.length === 1 ? `role:${roles[0]}` : undefined;
  if (!recipientPeer) return "";
  const other = isOwn(message) ? shownFor(recipientPeer) : shownFor(sender, senderPerson);
  return other && `peer:${other.id}`;
}

/**
 * The peer that stands in the list for another of the same person, if one of them is here.
 * @type {(id: string | undefined, person?: string) => PersonHere | undefined}
 */
function shownFor(id, person) {
  const present = persons(getState(selectRemotePeers));
  const same = present.find(({ tabs }) => tabs.some((tab) => tab.id === id));
  return same ?? present.find((one) => one.person !== undefined && one.person === person);
}
