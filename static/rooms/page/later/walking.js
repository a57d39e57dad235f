// From message to message with the arrow keys, sideways to what is in one, and what is read out of it.

import { getState } from "../../core.js";
import { selectMessageByMessageID } from "../../hms.js";
import { part } from "../dom.js";
import { EDITED } from "../log/message.js";
import { messageAt } from "../log/walking.js";
import { shortTime, visible } from "../text.js";
import { gettext } from "../translation.js";
import { isOwn, nameText, senderOf } from "../who.js";

/** @import { HMSMessage } from "../../hms.js" */

const log = part("log");

export function startWalking() {
  log.addEventListener(
    "focusin",
    ({ target }) => target === messageAt(target) && label(/** @type {HTMLElement} */ (target)),
  );
  log.addEventListener("focusout", ({ target }) => messageAt(target)?.removeAttribute("aria-label")); // it may change
  log.addEventListener("keydown", walk);
  const message = messageAt(document.activeElement);
  if (message) label(message);
}

/** @param {HTMLElement} message */
export function label(message) {
  const said = getState(selectMessageByMessageID(message.dataset.id ?? ""));
  if (said) message.setAttribute("aria-label", spoken(message, said));
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const message = messageAt(event.target);
  if (!message || event.ctrlKey || event.altKey || event.metaKey) return;
  const to = goal(event, message);
  if (!to) return;
  event.preventDefault();
  to.focus();
  if (to.matches(".message")) to.scrollIntoView({ block: "nearest" });
}

/**
 * Where a key leads: to another message, to what is in this one, or back to it.
 * @type {(event: KeyboardEvent, message: HTMLElement) => HTMLElement | undefined}
 */
function goal({ key, target }, message) {
  const all = /** @type {HTMLElement[]} */ ([...log.querySelectorAll(".message")]);
  const at = all.indexOf(message);
  const within = /** @type {HTMLElement[]} */ ([message, ...message.querySelectorAll("a, button")]).filter((one) =>
    one.checkVisibility(),
  );
  const inside = within.indexOf(/** @type {HTMLElement} */ (target));
  const forward = getComputedStyle(log).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  if (key === "ArrowUp") return all[at - 1];
  if (key === "ArrowDown") return all[at + 1];
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key === forward) return within[inside + 1];
  if (key === "ArrowLeft" || key === "ArrowRight") return within[inside - 1];
  if (key === "Enter" && target === message) return within.at(-1);
  return undefined;
}

/**
 * A message in one breath: who, when, to whom, what, and what is to be known of it.
 * @type {(element: HTMLElement, message: HMSMessage) => string}
 */
function spoken(element, message) {
  const sender = senderOf(message);
  const author = isOwn(message) ? gettext("You") : sender ? nameText(sender) : gettext("The room");
  const privacy = element.querySelector(".privately")?.textContent;
  const marks = [...element.querySelectorAll(".mark")].map(({ textContent }) => textContent);
  const answered = element.querySelector(".quote")?.textContent;
  const edited = message.editedAt && EDITED;
  const said = [
    author,
    shortTime(message.time),
    privacy,
    answered,
    message.message,
    edited,
    ...marks,
    ...spokenReactions(element),
  ];
  return visible(said.filter(Boolean).join(gettext(", ")));
}

/**
 * The reactions of an element's message, in words.
 * @param {HTMLElement} element
 */
const spokenReactions = (element) =>
  [...element.querySelectorAll(".reaction")].map((button) => button.getAttribute("aria-label"));
