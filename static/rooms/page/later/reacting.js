// Reacting to messages.

import { hmsActions } from "../../hms.js";
import { attempt } from "../toasts.js";
import { gettext } from "../translation.js";

/**
 * Adds one's reaction, or takes it back.
 * @type {(id: string, emoji: string) => Promise<void>}
 */
export const react = (id, emoji) => attempt(() => hmsActions.reactToMessage(id, emoji), gettext("Not changed. {why}"));
