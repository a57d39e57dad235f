// All pinned messages, in a dialog.

import { getState } from "../../core.js";
import { arrange, make, part, setParts, setText } from "../dom.js";
import { jumpTo } from "../log/log.js";
import { foldIfLong } from "../log/message.js";
import { mayBring, whyNotThere } from "../log/older.js";
import { selectPins } from "../pinned.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { isHidden, showAgain } from "./hidden_pins.js";
import { mayUnpin } from "./pin_rights.js";
import { whyNotPin } from "./pin_rules.js";
import { bylineOf, contentOf } from "./pin_words.js";
import { unpin } from "./pinning.js";

/** @import { Pin } from "../types.js" */

/** @type {Map<string, HTMLElement>} */
const listed = new Map(); // what can be done with it, and its id → its item

export function startPinList() {
  part("all-pins").addEventListener("close", () => {
    listed.clear();
    part("pin-items").replaceChildren();
  });
}

export function openPins() {
  drawPinList();
  part("all-pins").showModal();
}

/** Draws what has changed of them. */
export function drawPinList() {
  const all = getState(selectPins);
  const keys = all.map((one, place) =>
    JSON.stringify([mayUnpin(one), mayBring(one.id), isHidden(one), one, one.id ? 0 : place]),
  );
  for (const key of listed.keys()) if (!keys.includes(key)) listed.delete(key);
  const items = all.map((one, place) => {
    const element = listed.get(keys[place]) ?? item(one);
    listed.set(keys[place], element);
    return element;
  });
  const hadFocus = part("pin-items").contains(document.activeElement);
  arrange(part("pin-items"), [...new Set(items)]);
  if (hadFocus && !part("pin-items").contains(document.activeElement)) part("pins-title").focus();
  setText(part("pins-why"), whyNotPin());
  if (!items.length) part("all-pins").close();
}

/** @param {Pin} one */
function item(one) {
  const text = make("p", { class: "pin-text whole", dir: "auto" });
  setParts(text, contentOf(one));
  const fold = foldIfLong(text, one.text);
  const actions = make("div", { class: "pin-actions" });
  /** @type {(label: string, action: () => void) => void} */
  const button = (label, action) => {
    const made = make("button", { class: "button small", type: "button" }, label);
    made.addEventListener("click", action);
    actions.append(made);
  };
  if (mayBring(one.id)) {
    button(gettext("Show in the chat"), async () => {
      part("all-pins").close();
      if (!(await jumpTo(one.id))) toast(whyNotThere());
    });
  }
  if (isHidden(one)) button(gettext("Show in the bar"), () => showAgain(one));
  if (mayUnpin(one)) button(gettext("Unpin"), () => unpin(one));
  const by = make("p", { class: "soft", dir: "auto" });
  setParts(by, bylineOf(one));
  return make("li", {}, text, fold, by, actions);
}
