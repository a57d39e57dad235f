// Whether somebody wants to hear or be shown what is said while nobody looks at the page; both off until turned on.

import { onNotification } from "../core.js";
import { later } from "./loader.js";
import { lasting } from "./memory.js";
import { isOwn } from "./who.js";

export const [SOUND, NOTICE] = ["sound", "notice"]; // keys

/** @param {string} key */
export const isOn = (key) => lasting.get(key) === "on";

export function startAlerts() {
  onNotification(({ data: message }) => {
    const isUnseen = document.hidden && message.type === "chat" && !isOwn(message);
    // Where it cannot be loaded the page does without.
    if (isUnseen && (isOn(SOUND) || isOn(NOTICE)))
      later()
        .then(({ alertTo }) => alertTo(message))
        .catch(() => {});
  }, "NEW_MESSAGE");
}
