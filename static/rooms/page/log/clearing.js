// The line that all messages were deleted at once: later/clearing.js does that.

import { onNotification } from "../../core.js";
import { fill } from "../text.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";
import { addLine } from "./log.js";

export function startClearing() {
  onNotification(({ data: { by } }) => {
    addLine(by ? fill(gettext("{name} cleared the chat."), { name: who(by) }) : [gettext("The chat was cleared.")]);
  }, "MESSAGES_CLEARED");
}
