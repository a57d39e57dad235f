// The messages, what happened between them, and where one is reading.

import {
  hmsActions,
  hmsNotifications,
  hmsStore,
  selectHMSMessages,
  selectLocalPeer,
  selectMissed,
  selectOutbox,
  selectPeerByID,
  selectPeers,
  selectPermissions,
  selectRolesMap,
  selectSessionId,
} from "../../hms.js";
import { avatar } from "../avatar.js";
import { eachDay, serverNow } from "../clock.js";
import { writeTo } from "../composer.js";
import { arrange, eachFrame, icon, make, part, setParts, setText } from "../dom.js";
import { toggleMenu } from "../menu.js";
import { isPinned, pin, unpin } from "../pins/bar.js";
import { continues, counted, dayName, fullTime, pieces, sameDay, shortTime } from "../text.js";
import { announce, attempt, toast } from "../toasts.js";
import { forgetPersons, labelName, personOf, senderOf, who, writeName } from "../who.js";
import { inWords } from "../words.js";

const NEAR = 60; // px from the end that still count as being there
const BLOCK = 50; // entries that the browser passes over together where they are out of sight
const DRAWN = 1_000; // entries kept in the page; older ones go, a block at a time
const READ_BACK = 2 * DRAWN; // the same while somebody reads further up, where they may be looked at
const SLICE = 8; // ms of drawing at a time: typing and scrolling come between

const scroller = part("scroller");
const log = part("log");
const shown = new Map(); // message id → its element
const gaps = new Set(); // ids of messages after which a gap was told
const gone = new Set(); // ids of messages whose elements went, as long as the store may still hold them
const later = []; // lines that come after messages which are not drawn yet
const waitings = new Map(); // client id → {entry, element} of a message on its way
const drawSoon = eachFrame(draw);
let last = null; // the message drawn last, if nothing came after it
let lastDay = null;
let presence = null; // the line about people that is still being added to
let stuck = true; // reading at the end: new messages scroll
let top = 0; // where the scroller was: only a person moves it up
let unseen = 0;
let title = "";
let filled = false; // the first draw is history, not news
let session = ""; // whose messages are drawn

export function startLog(roomTitle) {
  title = roomTitle;
  hmsStore.subscribe(drawSoon, ({ messages }) => messages, Object.is);
  hmsStore.subscribe(drawSoon, selectSessionId);
  hmsStore.subscribe(eachFrame(drawOutbox), selectOutbox);
  hmsNotifications.onNotification(({ type, data }) => addPresence(type, data), ["PEER_JOINED", "PEER_LEFT"]);
  hmsStore.subscribe(drawSoon, selectMissed);
  eachDay(nameDays);
  scroller.addEventListener("scroll", onScroll, { passive: true });
  const resized = new ResizeObserver(() => stuck && toEnd());
  for (const element of [scroller, log, part("outbox")]) resized.observe(element);
  document.addEventListener("visibilitychange", seeIfVisible);
  part("chip").addEventListener("click", () => {
    toEnd();
    part("message").focus();
  });
}

/** Draws what the store holds of a room just entered. */
export function resetLog() {
  clear();
  draw();
  drawOutbox();
}

function clear() {
  log.replaceChildren();
  shown.clear();
  gone.clear();
  gaps.clear();
  later.length = 0;
  forgetPersons();
  last = lastDay = presence = null;
  unseen = 0;
  stuck = true;
  filled = false;
  session = hmsStore.getState(selectSessionId);
}

/** A line between the messages, of parts: texts and nodes. */
export function addLine(parts) {
  afterMessages(() => {
    const line = make("p", { class: "line", dir: "auto" });
    setParts(line, parts);
    append(line);
    presence = null;
    if (stuck) toEnd();
  });
}

/** Does something once all messages that the store holds now are drawn. */
function afterMessages(action) {
  later.push(action);
  draw();
}

export const isInLog = (id) => shown.has(id);

export function redrawPins() {
  for (const [id, element] of shown) markPinned(element, isPinned(id));
}

function markPinned(element, pinned) {
  if (element.classList.toggle("pinned", pinned) === Boolean(element.querySelector(".pinned-mark"))) return;
  const head = element.querySelector(".message-head");
  if (pinned) head.append(make("span", { class: "pinned-mark" }, icon("pin"), "Pinned"));
  else head.querySelector(".pinned-mark").remove();
}

/** Shows a message and marks it for a moment. */
export function jumpTo(id) {
  const element = shown.get(id);
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
  const recent = hmsStore
    .getState(selectHMSMessages)
    .slice(-DRAWN)
    .filter(({ type }) => type === "chat");
  const fresh = recent.flatMap(({ id }, place) => (shown.has(id) || gone.has(id) ? [] : [place]));
  const newest = recent.findLastIndex(({ id }) => shown.has(id)); // what is fresh and older comes from another tab
  if (!filled) log.setAttribute("aria-live", "off");
  const end = performance.now() + SLICE;
  let at = 0;
  let others = 0;
  let hasOwn = false;
  for (; at < fresh.length && performance.now() < end; at += 1) {
    const message = recent[fresh[at]];
    const own = isOwn(message);
    if (fresh[at] < newest) insert(message, own, recent, fresh[at]);
    else add(message, own);
    if (own) hasOwn = true;
    else others += 1;
  }
  tellGaps();
  if (at && (stuck || hasOwn)) toEnd();
  notice(others);
  part("empty").hidden = log.querySelector(".message") !== null;
  if (at < fresh.length) {
    drawSoon();
    return;
  }
  if (!filled) setTimeout(() => log.removeAttribute("aria-live"), 500);
  filled = true;
  for (const action of later.splice(0)) action();
}

/** Whether one wrote it oneself, here or in another tab. */
function isOwn(message) {
  const local = hmsStore.getState(selectLocalPeer);
  const sender = senderOf(message);
  return Boolean(local && sender && (sender.id === local.id || personOf(sender) === personOf(local)));
}

function add(message, own) {
  if (!sameDay(lastDay, message.time)) {
    const day = make("p", { class: "day", role: "separator" }, make("span", {}, dayName(message.time, serverNow())));
    day.dataset.time = Number(message.time);
    append(day);
    lastDay = message.time;
  }
  if (filled && !own && (document.hidden || !stuck) && !unseen) {
    log.querySelector(".new")?.remove();
    append(make("p", { class: "new", role: "separator" }, make("span", {}, "New")));
  }
  append(bubble(message, own, continues(last, message)));
  presence = null;
  last = message;
}

/** Draws a message that stands between others in the store, before the one that follows it there. */
function insert(message, own, recent, place) {
  const next = recent.slice(place).find(({ id }) => shown.has(id));
  const after = shown.get(next.id);
  const before = recent[place - 1];
  const above = after.previousElementSibling ?? after.parentElement.previousElementSibling?.lastElementChild;
  const joined = above?.dataset.id === before?.id;
  const element = bubble(message, own, joined && continues(before, message));
  after.classList.toggle("continued", continues(message, next));
  after.before(element);
}

/** Says where messages may be missing: after which of them, or before all. */
function tellGaps() {
  for (const { after } of hmsStore.getState(selectMissed)) {
    if (gaps.has(after) || (after !== null && !shown.has(after) && !gone.has(after))) continue;
    gaps.add(after);
    const line = make("p", { class: "line gap" }, "Some messages may be missing here.");
    const element = shown.get(after);
    if (element) element.after(line);
    else if (after === null) (log.firstElementChild ?? log).prepend(line);
    if (last?.id === after) last = null;
  }
}

function nameDays() {
  for (const day of log.querySelectorAll(".day")) {
    setText(day.firstElementChild, dayName(new Date(Number(day.dataset.time)), serverNow()));
  }
}

function append(node) {
  const block = log.lastElementChild;
  if (block?.childElementCount < BLOCK) block.append(node);
  else log.append(make("div", { class: "block" }, node));
  last = null;
  while (drawn() > (stuck ? DRAWN : READ_BACK)) forget(log.firstElementChild);
}

const drawn = () => [...log.children].reduce((sum, block) => sum + block.childElementCount, 0);

function forget(block) {
  block.remove();
  for (const { dataset } of block.children) {
    if (!dataset.id) continue;
    shown.delete(dataset.id);
    gone.add(dataset.id);
    if (gone.size > READ_BACK) gone.delete(gone.values().next().value);
  }
}

function bubble(message, own, isContinued) {
  const sender = senderOf(message);
  const time = make("time", { class: "time", title: fullTime(message.time) }, shortTime(message.time));
  time.dateTime = message.time.toISOString();
  const menu = make(
    "button",
    {
      class: "icon-button message-menu",
      type: "button",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": "Actions for the message of the room",
    },
    icon("more"),
  );
  if (sender) labelName(menu, "Actions for the message of", sender);
  menu.addEventListener("click", () => toggleMenu(menu, actionsFor(message, own)));
  const author = make("b", { class: "author", dir: "auto" }, own ? "You" : "The room");
  if (sender && !own) writeName(author, sender);
  const head = make(
    "header",
    { class: "message-head" },
    author,
    isModerator(message.senderRole) && !own ? make("span", { class: "role" }, message.senderRole) : null,
    time,
  );
  const text = make("p", { class: "text", dir: "auto" }, ...pieces(message.message).map(piece));
  const classes = ["message", own && "own", isContinued && "continued", recipients(message) && "private"];
  const element = make(
    "article",
    { class: classes.filter(Boolean).join(" "), tabIndex: -1 },
    avatar(sender ?? { id: "", name: "The room" }),
    make("div", { class: "bubble" }, head, privately(message, own), text),
    menu,
  );
  element.dataset.id = message.id;
  markPinned(element, isPinned(message.id));
  shown.set(message.id, element);
  return element;
}

function piece({ text, href, host }) {
  if (!href) return text;
  // From left to right in any text around it: the host cannot be moved to where a path is expected.
  const link = make(
    "a",
    { href, target: "_blank", rel: "noopener noreferrer nofollow" },
    make("bdi", { dir: "ltr" }, text),
  );
  if (host) link.append(" ", make("bdi", { class: "host", dir: "ltr" }, `(leads to ${host})`));
  return link;
}

const isModerator = (role) => Boolean(hmsStore.getState(selectRolesMap)[role]?.permissions?.removeOthers);

const rolesOf = ({ recipientRoles }) => (Array.isArray(recipientRoles) ? recipientRoles : []);
const recipients = (message) => Boolean(message.recipientPeer || rolesOf(message).length);

function privately(message, own) {
  if (!recipients(message)) return null;
  const label = make("p", { class: "privately", dir: "auto" }, icon("lock"));
  const said = make("span", { class: "said" });
  if (!message.recipientPeer) setParts(said, ["Only to role ", make("bdi", {}, rolesOf(message).join(", "))]);
  else if (!own) setParts(said, ["Only to you"]);
  else {
    const peer = hmsStore.getState(selectPeerByID(message.recipientPeer));
    setParts(said, ["Only to ", peer ? who(peer) : "somebody who left"]);
  }
  label.append(said);
  return label;
}

function actionsFor(message, own) {
  const actions = [];
  // What was said to some is not for everyone.
  if (hmsStore.getState(selectPermissions)?.writeMetadata && !recipients(message)) {
    const pinned = isPinned(message.id);
    actions.push({
      label: pinned ? "Unpin" : "Pin for everyone",
      action: () => (pinned ? unpin(message) : pin(message)),
    });
  }
  const sender = own ? null : hmsStore.getState(selectPeerByID(message.sender));
  if (sender) actions.push({ label: "Answer privately", action: () => writeTo(sender) });
  actions.push({
    label: "Copy text",
    action: () => attempt(() => navigator.clipboard.writeText(message.message), "Not copied"),
  });
  return actions;
}

function addPresence(type, peer) {
  if (!filled || isHereOtherwise(peer)) return;
  afterMessages(() => {
    if (!presence) {
      presence = { people: new Map(), line: make("p", { class: "line", dir: "auto" }) };
      append(presence.line);
    }
    presence.people.set(personOf(peer), { peer, joined: type === "PEER_JOINED" });
    const people = (joined) => [...presence.people.values()].filter((one) => one.joined === joined);
    const [came, went] = [people(true), people(false)];
    const both = came.length && went.length ? " · " : "";
    setParts(presence.line, [...didSomething(came, "joined"), both, ...didSomething(went, "left")]);
    if (stuck) toEnd();
  });
}

/** Whether the peer is but one more tab of somebody who is here. */
function isHereOtherwise({ id, isLocal, ...peer }) {
  const person = personOf({ id, ...peer });
  return isLocal || hmsStore.getState(selectPeers).some((other) => other.id !== id && personOf(other) === person);
}

function didSomething(people, what) {
  if (!people.length) return [];
  if (people.length > 2) return [`${people.length} people ${what}`];
  const [first, second] = people.map(({ peer }) => who(peer));
  return second ? [first, " and ", second, ` ${what}`] : [first, ` ${what}`];
}

// --- Reading ---

function onScroll() {
  const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  if (isAtEnd || scroller.scrollTop < top) stuck = isAtEnd;
  top = scroller.scrollTop;
  seeIfVisible();
}

function toEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  stuck = true;
  seeIfVisible();
}

function seeIfVisible() {
  if (stuck && !document.hidden && unseen) {
    unseen = 0;
    showUnseen();
  }
}

function notice(count) {
  if (!filled || !count || (stuck && !document.hidden)) return;
  unseen += count;
  showUnseen();
  if (!document.hidden) announce(counted(unseen, "new message", "new messages"));
}

function showUnseen() {
  part("chip").hidden = !unseen || stuck;
  part("chip-text").textContent = counted(unseen, "new message", "new messages");
  document.title = unseen && document.hidden ? `(${unseen}) ${title}` : title;
}

// --- On their way ---

function drawOutbox() {
  const entries = hmsStore.getState(selectOutbox).filter(({ type }) => type === "chat");
  const present = new Set(entries.map(({ clientId }) => clientId));
  for (const id of waitings.keys()) if (!present.has(id)) waitings.delete(id);
  const elements = entries.map((entry) => {
    const held = waitings.get(entry.clientId);
    if (held?.entry !== entry) waitings.set(entry.clientId, { entry, element: waiting(entry) });
    return waitings.get(entry.clientId).element;
  });
  arrange(part("outbox"), elements);
  if (entries.length) part("empty").hidden = true;
  if (stuck) toEnd();
}

function waiting({ clientId, message, status, error }) {
  const failed = status === "failed";
  const note = make("p", { class: "sending" }, failed ? `Not sent. ${inWords(error)}` : "Sending…");
  if (failed) {
    note.setAttribute("role", "alert");
    const retry = make("button", { class: "button small", type: "button" }, "Retry");
    retry.addEventListener("click", () => hmsActions.retryMessage(clientId).catch(() => {})); // shows as failed again
    const discard = make("button", { class: "button small quiet", type: "button" }, "Discard");
    discard.addEventListener("click", () => hmsActions.discardMessage(clientId));
    note.append(" ", retry, discard);
  }
  const text = make("p", { class: "text", dir: "auto" }, ...pieces(message).map(piece));
  return make(
    "div",
    { class: failed ? "message own failed" : "message own" },
    make("div", { class: "bubble" }, text, note),
  );
}
