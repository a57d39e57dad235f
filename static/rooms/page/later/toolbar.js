// What one may do with a message: one toolbar for all of them, in the message under the pointer or with the focus.

import { getState } from "../../core.js";
import { selectMessageByMessageID } from "../../hms.js";
import { icon, make, part } from "../dom.js";
import { QUICK_EMOJI } from "../emoji.js";
import { isForSome } from "../log/message.js";
import { lastPress } from "../log/pointing.js";
import { isOwnReaction } from "../log/reactions.js";
import { messageAt } from "../log/walking.js";
import { isPinned } from "../pinned.js";
import { filled } from "../text.js";
import { gettext } from "../translation.js";
import { labelName, senderOf } from "../who.js";
import { toggleEmoji } from "./emoji.js";
import { mayReply, maySpeak, toggleMessageMenu, turnPin } from "./message_menu.js";
import { mayPin } from "./pin_rights.js";
import { giveRoomBack, keepPlaced, place } from "./placing.js";
import { react } from "./reacting.js";
import { answer } from "./replying.js";
import { label } from "./walking.js";

/** @import { HMSMessage } from "../../hms.js" */

const BY_KEYS = ":focus-visible, :has(:focus-visible)";
const PRESS = 450; // ms that a finger stays on a message for its toolbar

const log = part("log");
const quick = QUICK_EMOJI.map(([sign, name]) => {
  const made = make("button", { class: "icon-button", type: "button", tabIndex: -1 }, sign);
  made.setAttribute("aria-label", filled(gettext("React with {emoji}"), { emoji: name }));
  made.addEventListener("click", () => message && react(message.id, sign));
  return { sign, button: made };
});
const picker = button("react", { "aria-haspopup": "dialog", "aria-expanded": "false" });
picker.setAttribute("aria-label", gettext("React with another emoji"));
const replyButton = button("reply", {
  class: "icon-button reply",
  "aria-label": gettext("Reply"),
  title: gettext("Reply"),
});
const pinButton = button("pin", { class: "icon-button in-menu-too" });
const more = button("more", { "aria-haspopup": "menu", "aria-expanded": "false" });
// In the log, whose additions are read out: this is none.
const toolbar = make("div", { class: "toolbar", role: "toolbar", "aria-live": "off" });
toolbar.setAttribute("aria-label", gettext("Actions for the message"));
toolbar.append(...quick.map((one) => one.button), picker, replyButton, pinButton, more);

/** @type {HMSMessage | undefined} */
let message; // whose toolbar it is

export function startToolbar() {
  // Not where it only lies: what is scrolled by keys would pass under it.
  log.addEventListener(
    "pointermove",
    ({ target, pointerType }) => pointerType === "mouse" && showAt(messageAt(target)),
  );
  log.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse" && !toolbar.parentElement?.matches(BY_KEYS) && !isChoosing()) hide();
  });
  document.addEventListener("pointerdown", ({ target, pointerType }) => {
    const element = /** @type {Element} */ (target);
    if (pointerType !== "mouse" || isChoosing() || element.closest("dialog, .menu")) return;
    if (!toolbar.parentElement?.contains(element)) hide();
  });
  // To where the focus was led by the mouse.
  log.addEventListener("keydown", ({ target }) => showAt(messageAt(target)), { capture: true });
  document.addEventListener("keydown", ({ key, target }) => {
    if (key !== "Escape" || isChoosing() || /** @type {Element} */ (target).closest("dialog, .message")) return;
    hide(); // it may cover what somebody reads, while the pointer lies there
  });
  log.addEventListener("focusin", ({ target }) => showAt(messageAt(target)));
  log.addEventListener("focusout", ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Element) || log.contains(relatedTarget) || isChoosing()) return;
    if (!relatedTarget.closest("dialog")) hide(); // a question gives the focus back
  });
  keepPlaced(toolbar);
  listenToFingers();
  picker.addEventListener("click", () => {
    const id = message?.id;
    if (id) toggleEmoji(picker, (sign) => react(id, sign));
  });
  replyButton.addEventListener("click", () => message && answer(message));
  pinButton.addEventListener("click", () => message && turnPin(message));
  more.addEventListener("click", () => message && toggleMessageMenu(more, message));
  const pointed = matchMedia("(hover: hover)").matches ? ".message:hover" : null; // a tap leaves it where it was
  showAt(messageAt(document.activeElement) ?? (pointed && log.querySelector(pointed)));
}

/** @type {(kind: string, properties?: object) => HTMLButtonElement} */
function button(kind, properties = {}) {
  return make("button", { class: "icon-button", type: "button", tabIndex: -1, ...properties }, icon(kind));
}

/** Whether something is open at a button of the toolbar, which therefore stays. */
const isChoosing = () => [more, picker].some((one) => one.ariaExpanded === "true");

/** @param {HTMLElement | null} element */
function showAt(element) {
  if (!element || element === toolbar.parentElement || isChoosing()) return;
  message = getState(selectMessageByMessageID(element.dataset.id ?? ""));
  if (!message) return;
  giveFocusBack();
  giveRoomBack(toolbar);
  drawToolbar(message);
  element.append(toolbar);
  place(toolbar);
}

/** Before the toolbar goes from a message, which keeps the focus. */
function giveFocusBack() {
  if (toolbar.contains(document.activeElement)) toolbar.parentElement?.focus({ preventScroll: true });
}

function hide() {
  giveFocusBack();
  giveRoomBack(toolbar);
  toolbar.remove();
  message = undefined;
}

/** Draws what has changed of the message that the toolbar is at. */
export function redrawToolbar() {
  message = message && getState(selectMessageByMessageID(message.id));
  if (!message || !toolbar.isConnected) hide();
  else {
    drawToolbar(message);
    place(toolbar);
  }
  const focused = messageAt(document.activeElement);
  if (focused && focused === document.activeElement) label(focused);
}

/** @param {HMSMessage} message */
function drawToolbar(message) {
  const mayReact = maySpeak();
  for (const { sign, button } of quick) button.setAttribute("aria-pressed", String(isOwnReaction(message, sign)));
  for (const button of [picker, ...quick.map((one) => one.button)]) button.hidden = !mayReact;
  replyButton.hidden = !mayReply(message);
  const sender = senderOf(message);
  more.setAttribute("aria-label", gettext("Actions for the message of the room"));
  if (sender) labelName(more, gettext("Actions for the message of {name}"), sender);
  const what = isPinned(message.id) ? gettext("Unpin") : gettext("Pin for everyone");
  pinButton.setAttribute("aria-label", what);
  pinButton.title = what;
  // What was said to some is not for everyone.
  pinButton.hidden = isForSome(message) || !mayPin();
}

/** A finger that stays on a message for a moment asks for its toolbar. */
function listenToFingers() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pressing;
  let hasAsked = false; // by the press that is ending or ended last
  const end = () => clearTimeout(pressing);
  /** @type {(target: EventTarget | null, wait: number) => void} */
  const press = (target, wait) => {
    pressing = setTimeout(() => {
      const before = toolbar.parentElement;
      showAt(messageAt(target));
      hasAsked = toolbar.parentElement !== before;
    }, wait);
  };
  const { target = null, from = 0, to = 0 } = lastPress() ?? {}; // for which this was loaded
  if (to - from >= PRESS) press(target, from + PRESS - performance.now());
  log.addEventListener("pointerdown", ({ target, pointerType }) => {
    end();
    hasAsked = false;
    if (pointerType === "mouse") return;
    if (!toolbar.contains(/** @type {Node} */ (target)) && !isChoosing()) hide();
    press(target, PRESS);
  });
  // Under the finger lies the toolbar now, or what was pressed: lifting it chooses neither. Keys have no detail.
  for (const kind of /** @type {const} */ (["mousedown", "click"])) {
    log.addEventListener(kind, (event) => hasAsked && event.detail > 0 && swallow(event), { capture: true });
  }
  log.addEventListener("pointerup", end);
  log.addEventListener("pointercancel", end); // it scrolls
}

/** @param {Event} event */
function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}
