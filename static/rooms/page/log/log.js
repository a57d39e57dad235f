// The messages, and what happened between them.

import { hmsNotifications, hmsStore, selectHMSMessages, selectMissed, selectSessionId } from "../../hms.js";
import { eachDay, serverNow } from "../clock.js";
import { wasMissed } from "../connection.js";
import { eachFrame, make, part, setParts, setText } from "../dom.js";
import { isPinned, selectPins } from "../pins/pinned.js";
import { continues, dayName, sameDay } from "../text.js";
import { forgetPersons } from "../who.js";
import { Divider } from "./divider.js";
import * as entries from "./entries.js";
import { bubble, isOwn, markPinned } from "./message.js";
import { isHereOtherwise, PresenceLine } from "./presence.js";
import { isUnseen, keepUp, notice, readsEnd, resetReading, startReading, toEnd } from "./reading.js";
import { redrawToolbar, startToolbar } from "./toolbar.js";
import { drawWaiting, startWaiting } from "./waiting.js";
import { leadTo, startWalking } from "./walking.js";

/** @import { HMSMessage, HMSPeer } from "../../hms.js" */
/** @import { Said } from "../types.js" */

const SLICE = 8; // ms of drawing at a time: typing and scrolling come between

const log = part("log");
/** @type {Set<string | null>} ids of messages after which a gap was told */
const gaps = new Set();
/** @type {(() => void)[]} lines that come after messages which are not drawn yet */
const later = [];
const drawSoon = eachFrame(draw);
/** @type {HMSMessage | null} the message drawn last, if nothing came after it */
let last = null;
/** @type {Date | null} */
let lastDay = null;
/** @type {PresenceLine | null} the line about people that is still being added to */
let presence = null;
/** @type {Divider | null} the line above what was not seen, as long as it counts */
let divider = null;
let filled = false; // the first draw is history, not news
let session = ""; // whose messages are drawn

/** @param {string} roomTitle */
export function startLog(roomTitle) {
  startReading(roomTitle, () => {
    divider = null;
  });
  startWaiting();
  startWalking();
  startToolbar();
  hmsStore.subscribe(drawSoon, ({ messages }) => messages, Object.is);
  hmsStore.subscribe(drawSoon, selectSessionId);
  hmsStore.subscribe(drawSoon, selectMissed);
  hmsStore.subscribe(redrawPins, selectPins);
  hmsNotifications.onNotification(
    ({ type, data }) => addPresence(data, type === "PEER_JOINED"),
    ["PEER_JOINED", "PEER_LEFT"],
  );
  eachDay(nameDays);
}

/** Draws what the store holds of a room just entered. */
export function resetLog() {
  clear();
  draw();
  drawWaiting();
}

function clear() {
  entries.clearEntries();
  gaps.clear();
  later.length = 0;
  forgetPersons();
  last = null;
  lastDay = null;
  presence = null;
  divider = null;
  resetReading();
  filled = false;
  session = hmsStore.getState(selectSessionId);
}

/**
 * A line between the messages.
 * @param {Said[]} parts
 */
export function addLine(parts) {
  afterMessages(() => {
    const line = make("p", { class: "line", dir: "auto" });
    setParts(line, parts);
    append(line);
    presence = null;
    keepUp();
  });
}

/**
 * Does something once all messages that the store holds now are drawn.
 * @param {() => void} action
 */
function afterMessages(action) {
  later.push(action);
  draw();
}

/** @param {string} id */
export const isInLog = (id) => entries.elementOf(id) !== undefined;

function redrawPins() {
  for (const [id, element] of entries.drawnMessages()) markPinned(element, isPinned(id));
  redrawToolbar();
}

/**
 * Shows a message and marks it for a moment.
 * @param {string} id
 */
export function jumpTo(id) {
  const element = entries.elementOf(id);
  if (!element) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block: "center", behavior: calm ? "instant" : "smooth" });
  element.focus({ preventScroll: true });
  element.classList.remove("flash");
  void element.offsetWidth; // starts the animation anew
  element.classList.add("flash");
}

function draw() {
  const present = hmsStore.getState(selectSessionId);
  if (!present) return; // left: what is drawn goes when a room is entered again
  if (present !== session) {
    clear();
    append(make("p", { class: "line" }, "Everybody had left meanwhile: the room begins anew."));
  }
  if (!filled) log.setAttribute("aria-live", "off");
  const { own, others, isWhole } = drawSlice();
  tellGaps();
  leadTo();
  if (own || (others && readsEnd())) toEnd();
  if (filled) notice(others);
  part("empty").hidden = log.querySelector(".message") !== null;
  if (!isWhole) {
    drawSoon();
    return;
  }
  if (!filled) setTimeout(() => log.removeAttribute("aria-live"), 500);
  filled = true;
  for (const action of later.splice(0)) action();
}

/** Draws messages for a while. How many of them are one's own and others', and whether these were all. */
function drawSlice() {
  const recent = hmsStore
    .getState(selectHMSMessages)
    .slice(-entries.MOST_ENTRIES)
    .filter(({ type }) => type === "chat");
  const fresh = recent.flatMap(({ id }, place) => (entries.wasDrawn(id) ? [] : [place]));
  const newest = recent.findLastIndex(({ id }) => isInLog(id)); // what is fresh and older comes from another tab
  const end = performance.now() + SLICE;
  const drawn = { own: 0, others: 0 };
  for (const place of fresh) {
    if (performance.now() >= end) return { ...drawn, isWhole: false };
    const own = isOwn(recent[place]);
    if (place < newest) insert(recent[place], own, recent, place);
    else add(recent[place], own);
    drawn[own ? "own" : "others"] += 1;
  }
  return { ...drawn, isWhole: true };
}

/** @type {(message: HMSMessage, own: boolean) => void} */
function add(message, own) {
  if (!lastDay || !sameDay(lastDay, message.time)) {
    const day = make("p", { class: "day", role: "separator" }, make("span", {}, dayName(message.time, serverNow())));
    day.dataset.time = String(Number(message.time));
    append(day);
    lastDay = message.time;
  }
  if (filled && !own) divide(document.hidden || wasMissed(message.time));
  append(drawn(message, own, continues(last, message)));
  presence = null;
  last = message;
}

/**
 * Counts a message of somebody else that goes unseen in a line above the first of them.
 * @param {boolean} isAway whether it came while the person was not here at all
 */
function divide(isAway) {
  if (!isAway && !isUnseen()) {
    divider = null; // the next absence is another one
    return;
  }
  if (!divider?.element.isConnected) {
    log.querySelector(".new")?.remove();
    divider = new Divider();
    append(divider.element);
  }
  divider.count(isAway);
}

/**
 * Draws a message that stands between others in the store, before the one that follows it there.
 * @type {(message: HMSMessage, own: boolean, recent: HMSMessage[], place: number) => void}
 */
function insert(message, own, recent, place) {
  const next = recent.slice(place).find(({ id }) => isInLog(id));
  const after = next && entries.elementOf(next.id);
  if (!after) return;
  const before = recent[place - 1];
  const above = after.previousElementSibling ?? after.parentElement?.previousElementSibling?.lastElementChild;
  const joined = above instanceof HTMLElement && above.dataset.id === before?.id;
  const element = drawn(message, own, joined && continues(before, message));
  after.classList.toggle("continued", continues(message, next));
  after.before(element);
}

/** @type {(message: HMSMessage, own: boolean, isContinued: boolean) => HTMLElement} */
function drawn(message, own, isContinued) {
  const element = bubble(message, own, isContinued);
  entries.remember(message.id, element);
  return element;
}

/** Says where messages may be missing: after which of them, or before all. */
function tellGaps() {
  for (const { after } of hmsStore.getState(selectMissed)) {
    if (gaps.has(after) || (after !== null && !entries.wasDrawn(after))) continue;
    gaps.add(after);
    const line = make("p", { class: "line gap" }, "Some messages may be missing here.");
    const element = entries.elementOf(after);
    if (element) element.after(line);
    else if (after === null) (log.firstElementChild ?? log).prepend(line);
    if (last?.id === after) last = null;
  }
}

function nameDays() {
  for (const day of /** @type {NodeListOf<HTMLElement>} */ (log.querySelectorAll(".day"))) {
    setText(day.children[0], dayName(new Date(Number(day.dataset.time)), serverNow()));
  }
}

/** @param {HTMLElement} node */
function append(node) {
  entries.append(node);
  last = null;
}

/** @type {(peer: HMSPeer, joined: boolean) => void} */
function addPresence(peer, joined) {
  if (!filled || isHereOtherwise(peer)) return;
  afterMessages(() => {
    if (!presence) {
      presence = new PresenceLine();
      append(presence.element);
    }
    presence.add({ peer, joined });
    keepUp();
  });
}
