// Changing what one said, in the composer: what was being written there waits meanwhile.

import { getState, subscribe } from "../../core.js";
import { hmsActions, selectHMSMessages, selectMayEdit, selectMessageByMessageID, selectSessionId } from "../../hms.js";
import { isAway } from "../connection.js";
import { part, setText } from "../dom.js";
import { elementOf } from "../log/entries.js";
import { isForSome } from "../log/message.js";
import { filled } from "../text.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { isOwn } from "../who.js";
import { askToDelete } from "./deleting.js";
import { mentionsIn } from "./mentions.js";
import { inWords } from "./words.js";

/** @import { HMSMessage } from "../../hms.js" */

const text = part("message");
/** @type {HMSMessage | null} */
let edited = null;
let draft = ""; // what was being written before

export function startEditing() {
  part("editing-end").addEventListener("click", endEditing);
  subscribe(
    () => {
      if (!edited || getState(selectMessageByMessageID(edited.id))) return;
      endEditing();
      if (getState(selectSessionId)) toast(gettext("The message that you were editing was deleted."));
    },
    ({ messages }) => messages,
    Object.is,
  );
}

export const isEditing = () => edited !== null;

/** What was being written before, if a message is being edited, or is being written now. */
export const draftText = () => (edited ? draft : text.value);

/** @param {HMSMessage} message */
export function edit(message) {
  if (!edited) draft = text.value;
  show(message, message.message);
}

/** Edits what one said last, if one may. */
export function editLast() {
  const mine = getState(selectHMSMessages).filter((one) => one.type === "chat" && isOwn(one));
  const message = mine.at(-1);
  if (message && getState(selectMayEdit(message.id))) edit(message);
}

export function endEditing() {
  show(null, draft);
}

/** @type {(message: HMSMessage | null, words: string) => void} */
function show(message, words) {
  elementOf(edited?.id ?? null)?.classList.remove("edited-now");
  edited = message;
  elementOf(edited?.id ?? null)?.classList.add("edited-now");
  part("composer").classList.toggle("editing", message !== null);
  part("editing").hidden = !message;
  setText(
    part("editing-what"),
    message && isForSome(message) ? gettext("Editing a private message") : gettext("Editing a message"),
  );
  text.setAttribute("aria-describedby", message ? "editing-what message-hint" : "replying-what to-name message-hint");
  part("send").setAttribute("aria-label", message ? gettext("Save") : gettext("Send"));
  text.readOnly = false;
  text.value = words;
  text.dispatchEvent(new Event("input"));
  text.focus();
}

/** Has the message say what stands in the composer. */
export async function saveEdit() {
  const message = edited;
  const words = text.value;
  if (!message || text.readOnly) return;
  if (!words.trim()) askToDelete(message);
  else if (words === message.message) endEditing();
  else if (isAway()) toast(gettext("You are offline. Save it when you are back."));
  else await send(message, words);
}

/** @type {(message: HMSMessage, words: string) => Promise<void>} */
async function send(message, words) {
  text.readOnly = true;
  try {
    await hmsActions.editMessage(message.id, words, { mentions: mentionsIn(words, message.mentions) });
    if (edited === message) endEditing();
  } catch (error) {
    text.readOnly = false;
    if (edited === message) toast(filled(gettext("Not changed. {why}"), { why: inWords(error) }));
  }
}
