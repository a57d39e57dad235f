// One's own messages that are on their way or did not get through, under the log.

import { getState, hmsActions, selectOutbox, subscribe } from "../../core.js";
import { isAway, onAway } from "../connection.js";
import { arrange, eachFrame, make, onClick, part } from "../dom.js";
import { loaded } from "../loader.js";
import { filled } from "../text.js";
import { gettext } from "../translation.js";
import { inWords } from "../why.js";
import { textOf } from "./message.js";
import { quoteOf } from "./quotes.js";
import { keepUp } from "./reading.js";

/** @import { HMSOutboxMessage } from "../../hms.js" */

/** @type {Map<string, { entry: HMSOutboxMessage, note: string, element: HTMLElement }>} client id → as it was drawn */
const drawn = new Map();
/** @type {Map<string, string>} error → what it means */
const reasons = new Map();

export function startWaiting() {
  const drawSoon = eachFrame(drawWaiting);
  subscribe(drawSoon, selectOutbox);
  onAway(drawSoon);
}

export function drawWaiting() {
  const entries = getState(selectOutbox).filter(({ type }) => type === "chat");
  const present = new Set(entries.map(({ clientId }) => clientId));
  for (const id of drawn.keys()) if (!present.has(id)) drawn.delete(id);
  arrange(part("outbox"), entries.map(elementFor));
  if (entries.length) part("empty").hidden = true;
  keepUp();
}

/** @param {HMSOutboxMessage} entry */
function elementFor(entry) {
  const held = drawn.get(entry.clientId);
  const note = noteOf(entry);
  if (held?.entry === entry && held.note === note) return held.element;
  const element = waiting(entry, note);
  drawn.set(entry.clientId, { entry, note, element });
  return element;
}

/** @param {HMSOutboxMessage} entry */
function noteOf({ status, error = "" }) {
  if (status === "failed") return filled(gettext("Not sent. {why}"), { why: whyOf(error) });
  return isAway() ? gettext("Will be sent when you are back.") : gettext("Sending…");
}

/**
 * What an error means; empty until the words for it are there, and then it is drawn again.
 * @param {string} error
 */
function whyOf(error) {
  const why = loaded()?.inWords(error) ?? reasons.get(error);
  if (why === undefined) {
    reasons.set(error, "");
    inWords(error).then((words) => {
      reasons.set(error, words);
      drawWaiting();
    });
  }
  return why ?? "";
}

/** @type {(entry: HMSOutboxMessage, said: string) => HTMLElement} */
function waiting({ clientId, message, replyTo, status }, said) {
  const failed = status === "failed";
  const note = make("p", { class: "sending" }, said);
  if (failed) {
    note.setAttribute("role", "alert");
    const retry = () => hmsActions.retryMessage(clientId).catch(() => {}); // shows as failed again
    const discard = () => hmsActions.discardMessage(clientId);
    note.append(" ", button("", gettext("Retry"), retry), button("quiet", gettext("Discard"), discard));
  }
  return make(
    "div",
    { class: failed ? "message own failed" : "message own" },
    make("div", { class: "bubble" }, quoteOf(replyTo), textOf(message), note),
  );
}

/** @type {(kind: string, label: string, action: () => unknown) => HTMLElement} */
function button(kind, label, action) {
  const made = make("button", { class: `button small ${kind}`, type: "button" }, label);
  onClick(made, action);
  return made;
}
