// Deleting a message, for everyone.

import { hmsActions } from "../../hms.js";
import { fill } from "../text.js";
import { announce, attempt } from "../toasts.js";
import { gettext } from "../translation.js";
import { isOwn, senderOf, who } from "../who.js";
import { confirm } from "./dialogs.js";

/** @import { HMSMessage } from "../../hms.js" */

/**
 * Asks first: it cannot be undone.
 * @param {HMSMessage} message
 */
export async function askToDelete(message) {
  const sender = isOwn(message) ? null : senderOf(message);
  const agrees = await confirm({
    title: gettext("Delete this message?"),
    text: sender
      ? fill(gettext("What {name} said goes for everyone who sees it, and cannot be brought back."), {
          name: who(sender),
        })
      : gettext("It goes for everyone who sees it, and cannot be brought back."),
    action: gettext("Delete"),
    danger: true,
  });
  if (!agrees) return;
  await attempt(async () => {
    await hmsActions.deleteMessage(message.id);
    announce(gettext("Message deleted"));
  }, gettext("Not deleted. {why}"));
}
