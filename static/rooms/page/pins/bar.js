// The bar of pinned messages, and all of them in a dialog.

import {
  hmsActions,
  hmsStore,
  selectMessageByMessageID,
  selectPermissions,
  selectSessionMetadata,
  selectSessionStore,
} from "../../hms.js";
import { arrange, make, part, setParts, setText } from "../dom.js";
import { addLine, isInLog, jumpTo, redrawPins } from "../log/log.js";
import { shortTime } from "../text.js";
import { attempt, toast } from "../toasts.js";
import { who } from "../who.js";

export const PINS_KEY = "pinnedMessages";

let at = 0; // the pin that the bar shows, of several
let known = null; // ids at the last draw; null before the first
const listed = new Map(); // id → its item in the dialog

export function startPins() {
  hmsStore.subscribe(draw, (store) => [pinsIn(store), mayPin(store)]);
  part("pin").addEventListener("click", () => {
    const { id } = current();
    if (isInLog(id)) jumpTo(id);
    else openList(); // said before one was here: it can be read there, whole
  });
  part("pin-next").addEventListener("click", () => {
    at += 1;
    draw();
  });
  part("unpin").addEventListener("click", () => unpin(current()));
  part("pin-list").addEventListener("click", openList);
}

function openList() {
  listed.clear();
  drawList();
  part("all-pins").showModal();
}

/** Draws the pins of a room just entered: they are no news. */
export function resetPins() {
  at = 0;
  known = null;
  draw();
}

export const isPinned = (id) => pins().some((one) => one.id === id);

export function pin({ id }) {
  return attempt(() => hmsActions.pinMessage(id), "Not pinned");
}

export async function unpin({ id }) {
  const { text } = pins().find((one) => one.id === id) ?? {};
  // A pin without an id was written by an app that knows the session metadata only.
  const take = () => (id ? hmsActions.unpinMessage(id) : hmsActions.setSessionMetadata(null));
  const back = () => (id ? hmsActions.pinMessage(id) : hmsActions.setSessionMetadata(text));
  await attempt(async () => {
    await take();
    if (text) toast("Unpinned for everyone.", { label: "Undo", action: () => attempt(back, "Not pinned") });
  }, "Not unpinned");
}

/**
 * The pins, newest first, as [{text, id, author, pinner}], the last two {name, person} or null. The server makes them of
 * messages; the session metadata of an app that knows no pins is a note without an author. Others may have stored
 * anything under the keys.
 */
function pinsIn(store) {
  const held = selectSessionStore(PINS_KEY)(store);
  const pinned = (Array.isArray(held) ? held : []).filter((one) => textIn(one?.text));
  if (pinned.length) {
    return pinned.map(({ text, id, author, pinner }) => ({
      text,
      id: textIn(id),
      author: someone(author),
      pinner: someone(pinner),
    }));
  }
  const text = selectSessionMetadata(store);
  return textIn(text) ? [{ text, id: "", author: null, pinner: null }] : [];
}

const someone = (value) =>
  textIn(value?.name) && textIn(value.person) ? { name: value.name, person: value.person } : null;

const textIn = (value) => (typeof value === "string" && value.trim() ? value : "");
const pins = () => hmsStore.getState(pinsIn);
const current = () => pins()[at] ?? {};
const mayPin = (store) => Boolean(selectPermissions(store)?.writeMetadata);

function draw() {
  const all = pins();
  at = all.length ? at % all.length : 0;
  tell(all);
  part("pins").hidden = !all.length;
  redrawPins();
  if (part("all-pins").open) drawList();
  if (!all.length) return;
  const { pinner } = all[at];
  const said = messageOf(all[at])?.time; // known to who was here then
  setParts(part("pin-text"), contentOf(all[at]));
  setParts(part("pin-by"), [
    ...(pinner ? ["Pinned by ", who(pinner)] : []),
    pinner && said && ", ",
    said && `said at ${shortTime(said)}`,
    !all[at].id && "A note of somebody in the room",
  ]);
  setText(part("pin-place"), `${at + 1}/${all.length}`);
  part("pin-next").setAttribute("aria-label", `${at + 1}/${all.length}, show the next pinned message`);
  part("pin-next").hidden = all.length < 2;
  part("unpin").hidden = !hmsStore.getState(mayPin);
}

const messageOf = ({ id }) => (id ? hmsStore.getState(selectMessageByMessageID(id)) : undefined);

/** What a pin shows: who said it, and what. */
function contentOf({ text, author }) {
  const said = author && text.startsWith(`${author.name}: `) ? text.slice(author.name.length + 2) : "";
  return said ? [who(author), ": ", make("bdi", {}, said)] : [make("bdi", {}, text)];
}

/** A line in the log for pins that are new, which the bar then shows. */
function tell(all) {
  const ids = new Set(all.map(({ id }) => id).filter(Boolean));
  const fresh = known ? all.filter(({ id }) => id && !known.has(id)) : [];
  known = ids;
  for (const { pinner } of fresh) addLine(pinner ? [who(pinner), " pinned a message"] : ["A message was pinned"]);
  if (fresh.length) at = 0;
}

function drawList() {
  const all = pins();
  const keys = all.map(({ id, text }, place) => id || `${place} ${text}`);
  for (const key of listed.keys()) if (!keys.includes(key)) listed.delete(key);
  const items = all.map((one, place) => {
    if (!listed.has(keys[place])) listed.set(keys[place], item(one));
    return listed.get(keys[place]);
  });
  const hadFocus = part("pin-items").contains(document.activeElement);
  arrange(part("pin-items"), [...new Set(items)]);
  if (hadFocus && !part("pin-items").contains(document.activeElement)) part("all-pins-close").focus();
  if (!items.length) part("all-pins").close();
}

function item(one) {
  const text = make("p", { class: "pin-text whole", dir: "auto" });
  setParts(text, contentOf(one));
  const actions = make("div", { class: "pin-actions" });
  const button = (label, action) => {
    const made = make("button", { class: "button small", type: "button" }, label);
    made.addEventListener("click", action);
    actions.append(made);
  };
  if (isInLog(one.id)) {
    button("Show in the chat", () => {
      part("all-pins").close();
      jumpTo(one.id);
    });
  }
  if (hmsStore.getState(mayPin)) button("Unpin", () => unpin(one));
  return make("li", {}, text, actions);
}
