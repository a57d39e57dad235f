// The bar of pinned messages: later/pin_list.js shows all of them.

import { hmsStore, selectHistory, selectMessageByMessageID, selectSessionEntry } from "../../core.js";
import { make, part, setHidden, setParts, setText } from "../dom.js";
import { loaded } from "../loader.js";
import { addLine, jumpTo } from "../log/log.js";
import { keepPlace } from "../log/reading.js";
import { open } from "../opening.js";
import { isShown } from "../screens.js";
import { fill, filled, shortTime } from "../text.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";
import { hidePin, isHidden, resetHidden, showPin, startHidden } from "./hidden.js";
import { PINS_KEY, selectPins } from "./pinned.js";
import { mayUnpin, selectRights, startRights } from "./rights.js";

/** @import { Pin, Said } from "../types.js" */

let at = 0; // the pin that the bar shows, of those it has
/** @type {Map<string, Pin> | null} */
let known = null; // id → what was there at the last draw; null before the first

export function startPins() {
  hmsStore.subscribe(draw, (store) => [selectPins(store), selectRights(store), selectHistory(store)]);
  startRights();
  startHidden(draw);
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
    if (shown) open(({ unpin }) => unpin(shown));
  });
  part("pin-hide").addEventListener("click", hideShown);
  part("pin-list").addEventListener("click", openList);
}

const openList = () => open(({ openPins }) => openPins());

/** Puts the pin that the bar shows out of it, for oneself. */
function hideShown() {
  const shown = current();
  if (!shown) return;
  hidePin(shown);
  draw();
  toast(gettext("Hidden for you. All pins are in the menu."), {
    label: gettext("Undo"),
    action: () => showAgain(shown),
  });
}

/** @param {Pin} pin */
export function showAgain(pin) {
  showPin(pin);
  draw();
}

/** Draws the pins of a room just entered. */
export function resetPins() {
  at = 0;
  known = null;
  resetHidden();
  draw();
}

const selectHeld = selectSessionEntry(PINS_KEY);
const pins = () => hmsStore.getState(selectPins);
/** @param {Pin[]} all */
const inBar = (all) => all.filter((pin) => !isHidden(pin));
/** @returns {Pin | undefined} */
const current = () => inBar(pins())[at];

function draw() {
  if (!isShown("room")) return; // resetPins() draws them: those of a room that is entered again are no news
  const all = pins();
  const news = tell(all);
  const shown = inBar(all);
  const fresh = shown.find((pin) => news.includes(pin));
  if (fresh) at = shown.indexOf(fresh);
  at = shown.length ? at % shown.length : 0;
  keepPlace(() => drawBar(shown));
  if (part("all-pins").open) loaded()?.drawPinList();
}

/** @param {Pin[]} shown */
function drawBar(shown) {
  setHidden(part("pins"), !shown.length, part("scroller"));
  if (!shown.length) return;
  setParts(part("pin-text"), contentOf(shown[at]));
  setParts(part("pin-by"), bylineOf(shown[at]));
  const place = filled("{place}/{count}", { place: at + 1, count: shown.length });
  setText(part("pin-place"), place);
  part("pin-next").setAttribute("aria-label", filled(gettext("{place}, show the next pinned message"), { place }));
  setHidden(part("pin-next"), shown.length < 2, part("pin"));
  setHidden(part("unpin"), !mayUnpin(shown[at]), part("pin"));
}

/** @param {Pin} pin */
const messageOf = ({ id }) => (id ? hmsStore.getState(selectMessageByMessageID(id)) : undefined);

/**
 * Who pinned it, and when it was said, which is known to who was here then.
 * @type {(pin: Pin) => Said[]}
 */
export function bylineOf(pin) {
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
export function contentOf({ text, author }) {
  const said = author?.name && text.startsWith(`${author.name}: `) ? text.slice(author.name.length + 2) : "";
  return said && author ? [who(author), ": ", make("bdi", {}, said)] : [make("bdi", {}, text)];
}

/**
 * A line in the log for pins that are new. One that goes is not hidden any more when it comes back.
 * @param {Pin[]} all
 * @returns {Pin[]} those that are new
 */
function tell(all) {
  if (known && !hmsStore.getState(selectHeld)) return []; // the server tells them anew
  const ids = new Map(all.filter(({ id }) => id).map((pin) => [pin.id, pin]));
  for (const [id, pin] of known ?? []) if (!ids.has(id)) showPin(pin);
  const fresh = all.filter(({ id }) => id && known && !known.has(id));
  known = ids;
  for (const { pinner } of fresh) {
    addLine(
      pinner ? fill(gettext("{name} pinned a message"), { name: who(pinner) }) : [gettext("A message was pinned")],
    );
  }
  return fresh;
}
