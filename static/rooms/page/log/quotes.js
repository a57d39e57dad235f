// What a message answers, in a line above its text, which leads there.

import { getState, selectMessageByMessageID } from "../../core.js";
import { hasFocus, icon, make, onClick, part, setParts } from "../dom.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { senderOf, who } from "../who.js";
import { mayBring, whyNotThere } from "./older.js";

/** @import { HMSMessage } from "../../hms.js" */
/** @import { Said } from "../types.js" */

const SHOWN = 120; // characters

/** @type {WeakMap<Element, { id: string, of: HMSMessage | boolean }>} quote → what it was drawn of */
const drawn = new WeakMap();

/** @param {(id: string) => Promise<boolean>} jumpTo shows a message, if it can be had */
export function startQuotes(jumpTo) {
  onClick(part("scroller"), async ({ target }) => {
    const quote = /** @type {Element} */ (target).closest("button.quoted")?.parentElement;
    const id = quote && drawn.get(quote)?.id;
    if (id && !(await jumpTo(id))) toast(whyNotThere());
  });
}

/**
 * The line for a message that is answered; null if none is.
 * @param {string | undefined} id
 */
export function quoteOf(id) {
  if (id === undefined) return null;
  const quote = make("div", { class: "quote", "aria-live": "off" });
  drawQuote(quote, id);
  return quote;
}

/** Draws what has become known of the messages that are answered, or is known no more: also by those that wait. */
export function redrawQuotes() {
  for (const quote of part("scroller").querySelectorAll(".quote")) drawQuote(quote, drawn.get(quote)?.id ?? "");
}

/** @type {(quote: Element, id: string) => void} */
export function drawQuote(quote, id) {
  const of = getState(selectMessageByMessageID(id)) ?? mayBring(id);
  const held = drawn.get(quote);
  if (held?.id === id && held.of === of) return;
  drawn.set(quote, { id, of });
  const hadFocus = hasFocus(quote);
  const said = typeof of === "boolean" ? [withoutText(id, of)] : wordsOf(of);
  const label = make("span", { class: "unseen" }, gettext("In reply to"));
  const more = make("span", { class: "said" });
  setParts(more, said);
  const content = [icon("reply"), label, " ", more];
  quote.replaceChildren(
    of
      ? make("button", { class: "quoted", type: "button", tabIndex: -1 }, ...content)
      : make("span", { class: "quoted" }, ...content),
  );
  const message = hadFocus && quote.closest(".message");
  if (message instanceof HTMLElement) (quote.querySelector("button") ?? message).focus({ preventScroll: true });
}

/** @type {(id: string, mayCome: boolean) => string} */
export function withoutText(id, mayCome) {
  if (mayCome) return gettext("An earlier message");
  return id ? gettext("A message that was deleted or is not shown to you") : gettext("A deleted message");
}

/**
 * Who said a message, and its first words.
 * @param {HMSMessage} message
 * @returns {Said[]}
 */
export function wordsOf(message) {
  const sender = senderOf(message);
  return [sender ? who(sender) : gettext("The room"), ": ", make("bdi", {}, firstWords(message))];
}

/** @param {HMSMessage} message */
export function firstWords({ message }) {
  const words = [...message.replace(/[\s\u0085]+/gu, " ").trim()];
  return words.length > SHOWN ? `${words.slice(0, SHOWN).join("")}…` : words.join("");
}
