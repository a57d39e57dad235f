// What can be done with a message.

import { getState } from "../../core.js";
import { selectMayDelete, selectMayEdit, selectPeerByID, selectPermissions } from "../../hms.js";
import { isForSome } from "../log/message.js";
import { isPinned } from "../pinned.js";
import { tryTo } from "../toasts.js";
import { gettext } from "../translation.js";
import { isOwn } from "../who.js";
import { askToDelete } from "./deleting.js";
import { edit } from "./editing.js";
import { toggleMenu } from "./menu.js";
import { whyNotPin } from "./pin_rules.js";
import { pin, unpin } from "./pinning.js";
import { showReactions } from "./reacted.js";
import { answer, answerGoesTo, writeTo } from "./replying.js";

/** @import { HMSMessage } from "../../hms.js" */
/** @import { MenuItem } from "../types.js" */

/** @type {(button: HTMLElement, message: HMSMessage) => void} */
export const toggleMessageMenu = (button, message) => toggleMenu(button, actionsFor(message));

/**
 * @param {HMSMessage} message
 * @returns {MenuItem[]}
 */
function actionsFor(message) {
  const actions = [];
  if (mayReply(message)) actions.push({ label: gettext("Reply"), action: () => answer(message) });
  if (!isForSome(message)) {
    const label = isPinned(message.id) ? gettext("Unpin") : gettext("Pin for everyone");
    actions.push({ label, action: () => turnPin(message), whyNot: whyNotPin() });
  }
  if (message.reactions?.length) actions.push({ label: gettext("Who reacted"), action: () => showReactions(message) });
  const sender = isOwn(message) ? null : getState(selectPeerByID(message.sender ?? ""));
  if (sender) actions.push({ label: gettext("Answer privately"), action: () => writeTo(sender) });
  actions.push({
    label: gettext("Copy text"),
    action: () => tryTo(() => navigator.clipboard.writeText(message.message), gettext("Not copied. {why}")),
  });
  if (getState(selectMayEdit(message.id))) actions.push({ label: gettext("Edit"), action: () => edit(message) });
  if (getState(selectMayDelete(message.id))) {
    actions.push({ label: gettext("Delete"), danger: true, action: () => askToDelete(message) });
  }
  return actions;
}

export const maySpeak = () => getState(selectPermissions)?.sendMessages === true;

/** @param {HMSMessage} message */
export const mayReply = (message) => maySpeak() && answerGoesTo(message) !== undefined;

/** @param {HMSMessage} message */
export const turnPin = (message) => (isPinned(message.id) ? unpin(message) : pin(message));
