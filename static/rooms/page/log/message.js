// A message as an element: who said what, when and to whom, and what one may do about it.

import { hmsStore, selectPeerByID, selectRolesMap } from "../../hms.js";
import { avatar } from "../avatar.js";
import { writeTo } from "../composer.js";
import { icon, make, setParts } from "../dom.js";
import { toggleMenu } from "../menu.js";
import { isPinned, pin, unpin } from "../pins/pinned.js";
import { whyNotPin } from "../pins/rights.js";
import { fullTime, pieces, shortTime } from "../text.js";
import { attempt } from "../toasts.js";
import { labelName, senderOf, who, writeName } from "../who.js";

/** @import { HMSMessage } from "../../hms.js" */
/** @import { MenuItem } from "../types.js" */

/** @type {(message: HMSMessage, own: boolean, isContinued: boolean) => HTMLElement} */
export function bubble(message, own, isContinued) {
  const sender = senderOf(message);
  const classes = ["message", own && "own", isContinued && "continued", isForSome(message) && "private"];
  const element = make(
    "article",
    { class: classes.filter(Boolean).join(" "), tabIndex: -1 },
    avatar(sender ?? { id: "", name: "The room" }),
    make("div", { class: "bubble" }, headOf(message, own), privately(message, own), textOf(message.message)),
    menuOf(message, own),
  );
  markPinned(element, isPinned(message.id));
  return element;
}

/**
 * The text of a message, with its links.
 * @param {string} message
 */
export const textOf = (message) => make("p", { class: "text", dir: "auto" }, ...pieces(message).map(piece));

/** @type {(element: HTMLElement, pinned: boolean) => void} */
export function markPinned(element, pinned) {
  if (element.classList.toggle("pinned", pinned) === Boolean(element.querySelector(".pinned-mark"))) return;
  const head = element.querySelector(".message-head");
  if (pinned) head?.append(make("span", { class: "pinned-mark" }, icon("pin"), "Pinned"));
  else head?.querySelector(".pinned-mark")?.remove();
}

/** @type {(message: HMSMessage, own: boolean) => HTMLElement} */
function headOf(message, own) {
  const sender = senderOf(message);
  const time = make("time", { class: "time", title: fullTime(message.time) }, shortTime(message.time));
  time.dateTime = message.time.toISOString();
  const author = make("b", { class: "author", dir: "auto" }, own ? "You" : "The room");
  if (sender && !own) writeName(author, sender);
  const role = isModerator(message.senderRole) && !own ? make("span", { class: "role" }, message.senderRole) : null;
  return make("header", { class: "message-head" }, author, role, time);
}

/** @type {(message: HMSMessage, own: boolean) => HTMLElement} */
function menuOf(message, own) {
  const sender = senderOf(message);
  const menu = make(
    "button",
    {
      class: "icon-button message-menu",
      type: "button",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": "Actions for the message of the room",
    },
    icon("more"),
  );
  if (sender) labelName(menu, "Actions for the message of", sender);
  menu.addEventListener("click", () => toggleMenu(menu, actionsFor(message, own)));
  return menu;
}

/** @param {ReturnType<typeof pieces>[number]} part */
function piece({ text, href, host }) {
  if (!href) return text;
  // From left to right in any text around it: the host cannot be moved to where a path is expected.
  const link = make(
    "a",
    { href, target: "_blank", rel: "noopener noreferrer nofollow" },
    make("bdi", { dir: "ltr" }, text),
  );
  if (host) link.append(" ", make("bdi", { class: "host", dir: "ltr" }, `(leads to ${host})`));
  return link;
}

/** @param {string | undefined} role */
const isModerator = (role) => Boolean(hmsStore.getState(selectRolesMap)[role ?? ""]?.permissions?.removeOthers);

/** @type {(message: HMSMessage) => string[]} */
const rolesOf = ({ recipientRoles }) => (Array.isArray(recipientRoles) ? recipientRoles : []);

/** @param {HMSMessage} message */
const isForSome = (message) => Boolean(message.recipientPeer || rolesOf(message).length);

/** @type {(message: HMSMessage, own: boolean) => HTMLElement | null} */
function privately(message, own) {
  if (!isForSome(message)) return null;
  const label = make("p", { class: "privately", dir: "auto" }, icon("lock"));
  const said = make("span", { class: "said" });
  if (!message.recipientPeer) setParts(said, ["Only to role ", make("bdi", {}, rolesOf(message).join(", "))]);
  else if (!own) setParts(said, ["Only to you"]);
  else {
    const peer = hmsStore.getState(selectPeerByID(message.recipientPeer));
    setParts(said, ["Only to ", peer ? who(peer) : "somebody who left"]);
  }
  label.append(said);
  return label;
}

/** @type {(message: HMSMessage, own: boolean) => MenuItem[]} */
function actionsFor(message, own) {
  const actions = [];
  // What was said to some is not for everyone.
  if (!isForSome(message)) {
    const pinned = isPinned(message.id);
    actions.push({
      label: pinned ? "Unpin" : "Pin for everyone",
      action: () => (pinned ? unpin(message) : pin(message)),
      whyNot: whyNotPin(),
    });
  }
  const sender = own ? null : hmsStore.getState(selectPeerByID(message.sender ?? ""));
  if (sender) actions.push({ label: "Answer privately", action: () => writeTo(sender) });
  actions.push({
    label: "Copy text",
    action: () => attempt(() => navigator.clipboard.writeText(message.message), "Not copied"),
  });
  return actions;
}
