// The messages, and what happened between them.

import {
  getState,
  onNotification,
  selectHMSMessages,
  selectMessageByMessageID,
  selectMissed,
  selectSessionId,
  subscribe,
} from "../../core.js";
import { eachDay } from "../clock.js";
import { wasMissed } from "../connection.js";
import { eachFrame, hasFocus, make, part } from "../dom.js";
import { loaded } from "../loader.js";
import { isPinned, selectPins } from "../pinned.js";
import { continues, sameDay } from "../text.js";
import { gettext } from "../translation.js";
import { forgetPersons, isOwn } from "../who.js";
import { clearDays, lineAbove, lineOf, nameDays, newLine } from "./days.js";
import { divide, dropDivider, endDivider, forgetDivider, placeDivider } from "./divider.js";
import * as entries from "./entries.js";
import { clearGaps, tellGaps } from "./gaps.js";
import { clearLines, lineAfter, writeAfter, writeDue } from "./line.js";
import { bubble, markPinned, rewrite } from "./message.js";
import { bring, drawOlder, hasNewest, isTooOld, isWhole, leadToFirst, readNewest, startOlder } from "./older.js";
import { startPointing } from "./pointing.js";
import { isHereOtherwise, PresenceLine } from "./presence.js";
import { drawQuote, redrawQuotes, startQuotes } from "./quotes.js";
import { drawReactions } from "./reactions.js";
import {
  entryRead,
  haveMoreBelow,
  keepPlace,
  keepUp,
  leadEyes,
  notice,
  readsEnd,
  recount,
  resetReading,
  startReading,
  toEnd,
  walks,
} from "./reading.js";
import { drawWaiting, startWaiting } from "./waiting.js";
import { leadTo, startWalking } from "./walking.js";

/** @import { HMSMessage, HMSPeer } from "../../hms.js" */
/** @import { Said } from "../types.js" */

const SLICE = 8; // ms of drawing at a time: typing and scrolling come between
const QUIET = 500; // ms until the screen reader has passed over what is drawn without being news

const log = part("log");
/** @type {(() => void)[]} what is done once all is drawn that can be */
const later = [];
const drawSoon = eachFrame(draw);
/** @type {HMSMessage | null} the message drawn last, if nothing came after it */
let last = null;
/** @type {Date | null} */
let lastDay = null;
/** @type {PresenceLine | null} the line about people that is still being added to */
let presence = null;
let filled = false; // the first draw is history, not news
let session = ""; // whose messages are drawn
/** @type {ReturnType<typeof setTimeout> | undefined} */
let quiet;

export function startLog() {
  startReading(endDivider, drawSoon);
  startWaiting();
  startWalking();
  startPointing();
  startOlder(afterMessages);
  startQuotes(jumpTo);
  subscribe(drawSoon, ({ messages }) => messages, Object.is);
  subscribe(drawSoon, selectSessionId);
  subscribe(() => {
    if (getState(selectMissed).length) readNewest();
    drawSoon();
  }, selectMissed);
  subscribe(redrawPins, selectPins);
  onNotification(({ type, data }) => addPresence(data, type === "PEER_JOINED"), ["PEER_JOINED", "PEER_LEFT"]);
  eachDay(nameDays);
}

/** Draws what the store holds of a room just entered, and what was said there before. */
export function resetLog() {
  clear();
  draw();
  drawWaiting();
}

function clear() {
  entries.clearEntries();
  clearDays();
  clearGaps();
  later.length = 0;
  clearLines();
  forgetPersons();
  last = null;
  lastDay = null;
  presence = null;
  forgetDivider();
  resetReading();
  filled = false;
  session = getState(selectSessionId);
  if (session) readNewest();
}

/**
 * A line between the messages; one that says the same as the line just above counts there.
 * @param {Said[]} parts
 */
export function addLine(parts) {
  afterSaid(() => {
    const line = lineAfter(entries.newest(), parts);
    if (line) append(line);
    presence = null;
    keepUp();
  });
}

/**
 * Writes a line below what was said until now.
 * @param {() => void} write
 */
function afterSaid(write) {
  writeAfter(said().at(-1)?.id, write);
  draw();
}

/** What the store holds. */
const said = () => getState(selectHMSMessages).filter(({ type }) => type === "chat");

/**
 * Does something once all messages that the store holds now are drawn, but for those below what is read further up.
 * @param {() => void} action
 */
function afterMessages(action) {
  later.push(action);
  draw();
}

function redrawPins() {
  for (const [id, { element }] of entries.drawnMessages()) markPinned(element, isPinned(id));
  loaded()?.redrawToolbar();
}

/** Draws anew what was changed since it was drawn, and takes away what was deleted, or is too old to be held. */
function redrawChanged() {
  const changed = entries
    .drawnMessages()
    .map(([id, drawn]) => ({ ...drawn, held: getState(selectMessageByMessageID(id)) }))
    .filter(({ message, held }) => held !== message);
  if (!changed.length) return;
  const tooOld = changed.filter(({ message, held }) => !held && isTooOld(message)).map(({ element }) => element);
  const read = tooOld.length ? entryRead() : undefined;
  const isLost = tooOld.some((element) => element === read);
  for (const { element, message, held } of changed) {
    if (held) redraw(element, message, held);
    else takeAway(element, message);
  }
  dropDivider();
  loaded()?.redrawToolbar();
  if (isLost) leadToFirst();
}

/** @type {(element: HTMLElement, was: HMSMessage, message: HMSMessage) => void} */
function redraw(element, was, message) {
  if (was.message !== message.message || was.editedAt !== message.editedAt) rewrite(element, message);
  const quote = element.querySelector(".quote");
  if (quote && was.replyTo !== message.replyTo) drawQuote(quote, message.replyTo ?? "");
  if (was.reactions !== message.reactions) drawReactions(element, message);
  entries.remember(message, element);
  keepUp();
}

/** @type {(element: HTMLElement, message: HMSMessage) => void} */
function takeAway(element, message) {
  const next = entries.entryBelow(element);
  const above = entries.entryAbove(element);
  loaded()?.closePopupIn(element);
  if (hasFocus(element)) {
    const near = [next, above].find((entry) => entry?.matches(".message"));
    (near instanceof HTMLElement ? near : part("message")).focus({ preventScroll: true });
  }
  entries.forget(message.id);
  if (last?.id === message.id) last = null;
  const following = entries.messageOf(next);
  if (following) next?.classList.toggle("continued", continues(entries.messageOf(above), following));
  const isLast = entries.drawnMessages().every(([, { message: other }]) => !sameDay(other.time, message.time));
  if (isLast) removeDay(message.time);
}

/** @param {Date} day of which nothing is left */
function removeDay(day) {
  const line = lineOf(day);
  if (line) entries.remove(line);
  if (lastDay && sameDay(lastDay, day)) lastDay = null;
}

/**
 * Shows a message and marks it for a moment; reads it first where that is needed. Whether it could be shown.
 * @param {string} id
 */
export async function jumpTo(id) {
  if (!entries.wasDrawn(id) && getState(selectMessageByMessageID(id))) {
    toEnd();
    await new Promise((resolve) => afterMessages(() => resolve(undefined)));
  }
  await bring(id);
  const element = entries.elementOf(id);
  if (!element) return false;
  leadEyes(element);
  element.focus({ preventScroll: true });
  element.classList.remove("flash");
  void element.offsetWidth; // starts the animation anew
  element.classList.add("flash");
  return true;
}

function draw() {
  const present = getState(selectSessionId);
  if (!present) return clear(); // left: nothing stays in the page that is not shown
  if (present !== session) {
    clear();
    append(make("p", { class: "line" }, gettext("Everybody had left meanwhile: the room begins anew.")));
  }
  if (!filled) drawQuietly();
  redrawChanged();
  recount((id) => getState(selectMessageByMessageID(id)) !== undefined);
  const { hasOwn, others, isAll } = drawSlice();
  redrawQuotes();
  if (tellGaps().some((id) => id === last?.id)) last = null;
  leadTo();
  if (hasOwn || (others.length && readsEnd())) toEnd();
  if (filled) notice(others);
  else keepUp();
  drawOlder();
  part("empty").hidden = log.querySelector(".message") !== null || !isWhole() || part("outbox").childElementCount > 0;
  if (!isAll) return drawSoon();
  writeDue();
  filled ||= hasNewest();
  for (const action of later.splice(0)) action();
}

/** What comes into the log now is not read out. */
function drawQuietly() {
  log.setAttribute("aria-live", "off");
  clearTimeout(quiet);
  quiet = setTimeout(() => log.removeAttribute("aria-live"), QUIET);
}

/**
 * Draws messages for a while: those below what is read further up only as far as they have place.
 * Whether new ones are one's own, the ids of new ones of others, and whether all is drawn that has place.
 */
function drawSlice() {
  const held = said();
  const fresh = held.flatMap(({ id }, place) => (entries.wasDrawn(id) ? [] : [place]));
  const newest = held.findLastIndex(({ id }) => entries.elementOf(id)); // what is fresh and older is inserted
  const old = fresh.filter((place) => place < newest);
  const below = fresh.slice(old.length);
  const others = below.filter((place) => !isOwn(held[place]) && !held[place].read).map((place) => held[place].id);
  const hasOwn = below.some((place) => isOwn(held[place])) && !walks(); // from another tab
  if (hasOwn) toEnd();
  const end = performance.now() + SLICE;
  const isOver = () => performance.now() >= end;
  let count = 0;
  if (old.length) {
    drawQuietly();
    keepPlace(() => {
      for (; count < old.length && !isOver(); count += 1) insert(held, old[count]);
      placeDivider();
    });
  }
  const mayDraw = () => count >= old.length && count < fresh.length && !entries.isFull();
  for (; mayDraw() && !isOver(); count += 1) {
    writeDue();
    add(held[fresh[count]], isOwn(held[fresh[count]]));
  }
  haveMoreBelow(count < fresh.length && entries.isFull());
  return { hasOwn, others, isAll: count === fresh.length || (count >= old.length && entries.isFull()) };
}

/** @type {(message: HMSMessage, own: boolean) => void} */
function add(message, own) {
  if (!lastDay || !sameDay(lastDay, message.time)) {
    append(newLine(message.time));
    lastDay = message.time;
  }
  const line =
    filled && !own && !message.read ? divide(message.time, document.hidden || wasMissed(message.time)) : null;
  if (line) append(line);
  append(drawn(message, own, continues(last, message)));
  presence = null;
  last = message;
}

/**
 * Draws a message that stands before others in the log: above the next of them, or above the line of that one's day.
 * @type {(held: HMSMessage[], place: number) => void}
 */
function insert(held, place) {
  const message = held[place];
  const before = held[place - 1];
  const next = held.slice(place + 1).find(({ id }) => entries.elementOf(id));
  const below = next && entries.elementOf(next.id);
  if (!below) return;
  const above = entries.entryAbove(below);
  const top = above instanceof HTMLElement && above.matches(".new") ? above : below; // it stays with what is below it
  const isBelow = above instanceof HTMLElement && above.dataset.id === before?.id;
  const element = drawn(message, isOwn(message), isBelow && continues(before, message));
  entries.insertBefore(sameDay(message.time, next.time) ? top : lineAbove(top, next.time), element);
  if (!lineOf(message.time)) entries.insertBefore(element, newLine(message.time));
  if (!continues(message, next)) below.classList.remove("continued"); // but what has a head keeps it: it may be in sight
}

/** @type {(message: HMSMessage, own: boolean, isContinued: boolean) => HTMLElement} */
function drawn(message, own, isContinued) {
  const element = bubble(message, own, isContinued);
  entries.remember(message, element);
  return element;
}

/** @param {HTMLElement} node */
function append(node) {
  entries.append(node);
  last = null;
}

/** @type {(peer: HMSPeer, joined: boolean) => void} */
function addPresence(peer, joined) {
  if (isHereOtherwise(peer)) return;
  const write = () => {
    presence ??= new PresenceLine();
    if (!presence.element.isConnected) append(presence.element);
    presence.add(peer, joined);
    keepUp();
  };
  const tell = () => (filled ? afterSaid(write) : later.push(tell)); // below what was said before
  tell();
}
