// Slow mode: a mark at the room, and for who writes until when to wait, told beside the message box while it lasts.

import { getState, subscribe } from "../../core.js";
import {
  hmsActions,
  selectHMSMessages,
  selectLocalPeer,
  selectMessageByMessageID,
  selectOutbox,
  selectPermissions,
  selectRoom,
} from "../../hms.js";
import { serverNow } from "../clock.js";
import { insert } from "../composer.js";
import { part, setText } from "../dom.js";
import { filled } from "../text.js";
import { announce } from "../toasts.js";
import { gettext } from "../translation.js";
import { personOf } from "../who.js";
import { slowSaid } from "./about.js";
import { isEditing } from "./editing.js";
import { showAnswered } from "./replying.js";
import { timeSpan } from "./text.js";

/** @import { HMSException, HMSMessage, HMSPeer, HMSStore } from "../../hms.js" */

const SECOND = 1_000; // ms

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let refusedUntil = 0; // as the server said: it knows of more than this page

/** @param {HMSStore} store */
const selectSlowMode = (store) => (selectPermissions(store)?.manageRoom ? 0 : selectRoom(store).slowMode);

export function startSlowMode() {
  subscribe(drawMarks, (store) => selectRoom(store).slowMode);
  subscribe(draw, selectSlowMode);
  subscribe(
    draw,
    ({ messages, outbox }) => [messages, outbox],
    ([a, b], [c, d]) => a === c && b === d,
  );
  drawMarks();
  draw();
}

function drawMarks() {
  const { slowMode } = getState(selectRoom);
  const said = slowMode ? slowSaid(slowMode) : "";
  setText(part("slow-said"), said);
  setText(part("slow-mark-said"), said);
  part("slow-mark").title = said;
  for (const name of ["slow-mark", "slow-said"]) part(name).hidden = !slowMode;
}

/** Whether one has to wait before one may write, which a screen reader is told then. */
export function hasToWait() {
  const left = timeLeft();
  if (left) announce(saying(left));
  return left > 0;
}

/**
 * Where a message was refused for slow mode, tells until when to wait, and puts it back into the box that is empty.
 * @type {(error: HMSException, message: string, to: HMSMessage | undefined) => void}
 */
export function giveBack({ data }, message, to) {
  if (!data?.slow_mode) return;
  refusedUntil = Number(serverNow()) + (data.retry_after_ms ?? 0);
  draw();
  if (isEditing() || part("message").value) return;
  const failed = getState(selectOutbox).findLast((one) => one.status === "failed" && one.message === message);
  if (failed) hmsActions.discardMessage(failed.clientId);
  showAnswered(to && getState(selectMessageByMessageID(to.id))); // it may be deleted by now
  insert(message);
}

/** Seconds, rounded up. */
function timeLeft() {
  const seconds = getState(selectSlowMode);
  const peer = getState(selectLocalPeer);
  if (!seconds || !peer) return 0;
  const own = getState(selectHMSMessages).findLast((message) => isBy(peer, message));
  const until = Math.max(refusedUntil, own ? Number(own.time) + seconds * SECOND : 0);
  const left = Math.ceil((until - Number(serverNow())) / SECOND);
  return Math.min(Math.max(left, 0), seconds); // the clock may have been set back since
}

/** @type {(peer: HMSPeer, message: HMSMessage) => boolean} */
const isBy = (peer, { type, sender, senderPerson }) =>
  type === "chat" && personOf({ id: sender, person: senderPerson }) === personOf(peer);

/** @param {number} seconds */
const saying = (seconds) => filled(gettext("You can write again in {time}."), { time: timeSpan(seconds) });

function draw() {
  clearTimeout(timer);
  const left = timeLeft();
  setText(part("wait"), left ? saying(left) : "");
  part("composer").classList.toggle("waiting", left > 0);
  if (left) timer = setTimeout(draw, SECOND);
}
