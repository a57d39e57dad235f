// Writing a message.

import { getState, hmsActions, selectHMSMessages, selectPermissions, subscribe } from "../core.js";
import { onClick, part } from "./dom.js";
import { isComingSoon, later, loaded } from "./loader.js";
import { here, lasting } from "./memory.js";
import { isAwaited, namesKept, restoreNames, startMentions, thenWith, withMentions } from "./mentions.js";
import { need, openAt } from "./opening.js";
import { recipient, recipientKept, restoreRecipient, startRecipients } from "./recipients.js";
import { fill } from "./text.js";
import { toast } from "./toasts.js";
import { gettext } from "./translation.js";
import { startTyping, tellTyping } from "./typing.js";
import { isOwn, who } from "./who.js";

/** @import { HMSMessageOptions } from "../hms.js" */

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
  subscribe((permissions) => {
    const mayWrite = permissions?.sendMessages !== false;
    part("composer").hidden = !mayWrite;
    part("read-only").hidden = mayWrite;
  }, selectPermissions);
  part("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  startRecipients(() => {
    loaded()?.replying.keepAmongThem();
    keep();
  });
  startMentions();
  startTyping();
  listenToTyping();
  onClick(part("emoji"), () => openAt(part("emoji"), ({ toggleEmoji }) => toggleEmoji(part("emoji"), insert)));
  restore();
}

function listenToTyping() {
  text.enterKeyHint = byTouch.matches ? "enter" : "send";
  text.addEventListener("keydown", (event) => {
    if (loaded()?.mentions.chooseByKey(event)) return;
    if (event.key === "ArrowUp" && !event.isComposing && !text.value && !isEditing()) editLast();
    const sends = event.key === "Enter" && !byTouch.matches;
    // Chosen from an input method: Safari says so only by the key code.
    if (event.shiftKey || event.isComposing || event.keyCode === 229) return;
    if (!sends && (event.key !== "Tab" || !isAwaited() || !isComingSoon())) return; // Tab is not kept for long
    event.preventDefault();
    if (isAwaited()) thenWith((from) => from?.mentions.chooseByKey(event) || (sends && submit()));
    else submit();
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
const isEditing = () => editing()?.isEditing();

/** Answering a message: the same. */
const answered = () => loaded()?.replying.answeredNow();

async function editLast() {
  if (!getState(selectHMSMessages).some(isOwn)) return;
  const from = await need();
  if (document.activeElement === text && !text.value) from?.editing.editLast();
}

/** @param {string} sign */
export function insert(sign) {
  text.focus();
  text.setRangeText(sign, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input"));
}

function submit() {
  if (lengthOf(text.value) > limit) toast(fill(gettext("A message has at most {limit} characters."), { limit }));
  else if (isEditing()) editing()?.saveEdit();
  else withMentions(send);
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
  if (loaded()?.slow.hasToWait()) return;
  const mentions = loaded()?.mentions.mentionsIn(message) ?? [];
  const to = answered();
  const options = { ...(mentions.length && { mentions }), ...(to && { replyTo: to.id }) };
  // It stays in the log as not sent, with a button to retry, unless it can wait in the box.
  sendTo(kind, id, message, options).catch((error) => loaded()?.slow.giveBack(error, message, to));
  text.value = "";
  loaded()?.replying.showAnswered(undefined);
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

function fit() {
  if (!growsByItself) {
    text.style.height = "auto";
    text.style.height = `calc(${text.scrollHeight}px + 1rem)`;
  }
  const left = text.value.length + LEFT_SHOWN < limit ? Infinity : limit - lengthOf(text.value);
  if (left <= LEFT_SHOWN && !loaded()) later().then(fit, () => {}); // nothing is lost where it cannot be had
  loaded()?.showLeft(left <= LEFT_SHOWN ? left : null);
}

// --- The draft: over visits. One that is for some stays in its tab: in no other is it taken for everyone's ---

export function keep() {
  clearTimeout(keeping);
  keeping = undefined;
  const to = recipientKept();
  const draft = editing()?.draftText() ?? text.value;
  const kept =
    draft || to
      ? JSON.stringify({ text: draft, named: loaded()?.mentions.chosenIn(draft) ?? namesKept(), ...to })
      : null;
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
  restoreNames(draft.named ?? []);
  if (draft.to) restoreRecipient(draft);
  fit();
}
