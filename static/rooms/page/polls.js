// How many polls the room has, and that one began: later/polls.js shows them.

import { hmsActions, hmsNotifications, hmsStore, selectPermissions, selectPolls } from "../hms.js";
import { eachFrame, make, part, setText } from "./dom.js";
import { need } from "./opening.js";
import { isShown, openPanel } from "./panel.js";
import { fill, filled } from "./text.js";
import { attempt, toast } from "./toasts.js";
import { gettext } from "./translation.js";

/** @import { HMSPoll, HMSPollQuestion, HMSStore } from "../hms.js" */

/** @typedef {HMSPoll & { questions: HMSPollQuestion[] }} ReadPoll one whose questions are here */

export function startPolls() {
  const drawSoon = eachFrame(draw);
  hmsStore.subscribe(drawSoon, selectPolls);
  part("polls-toggle").addEventListener("click", () => need()); // once more, where it could not be had before
  hmsNotifications.onNotification(({ data: poll }) => {
    if (!poll || isShown("polls")) return;
    const said = fill(gettext("Poll: {title}"), { title: make("bdi", {}, poll.title) });
    const remove = toast(said, { label: gettext("Answer"), action: () => openPanel("polls") });
    part("polls-toggle").addEventListener("click", remove, { once: true });
  }, "POLL_STARTED");
}

/** Reads the polls of a room just entered. */
export function resetPolls() {
  draw();
  if (hmsStore.getState(selectPermissions)?.pollRead) {
    attempt(() => hmsActions.interactivityCenter.getPolls(), gettext("Polls not read. {why}"));
  }
}

function draw() {
  const polls = hmsStore.getState(selectShownPolls);
  const running = polls.filter(({ state }) => state === "started").length;
  part("polls-toggle").hidden = !polls.length;
  setText(part("polls-count"), running || "");
  part("polls-toggle").setAttribute("aria-label", filled(gettext("Polls, {running} running"), { running }));
}

/**
 * Those that were started and are read.
 * @param {HMSStore} store
 */
export const selectShownPolls = (store) => selectPolls(store).filter(isShownPoll);

/**
 * @param {HMSPoll} poll
 * @returns {poll is ReadPoll}
 */
const isShownPoll = (poll) => poll.state !== "created" && poll.questions !== undefined;
