// What was said before, above the log: read as one scrolls up, or by a button; and what there is of it at all.

import {
  getState,
  hmsActions,
  selectHistory,
  selectHMSMessages,
  selectHMSMessagesCount,
  selectRoom,
} from "../../core.js";
import { onClick, part, setHidden, setText } from "../dom.js";
import { filled, shortTime } from "../text.js";
import { announce } from "../toasts.js";
import { gettext, ngettext } from "../translation.js";
import { inWords } from "../why.js";
import { elementOf, HELD, mayRecall, recall } from "./entries.js";
import { keepPlace, readsEnd } from "./reading.js";

/** @import { HMSMessage } from "../../hms.js" */

const NOT_INSIDE = 410; // the code of an error
const PAGE = 50; // messages at a time
const NEAR = 300; // px from the beginning from where on more is read

const log = part("log");
const scroller = part("scroller");
/** @type {(action: () => void) => void} does something once all that the store holds is drawn */
let whenDrawn = () => {};
/** @type {Promise<void> | null} the reading of the newest messages, as long as it has not ended */
let first = null;
/** @type {Promise<void> | null} what is being read */
let reading = null;
let problem = ""; // why nothing could be read, as a sentence
let top = 0; // where the scroller was
let shown = ""; // what drawOlder() drew
let isLost = false; // whether the place that was read is gone

/** @param {(action: () => void) => void} afterMessages */
export function startOlder(afterMessages) {
  whenDrawn = afterMessages;
  onClick(part("older-show"), async () => {
    const before = log.querySelectorAll(".message").length;
    await showOlder();
    const count = log.querySelectorAll(".message").length - before;
    if (count > 0) announce(filled(ngettext("{count} earlier message", "{count} earlier messages", count), { count }));
  });
  scroller.addEventListener("scroll", onScroll, { passive: true });
}

/** Waits until all that the store holds is drawn, as far as there is place for it. */
export const allDrawn = () => new Promise((resolve) => whenDrawn(() => resolve(undefined)));

/** Whether what was said last is there, or could not be had. */
export const hasNewest = () => first === null;

/** Whether as many messages are held as ever are: the oldest go. */
const isFull = () => getState(selectHMSMessagesCount) >= HELD;

/**
 * Whether a message that is not held went for its age, and was not deleted.
 * @param {HMSMessage} message
 */
export const isTooOld = ({ time }) => isFull() && time <= getState(selectHMSMessages)[0].time;

/** Whether nothing is known to be missing before what is drawn. */
export const isWhole = () => {
  const { hasMore, isWithheld } = getState(selectHistory);
  return hasNewest() && !hasMore && !isWithheld && !isFull();
};

/** Reads what was said last in the room. */
export function readNewest() {
  const own = read().then(() => {
    if (first !== own) return; // it began anew
    first = null;
    whenDrawn(() => {});
  });
  first = own;
  reading = null;
}

async function read() {
  problem = "";
  try {
    await hmsActions.loadOlderMessages(PAGE);
  } catch (error) {
    if (/** @type {any} */ (error).code === NOT_INSIDE) return; // a reload: it is read on coming back
    problem = filled(gettext("Earlier messages could not be loaded. {why}"), { why: await inWords(error) });
  }
}

/** Whether there are messages before the first that is drawn, and space for them. */
const hasOlder = () => mayRecall() || (getState(selectHistory).hasMore && !isFull());

/** Leads to the first message that is left, from one that was read until it was too old to be held. */
export function leadToFirst() {
  scroller.scrollTop = 0;
  if (isLost) return;
  isLost = true;
  announce(lost());
}

const lost = () =>
  filled(gettext("What you were reading is gone: only the last {count} messages are shown."), { count: HELD });

/** Shows some more of what was said before. */
function showOlder() {
  if (first) return first;
  if (!hasOlder()) return Promise.resolve();
  reading ??= untilOlder().finally(() => {
    reading = null;
    drawOlder();
  });
  drawOlder();
  return reading;
}

/** A page may hold nothing but what is there. */
async function untilOlder() {
  const firstDrawn = () => log.querySelector(".message");
  const before = firstDrawn();
  do {
    if (!recall(PAGE)) await read();
    await allDrawn();
  } while (firstDrawn() === before && hasOlder() && !problem);
}

/**
 * Has a message in the log, if it can be had.
 * @param {string} id
 */
export async function bring(id) {
  while (mayBring(id) && !elementOf(id)) {
    await showOlder();
    if (problem) return;
  }
}

/**
 * Whether a message is in the log, or may be among those before.
 * @param {string} id
 */
export const mayBring = (id) => id !== "" && (elementOf(id) !== undefined || hasOlder());

/** Why a message that was asked for is not in the log, as a sentence. */
export function whyNotThere() {
  if (problem) return problem;
  return getState(selectHistory).isWithheld
    ? gettext("This message is from before what is shown to you.")
    : gettext("This message is not shown any more.");
}

function onScroll() {
  const isUp = scroller.scrollTop < top;
  top = scroller.scrollTop;
  if (isUp && top < NEAR && !problem) showOlder();
}

/** Shows what there is before the first message: more, a reason why not, or nothing. */
export function drawOlder() {
  isLost &&= !readsEnd();
  const isAwaited = !hasNewest() && log.querySelector(".message") === null;
  const label = reading ? gettext("Loading…") : gettext("Show earlier messages");
  const hasButton = hasNewest() && hasOlder();
  const said = note();
  const next = JSON.stringify([isAwaited, label, hasButton, said]);
  if (next === shown) return;
  shown = next;
  keepPlace(() => {
    part("skeleton").hidden = !isAwaited;
    setText(part("older-show"), label);
    setHidden(part("older-show"), !hasButton, scroller);
    setText(part("older-note"), said);
    part("older-note").hidden = !said;
  });
}

function note() {
  if (!hasNewest()) return "";
  if (problem || hasOlder()) return problem;
  if (isLost) return lost();
  if (isFull()) return filled(gettext("Only the last {count} messages are shown."), { count: HELD });
  return getState(selectHistory).isWithheld ? withheld() : "";
}

/** What is said where the room shows no more of what was said before. */
function withheld() {
  const { joinedAt } = getState(selectRoom);
  if (!joinedAt) return gettext("Earlier messages are not shown.");
  return filled(gettext("You joined at {time}. Earlier messages are not shown."), { time: shortTime(joinedAt) });
}
