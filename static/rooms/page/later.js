// What is loaded when it is first needed (loader.js): menus, dialogs, words for what the server refuses, and what only
// some rooms have. Starts the parts of it; what draws itself draws what there is.

import "./main.js"; // which is there: the bundle has nothing of it again
import { startAlerts } from "./later/alerts.js";
import { startEditing } from "./later/editing.js";
import { startLeaving } from "./later/leaving.js";
import { startMentions } from "./later/mentions.js";
import { startNewPoll } from "./later/new_poll.js";
import { startPins } from "./later/pin_bar.js";
import { startPolls } from "./later/polls.js";
import { startRemoved } from "./later/removed.js";
import { startReplying } from "./later/replying.js";
import { startRoleChanges } from "./later/role_changes.js";
import { startSettings } from "./later/settings.js";
import { startShare } from "./later/share.js";
import { startSlowMode } from "./later/slow.js";
import { startSpotlight } from "./later/spotlight.js";
import { startToolbar } from "./later/toolbar.js";
import { startTranscript } from "./later/transcript.js";
import { startWalking } from "./later/walking.js";
import { drawWaiting } from "./log/waiting.js";

export { tellSetUp } from "./later/about.js";
export { alertTo } from "./later/alerts.js";
export { askToDelete } from "./later/deleting.js";
export * as editing from "./later/editing.js";
export { toggleEmoji } from "./later/emoji.js";
export { isKeptOut, refused, removed, tellOpen } from "./later/ends.js";
export { lowerAll, tellHand, turnOwnHand } from "./later/hands.js";
export { askBeforeLeaving } from "./later/leaving.js";
export { showLeft } from "./later/left.js";
export * as mentions from "./later/mentions.js";
export { closePopupIn } from "./later/menu.js";
export { togglePersonMenu } from "./later/person_menu.js";
export { resetPins } from "./later/pin_bar.js";
export { react } from "./later/reacting.js";
export * as replying from "./later/replying.js";
export { toggleRoomMenu } from "./later/room_menu.js";
export { currentLink, openShare } from "./later/share.js";
export * as slow from "./later/slow.js";
export { redrawToolbar } from "./later/toolbar.js";
export { inWords } from "./later/words.js";

startAlerts();
startEditing();
startLeaving();
startMentions();
startNewPoll();
startPins();
startPolls();
startRemoved();
startRoleChanges();
startReplying();
startSettings();
startShare();
startSlowMode();
startSpotlight();
startToolbar();
startTranscript();
startWalking();
drawWaiting(); // why something was not sent, in the words that are there now
