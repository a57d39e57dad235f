// Who reacted how to a message, in a dialog.

import { make, part } from "../dom.js";
import { listOf } from "../log/reactions.js";
import { togetherInParts } from "../text.js";
import { answer } from "./dialogs.js";

/** @import { HMSMessage } from "../../hms.js" */

/**
 * Tells who reacted how to a message, all of them as far as they are known: without a pointer to stay on a reaction too.
 * @param {HMSMessage} message
 */
export async function showReactions({ reactions = [] }) {
  const items = reactions.map((one) => {
    const item = make("li", { dir: "auto" }, make("bdi", { class: "sign" }, one.emoji), " ");
    const names = listOf(one, one.count);
    const said = togetherInParts(names).map(({ type, value }) => (type === "element" ? make("bdi", {}, value) : value));
    item.append(...said);
    return item;
  });
  part("reacted-list").replaceChildren(...items);
  await answer(part("reacted"));
  part("reacted-list").replaceChildren();
}
