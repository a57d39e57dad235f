// Deleting all messages at once, for whoever may remove others.

import { hmsActions, hmsNotifications } from "../../hms.js";
import { confirm } from "../dialogs.js";
import { fill } from "../text.js";
import { attempt } from "../toasts.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";
import { addLine } from "./log.js";

export function startClearing() {
  hmsNotifications.onNotification(({ data: { by } }) => {
    addLine(by ? fill(gettext("{name} cleared the chat."), { name: who(by) }) : [gettext("The chat was cleared.")]);
  }, "MESSAGES_CLEARED");
}

export async function clearChat() {
  const sure = await confirm({
    title: gettext("Clear the chat?"),
    text: gettext(
      "All messages, private ones too, are deleted for everybody, and with them their pins. Nobody can bring them back.",
    ),
    action: gettext("Clear the chat"),
    danger: true,
  });
  if (sure) await attempt(() => hmsActions.clearMessages(), gettext("Not cleared. {why}"));
}
