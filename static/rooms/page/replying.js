// Answering a message: which one, above what is written.

import { hmsStore, selectMessageByMessageID, selectSessionId } from "../core.js";
import { part, setParts } from "./dom.js";
import { isForSome } from "./log/message.js";
import { wordsOf } from "./log/quotes.js";
import { answerGoesTo, isChosen } from "./recipients.js";
import { toast } from "./toasts.js";
import { gettext } from "./translation.js";

/** @import { HMSMessage } from "../hms.js" */

/** @type {HMSMessage | undefined} */
let answered;

export function startReplying() {
  part("replying-end").addEventListener("click", () => {
    showAnswered(undefined);
    part("message").focus();
  });
  hmsStore.subscribe(
    () => {
      const held = answered && hmsStore.getState(selectMessageByMessageID(answered.id));
      if (answered === held) return;
      showAnswered(held);
      if (!held && hmsStore.getState(selectSessionId))
        toast(gettext("The message that you were answering was deleted."));
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
  if (answered && isForSome(answered) && !isChosen(answerGoesTo(answered))) showAnswered(undefined);
}
