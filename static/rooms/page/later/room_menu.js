// What can be done in the room.

import { getState } from "../../core.js";
import { selectPermissions } from "../../hms.js";
import { part } from "../dom.js";
import { inviteLabel, share } from "../invite.js";
import { mayChooseLanguage } from "../languages.js";
import { leave } from "../leaving.js";
import { selectPins } from "../pinned.js";
import { gettext } from "../translation.js";
import { alertActions } from "./alerts.js";
import { clearChat } from "./clearing.js";
import { endRoom } from "./leaving.js";
import { toggleMenu } from "./menu.js";
import { openNewPoll } from "./new_poll.js";
import { openPins } from "./pin_list.js";
import { openSettings } from "./settings.js";
import { openTranscript } from "./transcript.js";

/** @import { MenuItem } from "../types.js" */

/** @type {Record<string, string>} */
const THEMES = { system: gettext("Theme: system"), light: gettext("Theme: light"), dark: gettext("Theme: dark") };

export const toggleRoomMenu = () => toggleMenu(part("more"), actions());

function actions() {
  const theme = window.hmsroomTheme;
  const isNarrow = !part("leave").checkVisibility(); // no space beside the menu
  const may = getState(selectPermissions) ?? {};
  /** @type {MenuItem[]} */
  const actions = isNarrow ? [{ label: inviteLabel(), action: share }] : [];
  if (getState(selectPins).length) actions.push({ label: gettext("Pinned messages"), action: openPins });
  actions.push({ label: THEMES[theme.current()], action: theme.change });
  if (mayChooseLanguage) actions.push({ label: gettext("Language"), action: () => part("languages").showModal() });
  actions.push(...alertActions(), { label: gettext("Save the transcript"), action: openTranscript });
  if (may.pollWrite) actions.push({ label: gettext("Make a poll"), action: openNewPoll });
  if (may.manageRoom) actions.push({ label: gettext("Room settings"), action: openSettings });
  if (isNarrow) actions.push({ label: gettext("Leave"), action: leave });
  if (may.removeOthers) actions.push({ label: gettext("Clear the chat"), danger: true, action: clearChat });
  if (may.endRoom) actions.push({ label: gettext("End the room for everyone"), danger: true, action: endRoom });
  return actions;
}
