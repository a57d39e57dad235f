// Writing a message.

import { hmsActions, hmsStore, selectPermissions } from "../hms.js";
import { part, setText } from "./dom.js";
import { toggleEmoji } from "./emoji.js";
import { lasting } from "./memory.js";
import { chooseByKey, startMentions } from "./mentions.js";
import { choosePerson, recipient, recipientKept, restoreRecipient, startRecipients } from "./recipients.js";
import { fill, filled } from "./text.js";
import { toast } from "./toasts.js";
import { who } from "./who.js";

const LEFT_SHOWN = 200; // characters before the limit from which on it is counted
const KEPT_AFTER = 300; // ms without typing

const text = part("message");
const byTouch = matchMedia("(pointer: coarse)"); // keys on the glass: no Shift beside Enter, a button to send
const growsByItself = CSS.supports("field-sizing", "content");
let key = ""; // of the draft
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
    send();
  });
  startRecipients(keep);
  startMentions();
  listenToTyping();
  part("emoji").addEventListener("click", () => toggleEmoji(part("emoji"), insert));
  restore();
}

function listenToTyping() {
  text.enterKeyHint = byTouch.matches ? "enter" : "send";
  text.addEventListener("keydown", (event) => {
    if (chooseByKey(event)) return;
    if (event.key !== "Enter" || event.shiftKey || byTouch.matches) return;
    // Chosen from an input method: Safari says so only by the key code.
    if (event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  });
  text.addEventListener("input", () => {
    clearTimeout(keeping);
    keeping = setTimeout(keep, KEPT_AFTER);
    fit();
  });
  addEventListener("pagehide", () => keeping && keep());
}

/**
 * Chooses one person as the recipient and puts the cursor into the message.
 * @param {{ id: string }} peer
 */
export function writeTo(peer) {
  choosePerson(peer);
  keep();
  text.focus();
}

/** @param {string} sign */
function insert(sign) {
  text.focus();
  text.setRangeText(sign, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input"));
}

function send() {
  const message = text.value;
  if (!message.trim()) return;
  if (lengthOf(message) > limit) {
    toast(fill("A message has at most {limit} characters.", { limit }));
    return;
  }
  const { kind, id, left } = recipient();
  if (left) {
    toast(fill("{name} has left. Choose who gets the message.", { name: who(left) }));
    part("to").focus();
    return;
  }
  sendTo(kind, id, message).catch(() => {}); // stays in the log as not sent, with a button to retry
  text.value = "";
  keep();
  fit();
  text.focus();
}

/** @type {(kind: string, id: string, message: string) => Promise<void>} */
function sendTo(kind, id, message) {
  if (kind === "peer") return hmsActions.sendDirectMessage(message, id);
  if (kind === "role") return hmsActions.sendGroupMessage(message, [id]);
  return hmsActions.sendBroadcastMessage(message);
}

/** @param {string} message */
const lengthOf = (message) => [...message].length;

function fit() {
  if (!growsByItself) {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }
  const left = text.value.length + LEFT_SHOWN < limit ? Infinity : limit - lengthOf(text.value);
  setText(part("left"), left > LEFT_SHOWN ? "" : filled("{left} characters left.", { left }));
  part("left").classList.toggle("over", left < 0);
}

// --- The draft: over a reload and a visit, with whom it is for ---

function keep() {
  clearTimeout(keeping);
  keeping = undefined;
  const kept = recipientKept();
  if (!text.value && !kept) lasting.remove(key);
  else lasting.set(key, JSON.stringify({ text: text.value, ...kept }));
}

function restore() {
  const kept = lasting.get(key);
  if (!kept) return;
  const draft = JSON.parse(kept);
  text.value = draft.text;
  if (draft.to) restoreRecipient(draft);
  fit();
}
