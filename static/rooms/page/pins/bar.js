// The bar of pinned messages, and all of them in a dialog.

import { hmsStore, selectHistory, selectMessageByMessageID } from "../../hms.js";
import { arrange, make, part, setHidden, setParts, setText } from "../dom.js";
import { addLine, jumpTo } from "../log/log.js";
import { foldIfLong } from "../log/message.js";
import { mayBring, whyNotThere } from "../log/older.js";
import { keepPlace } from "../log/reading.js";
import { fill, filled, shortTime } from "../text.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";
import { selectPins, unpin } from "./pinned.js";
import { mayUnpin, selectRights, startRights, whyNotPin } from "./rights.js";

/** @import { Pin, Said } from "../types.js" */

let at = 0; // the pin that the bar shows, of several
/** @type {Set<string> | null} */
let known = null; // ids at the last draw; null before the first
/** @type {Map<string, HTMLElement>} */
const listed = new Map(); // what can be done with it, and its id → its item in the dialog

export function startPins() {
  hmsStore.subscribe(draw, (store) => [selectPins(store), selectRights(store), selectHistory(store)]);
  startRights();
  part("pin").addEventListener("click", async () => {
    const shown = current();
    if (shown && !(await jumpTo(shown.id))) openList(); // not shown to who came later: it can be read there, whole
  });
  part("pin-next").addEventListener("click", () => {
    at += 1;
    draw();
  });
  part("unpin").addEventListener("click", () => {
    const shown = current();
    if (shown) unpin(shown);
  });
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

const pins = () => hmsStore.getState(selectPins);
/** @returns {Pin | undefined} */
const current = () => pins()[at];

function draw() {
  const all = pins();
  at = all.length ? at % all.length : 0;
  tell(all);
  keepPlace(() => drawBar(all));
  if (part("all-pins").open) drawList();
}

/** @param {Pin[]} all */
function drawBar(all) {
  setHidden(part("pins"), !all.length, part("scroller"));
  if (!all.length) return;
  setParts(part("pin-text"), contentOf(all[at]));
  setParts(part("pin-by"), bylineOf(all[at]));
  const place = filled("{place}/{count}", { place: at + 1, count: all.length });
  setText(part("pin-place"), place);
  part("pin-next").setAttribute("aria-label", filled(gettext("{place}, show the next pinned message"), { place }));
  part("pin-next").hidden = all.length < 2;
  setHidden(part("unpin"), !mayUnpin(all[at]), part("pin"));
}

/** @param {Pin} pin */
const messageOf = ({ id }) => (id ? hmsStore.getState(selectMessageByMessageID(id)) : undefined);

/**
 * Who pinned it, and when it was said, which is known to who was here then.
 * @type {(pin: Pin) => Said[]}
 */
function bylineOf(pin) {
  if (!pin.id) return [gettext("A note of somebody in the room")];
  const said = messageOf(pin)?.time;
  const name = pin.pinner && who(pin.pinner);
  const time = said && shortTime(said);
  if (name && time) return fill(gettext("Pinned by {name}, said at {time}"), { name, time });
  if (name) return fill(gettext("Pinned by {name}"), { name });
  return time ? fill(gettext("Said at {time}"), { time }) : [];
}

/**
 * What a pin shows: who said it, and what.
 * @type {(pin: Pin) => Said[]}
 */
function contentOf({ text, author }) {
  const said = author?.name && text.startsWith(`${author.name}: `) ? text.slice(author.name.length + 2) : "";
  return said && author ? [who(author), ": ", make("bdi", {}, said)] : [make("bdi", {}, text)];
}

/**
 * A line in the log for pins that are new, which the bar then shows.
 * @param {Pin[]} all
 */
function tell(all) {
  const ids = new Set(all.map(({ id }) => id).filter(Boolean));
  const fresh = all.filter(({ id }) => id && known && !known.has(id));
  known = ids;
  for (const { pinner } of fresh)
    addLine(
      pinner ? fill(gettext("{name} pinned a message"), { name: who(pinner) }) : [gettext("A message was pinned")],
    );
  if (fresh.length) at = 0;
}

function drawList() {
  const all = pins();
  const keys = all.map((one, place) => `${mayUnpin(one)} ${mayBring(one.id)} ${one.id || `${place} ${one.text}`}`);
  for (const key of listed.keys()) if (!keys.includes(key)) listed.delete(key);
  const items = all.map((one, place) => {
    const element = listed.get(keys[place]) ?? item(one);
    listed.set(keys[place], element);
    return element;
  });
  const hadFocus = part("pin-items").contains(document.activeElement);
  arrange(part("pin-items"), [...new Set(items)]);
  if (hadFocus && !part("pin-items").contains(document.activeElement)) part("all-pins-close").focus();
  setText(part("pins-why"), whyNotPin());
  if (!items.length) part("all-pins").close();
}

/** @param {Pin} one */
function item(one) {
  const text = make("p", { class: "pin-text whole", dir: "auto" });
  setParts(text, contentOf(one));
  const fold = foldIfLong(text, one.text);
  const actions = make("div", { class: "pin-actions" });
  /** @type {(label: string, action: () => void) => void} */
  const button = (label, action) => {
    const made = make("button", { class: "button small", type: "button" }, label);
    made.addEventListener("click", action);
    actions.append(made);
  };
  if (mayBring(one.id)) {
    button(gettext("Show in the chat"), async () => {
      part("all-pins").close();
      if (!(await jumpTo(one.id))) toast(whyNotThere());
    });
  }
  if (mayUnpin(one)) button(gettext("Unpin"), () => unpin(one));
  const by = make("p", { class: "soft", dir: "auto" });
  setParts(by, bylineOf(one));
  return make("li", {}, text, fold, by, actions);
}
