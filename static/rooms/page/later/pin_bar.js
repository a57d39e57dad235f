// The bar of pinned messages: pin_list.js shows all of them.

import { getState, subscribe } from "../../core.js";
import { selectHistory, selectSessionEntry } from "../../hms.js";
import { part, setHidden, setParts, setText } from "../dom.js";
import { addLine, jumpTo } from "../log/log.js";
import { keepPlace } from "../log/reading.js";
import { atEntry, PINS_KEY, selectPins } from "../pinned.js";
import { isShown } from "../screens.js";
import { fill, filled } from "../text.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";
import { hidePin, isHidden, resetHidden, showAgain, showPin, startHidden } from "./hidden_pins.js";
import { drawPinList, openPins, startPinList } from "./pin_list.js";
import { mayUnpin, selectRights, startRights } from "./pin_rights.js";
import { bylineOf, contentOf } from "./pin_words.js";
import { unpin } from "./pinning.js";

/** @import { Pin } from "../types.js" */

let at = 0; // the pin that the bar shows, of those it has
/** @type {Map<string, Pin>} */
let known = new Map(); // id → what was there at the last draw

export function startPins() {
  subscribe(draw, (store) => [selectPins(store), selectRights(store), selectHistory(store)]);
  startRights();
  startHidden(draw);
  startPinList();
  part("pin").addEventListener("click", async () => {
    const shown = current();
    if (shown && !(await jumpTo(shown.id))) openPins(); // not shown to who came later: it can be read there, whole
  });
  part("pin-next").addEventListener("click", () => {
    at += 1;
    draw();
  });
  part("unpin").addEventListener("click", () => {
    const shown = current();
    if (shown) unpin(shown);
  });
  part("pin-hide").addEventListener("click", hideShown);
  part("pin-list").addEventListener("click", openPins);
  resetPins();
}

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

/** Draws the pins of a room just entered. */
export function resetPins() {
  at = 0;
  known = byId(atEntry().pins);
  resetHidden();
  draw();
}

const selectHeld = selectSessionEntry(PINS_KEY);
const pins = () => getState(selectPins);
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
  if (part("all-pins").open) drawPinList();
}

/** @param {Pin[]} shown */
function drawBar(shown) {
  setHidden(part("pins"), !shown.length, part("scroller"));
  if (!shown.length) {
    for (const name of ["pin-text", "pin-by"]) part(name).replaceChildren(); // it may be gone for everyone
    return;
  }
  setParts(part("pin-text"), contentOf(shown[at]));
  setParts(part("pin-by"), bylineOf(shown[at]));
  const place = filled("{place}/{count}", { place: at + 1, count: shown.length });
  setText(part("pin-place"), place);
  part("pin-next").setAttribute("aria-label", filled(gettext("{place}, show the next pinned message"), { place }));
  setHidden(part("pin-next"), shown.length < 2, part("pin"));
  setHidden(part("unpin"), !mayUnpin(shown[at]), part("pin"));
}

/**
 * A line in the log for pins that are new. One that goes is not hidden any more when it comes back.
 * @param {Pin[]} all
 * @returns {Pin[]} those that are new
 */
function tell(all) {
  if (!getState(selectHeld)) return []; // the server tells them anew
  const ids = byId(all);
  for (const [id, pin] of known) if (!ids.has(id)) showPin(pin);
  const fresh = all.filter(({ id }) => id && !known.has(id));
  known = ids;
  for (const { pinner } of fresh) {
    addLine(
      pinner ? fill(gettext("{name} pinned a message"), { name: who(pinner) }) : [gettext("A message was pinned")],
    );
  }
  return fresh;
}

/** @param {Pin[]} pins */
const byId = (pins) => new Map(pins.filter(({ id }) => id).map((pin) => [pin.id, pin]));
