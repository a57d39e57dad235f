// Deleting all messages at once, for whoever may remove others.

import { hmsActions } from "../../hms.js";
import { attempt } from "../toasts.js";
import { gettext } from "../translation.js";
import { confirm } from "./dialogs.js";

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
