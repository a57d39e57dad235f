// Writing a message.

import { hmsActions, hmsStore, selectHMSMessages, selectMessageByMessageID, selectPermissions } from "../core.js";
import { part, setText } from "./dom.js";
import { loaded } from "./loader.js";
import { here, lasting } from "./memory.js";
import { chooseByKey, chosenIn, mentionsIn, restoreMentions, startMentions } from "./mentions.js";
import { open, openAt } from "./opening.js";
import {
  answerGoesTo,
  choosePerson,
  chooseTo,
  recipient,
  recipientKept,
  restoreRecipient,
  startRecipients,
} from "./recipients.js";
import { answeredNow, keepAmongThem, showAnswered, startReplying } from "./replying.js";
import { hasToWait, isTooSoon, startSlowMode, takeBack } from "./slow.js";
import { fill, filled } from "./text.js";
import { toast } from "./toasts.js";
import { gettext, ngettext } from "./translation.js";
import { startTyping, tellTyping } from "./typing.js";
import { isOwn, who } from "./who.js";

/** @import { HMSMessage, HMSMessageOptions } from "../hms.js" */

const LEFT_SHOWN = 200; // characters before the limit from which on it is counted
const KEPT_AFTER = 300; // ms without typing

const text = part("message");
const byTouch = matchMedia("(pointer: coarse)"); // keys on the glass: no Shift beside Enter, a button to send
const growsByItself = CSS.supports("field-sizing", "content");
let key = ""; // of the draft
/** @type {string | null} */
let shared = null; // the draft that this tab knows all tabs to have
let limit = Infinity; // characters of a message
/** @type {ReturnType<typeof setTimeout> | undefined} */
let keeping;

/** @type {(maxLength: number, code: string) => void} */
export function startComposer(maxLength, code) {
  key = `draft:${code}`;
  limit = maxLength;
  hmsStore.subscribe((permissions) => {
    const mayWrite = permissions?.sendMessages !== false;
    part("composer").hidden = !mayWrite;
    part("read-only").hidden = mayWrite;
  }, selectPermissions);
  part("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  startReplying();
  startRecipients(() => {
    keepAmongThem();
    keep();
  });
  startMentions();
  startTyping();
  startSlowMode();
  listenToTyping();
  part("emoji").addEventListener("click", () =>
    openAt(part("emoji"), ({ toggleEmoji }) => toggleEmoji(part("emoji"), insert)),
  );
  restore();
}

function listenToTyping() {
  text.enterKeyHint = byTouch.matches ? "enter" : "send";
  text.addEventListener("keydown", (event) => {
    if (chooseByKey(event, submit) || editByKey(event)) return;
    if (event.key !== "Enter" || event.shiftKey || byTouch.matches) return;
    // Chosen from an input method: Safari says so only by the key code.
    if (event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  text.addEventListener("input", ({ isTrusted }) => {
    if (isTrusted && !isEditing()) tellTyping();
    clearTimeout(keeping);
    keeping = setTimeout(keep, KEPT_AFTER);
    fit();
  });
  addEventListener("pagehide", () => keeping && keep());
}

/** Changing what one said: nobody does before it was loaded. */
const editing = () => loaded()?.editing;
const isEditing = () => editing()?.isEditing() === true;
const endEditing = () => editing()?.endEditing();

/**
 * Takes the keys that begin and end the change of a message, and end an answer. Whether it was one of them.
 * @param {KeyboardEvent} event
 */
function editByKey(event) {
  if (event.isComposing) return false;
  if (event.key === "ArrowUp" && !text.value && !isEditing() && hmsStore.getState(selectHMSMessages).some(isOwn))
    open(({ editing }) => editing.editLast());
  else if (event.key === "Escape" && isEditing()) endEditing();
  else if (event.key === "Escape" && answeredNow()) showAnswered(undefined);
  else return false;
  return true;
}

/**
 * Chooses one person as the recipient and puts the cursor into the message.
 * @param {{ id: string }} peer
 */
export function writeTo(peer) {
  if (isEditing()) endEditing();
  choosePerson(peer);
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

/** @param {string} sign */
function insert(sign) {
  text.focus();
  text.setRangeText(sign, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input"));
}

function submit() {
  if (lengthOf(text.value) > limit) toast(fill(gettext("A message has at most {limit} characters."), { limit }));
  else if (isEditing()) editing()?.saveEdit();
  else send();
}

function send() {
  const message = text.value;
  if (!message.trim()) return;
  const { kind, id, left } = recipient();
  if (left) {
    toast(fill(gettext("{name} has left. Choose who gets the message."), { name: who(left) }));
    part("to").focus();
    return;
  }
  if (hasToWait()) return;
  const mentions = mentionsIn(message);
  const answered = answeredNow();
  const options = { ...(mentions.length && { mentions }), ...(answered && { replyTo: answered.id }) };
  sendTo(kind, id, message, options).catch((error) => {
    // It stays in the log as not sent, with a button to retry, unless it can wait in the box.
    if (!isTooSoon(error) || isEditing() || text.value) return;
    takeBack(message);
    showAnswered(answered && hmsStore.getState(selectMessageByMessageID(answered.id))); // it may be deleted by now
    insert(message);
  });
  text.value = "";
  showAnswered(undefined);
  keep();
  fit();
  text.focus();
}

/** @type {(kind: string, id: string, message: string, options: HMSMessageOptions) => Promise<void>} */
function sendTo(kind, id, message, options) {
  if (kind === "peer") return hmsActions.sendDirectMessage(message, id, undefined, options);
  if (kind === "role") return hmsActions.sendGroupMessage(message, [id], undefined, options);
  return hmsActions.sendBroadcastMessage(message, undefined, options);
}

/** @param {string} message */
const lengthOf = (message) => [...message].length;

/** @param {number} left characters */
function leftSaid(left) {
  if (left > LEFT_SHOWN) return "";
  const count = Math.abs(left);
  if (left < 0)
    return filled(ngettext("{count} character too many.", "{count} characters too many.", count), { count });
  return filled(ngettext("{count} character left.", "{count} characters left.", count), { count });
}

function fit() {
  if (!growsByItself) {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }
  const left = text.value.length + LEFT_SHOWN < limit ? Infinity : limit - lengthOf(text.value);
  setText(part("left"), leftSaid(left));
  part("left").classList.toggle("over", left < 0);
}

// --- The draft: over visits. One that is for some stays in its tab: in no other is it taken for everyone's ---

function keep() {
  clearTimeout(keeping);
  keeping = undefined;
  const to = recipientKept();
  const draft = editing()?.draftText() ?? text.value;
  const kept = draft || to ? JSON.stringify({ text: draft, named: chosenIn(draft), ...to }) : null;
  if (lasting.get(key) === shared) lasting.remove(key);
  here.remove(key);
  shared = to ? null : kept;
  if (kept) (to ? here : lasting).set(key, kept);
}

function restore() {
  const own = here.get(key);
  shared = own ? null : lasting.get(key);
  const kept = own ?? shared;
  if (!kept) return;
  const draft = JSON.parse(kept);
  text.value = draft.text;
  restoreMentions(draft.named ?? []);
  if (draft.to) restoreRecipient(draft);
  fit();
}
