// The messages, what happened between them, and where one is reading.

import {
  hmsActions,
  hmsNotifications,
  hmsStore,
  selectHMSMessages,
  selectLocalPeerID,
  selectOutbox,
  selectPeerNameByID,
  selectPermissions,
  selectRolesMap,
  selectSessionId,
} from "../hms.js";
import { avatar } from "./avatar.js";
import { writeTo } from "./composer.js";
import { arrange, eachFrame, icon, make, part } from "./dom.js";
import { toggleMenu } from "./menu.js";
import { isPinned, pin, unpin } from "./pins.js";
import { continues, counted, dayName, fullTime, pieces, sameDay, shortTime, who } from "./text.js";
import { announce, attempt, toast } from "./toasts.js";

const NEAR = 60; // px from the end that still count as being there
const DRAWN = 1_000; // entries kept in the page; older ones go when nobody looks at them

const scroller = part("scroller");
const log = part("log");
const shown = new Map(); // message id → its element
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
  const drawSoon = eachFrame(draw);
  hmsStore.subscribe(drawSoon, selectHMSMessages);
  hmsStore.subscribe(drawSoon, selectSessionId);
  hmsStore.subscribe(eachFrame(drawOutbox), selectOutbox);
  hmsNotifications.onNotification(({ type, data }) => addPresence(type, data), ["PEER_JOINED", "PEER_LEFT"]);
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
  last = lastDay = presence = null;
  unseen = 0;
  stuck = true;
  filled = false;
  session = hmsStore.getState(selectSessionId);
}

/** A line between the messages. */
export function addLine(text) {
  draw();
  append(make("p", { class: "line", dir: "auto" }, text));
  presence = null;
  if (stuck) toEnd();
}

export function redrawPins() {
  for (const [id, element] of shown) element.classList.toggle("pinned", isPinned(id));
}

/** Shows a message and marks it for a moment. */
export function jumpTo(id) {
  const element = shown.get(id);
  if (!element?.isConnected) {
    toast(element ? "This message is too far back." : "This message came before you were here.");
    return;
  }
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
  const messages = hmsStore.getState(selectHMSMessages).filter(({ type }) => type === "chat");
  const fresh = messages.filter(({ id }) => !shown.has(id));
  if (!filled) log.setAttribute("aria-live", "off");
  const own = hmsStore.getState(selectLocalPeerID);
  for (const message of fresh) add(message, message.sender === own);
  if (fresh.length) {
    if (stuck || fresh.some(({ sender }) => sender === own)) toEnd();
    notice(fresh.filter(({ sender }) => sender !== own).length);
  }
  part("empty").hidden = messages.length > 0;
  if (!filled) setTimeout(() => log.removeAttribute("aria-live"), 500);
  filled = true;
}

function add(message, isOwn) {
  if (!sameDay(lastDay, message.time)) {
    append(make("p", { class: "day", role: "separator" }, make("span", {}, dayName(message.time))));
    lastDay = message.time;
  }
  if (filled && !isOwn && (document.hidden || !stuck) && !unseen) {
    log.querySelector(".new")?.remove();
    append(make("p", { class: "new", role: "separator" }, make("span", {}, "New")));
  }
  const element = bubble(message, isOwn, continues(last, message));
  append(element);
  presence = null;
  last = message;
  shown.set(message.id, element);
  element.classList.toggle("pinned", isPinned(message.id));
}

function append(node) {
  log.append(node);
  last = null;
  if (!stuck) return;
  while (log.children.length > DRAWN) log.firstElementChild.remove();
}

function bubble(message, isOwn, isContinued) {
  const name = message.senderName || "The room";
  const time = make("time", { class: "time", title: fullTime(message.time) }, shortTime(message.time));
  time.dateTime = message.time.toISOString();
  const menu = make(
    "button",
    {
      class: "icon-button message-menu",
      type: "button",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": `Actions for the message of ${name}`,
    },
    icon("more"),
  );
  menu.addEventListener("click", () => toggleMenu(menu, actionsFor(message, isOwn)));
  const head = make(
    "header",
    { class: "message-head" },
    make("b", { class: "author", dir: "auto" }, isOwn ? "You" : name),
    isModerator(message.senderRole) && !isOwn ? make("span", { class: "role" }, message.senderRole) : null,
    time,
    make("span", { class: "pinned-mark" }, icon("pin"), "Pinned"),
  );
  const text = make("p", { class: "text", dir: "auto" }, ...pieces(message.message).map(piece));
  const classes = ["message", isOwn && "own", isContinued && "continued", recipients(message) && "private"];
  return make(
    "article",
    { class: classes.filter(Boolean).join(" "), tabIndex: -1 },
    avatar({ id: message.senderUserId ?? message.sender ?? "", name }),
    make("div", { class: "bubble" }, head, privately(message, isOwn), text),
    menu,
  );
}

function piece({ text, href }) {
  if (!href) return text;
  return make("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, text);
}

const isModerator = (role) => Boolean(hmsStore.getState(selectRolesMap)[role]?.permissions?.removeOthers);

const recipients = ({ recipientPeer, recipientRoles }) => Boolean(recipientPeer || recipientRoles?.length);

function privately(message, isOwn) {
  if (!recipients(message)) return null;
  const { recipientPeer, recipientRoles } = message;
  const to = isOwn ? (hmsStore.getState(selectPeerNameByID(recipientPeer)) ?? "somebody who left") : "you";
  const said = recipientPeer ? `Only to ${to}` : `Only to role ${recipientRoles.join(", ")}`;
  return make("p", { class: "privately", dir: "auto" }, icon("lock"), said);
}

function actionsFor(message, isOwn) {
  const actions = [];
  if (hmsStore.getState(selectPermissions)?.writeMetadata) {
    const pinned = isPinned(message.id);
    actions.push({
      label: pinned ? "Unpin" : "Pin for everyone",
      action: () => (pinned ? unpin(message) : pin(message)),
    });
  }
  if (!isOwn && hmsStore.getState(selectPeerNameByID(message.sender)) !== undefined) {
    actions.push({ label: "Answer privately", action: () => writeTo(message.sender) });
  }
  actions.push({
    label: "Copy text",
    action: () => attempt(() => navigator.clipboard.writeText(message.message), "Not copied"),
  });
  return actions;
}

function addPresence(type, { id, name, isLocal }) {
  if (isLocal || !filled) return;
  draw();
  if (!presence) {
    presence = { people: new Map(), line: make("p", { class: "line", dir: "auto" }) };
    append(presence.line);
  }
  presence.people.set(id, { name, joined: type === "PEER_JOINED" });
  const names = (joined) => [...presence.people.values()].filter((one) => one.joined === joined).map((one) => one.name);
  const parts = [
    [names(true), "joined"],
    [names(false), "left"],
  ];
  presence.line.textContent = parts
    .filter(([people]) => people.length)
    .map(([people, what]) => `${who(people)} ${what}`)
    .join(" · ");
  if (stuck) toEnd();
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
  arrange(part("outbox"), entries.map(waiting));
  if (entries.length) part("empty").hidden = true;
  if (stuck) toEnd();
}

function waiting({ clientId, message, status, error }) {
  const failed = status === "failed";
  const note = make("p", { class: "sending" }, failed ? `Not sent: ${error}` : "Sending…");
  if (failed) {
    note.setAttribute("role", "alert");
    const retry = make("button", { class: "button small", type: "button" }, "Retry");
    retry.addEventListener("click", () => hmsActions.retryMessage(clientId).catch(() => {})); // shows as failed again
    const discard = make("button", { class: "button small quiet", type: "button" }, "Discard");
    discard.addEventListener("click", () => hmsActions.discardMessage(clientId));
    note.append(" ", retry, discard);
  }
  const text = make("p", { class: "text", dir: "auto" }, message);
  return make(
    "div",
    { class: failed ? "message own failed" : "message own" },
    make("div", { class: "bubble" }, text, note),
  );
}
