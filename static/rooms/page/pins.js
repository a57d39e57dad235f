// The bar of pinned messages, and all of them in a dialog.

import {
  hmsActions,
  hmsStore,
  selectMessageByMessageID,
  selectPermissions,
  selectSessionMetadata,
  selectSessionStore,
} from "../hms.js";
import { make, part, setText } from "./dom.js";
import { addLine, jumpTo, redrawPins } from "./log.js";
import { pinText, shortTime } from "./text.js";
import { attempt, toast } from "./toasts.js";

export const PINS_KEY = "pinnedMessages";

let at = 0; // the pin that the bar shows, of several
let known = null; // ids at the last draw; null before the first

export function startPins() {
  hmsStore.subscribe(draw, (store) => [pinsIn(store), mayPin(store)]);
  part("pin").addEventListener("click", () => {
    const { id } = current();
    if (id) jumpTo(id);
  });
  part("pin-next").addEventListener("click", () => {
    at += 1;
    draw();
  });
  part("unpin").addEventListener("click", () => unpin(current()));
  part("pin-list").addEventListener("click", () => {
    drawList();
    part("all-pins").showModal();
  });
}

/** Draws the pins of a room just entered: they are no news. */
export function resetPins() {
  at = 0;
  known = null;
  draw();
}

export const isPinned = (id) => pins().some((one) => one.id === id);

export function pin(message) {
  return attempt(() => hmsActions.pinMessage(message.id, pinText(message)), "Not pinned");
}

export async function unpin({ id }) {
  const { text } = pins().find((one) => one.id === id) ?? {};
  // A pin without an id was written by an app that knows the session metadata only.
  const take = () => (id ? hmsActions.unpinMessage(id) : hmsActions.setSessionMetadata(null));
  const back = () => (id ? hmsActions.pinMessage(id, text) : hmsActions.setSessionMetadata(text));
  await attempt(async () => {
    await take();
    if (text) toast("Unpinned for everyone.", { label: "Undo", action: () => attempt(back, "Not pinned") });
  }, "Not unpinned");
}

/** The pins, newest first, as [{text, id?, pinnedBy?}]. Others may have stored anything under the keys. */
function pinsIn(store) {
  const held = selectSessionStore(PINS_KEY)(store);
  const pinned = Array.isArray(held) ? held.filter((one) => typeof one?.text === "string" && one.text.trim()) : [];
  if (pinned.length) return pinned;
  const text = selectSessionMetadata(store);
  return typeof text === "string" && text.trim() ? [{ text }] : [];
}

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
  const { text, id, pinnedBy } = all[at];
  const said = hmsStore.getState(selectMessageByMessageID(id))?.time; // known to who was here then
  const about = [
    typeof pinnedBy === "string" && pinnedBy && `Pinned by ${pinnedBy}`,
    said && `said at ${shortTime(said)}`,
  ];
  setText(part("pin-text"), text);
  setText(part("pin-by"), about.filter(Boolean).join(", "));
  setText(part("pin-place"), `${at + 1}/${all.length}`);
  part("pin-next").setAttribute("aria-label", `Pinned message ${at + 1} of ${all.length}. Show the next`);
  part("pin-next").hidden = part("pin-list").hidden = all.length < 2;
  part("unpin").hidden = !hmsStore.getState(mayPin);
}

/** A line in the log for pins that are new, which the bar then shows. */
function tell(all) {
  const ids = new Set(all.map(({ id }) => id).filter(Boolean));
  const fresh = known ? all.filter(({ id }) => id && !known.has(id)) : [];
  known = ids;
  for (const { pinnedBy } of fresh) {
    addLine(typeof pinnedBy === "string" && pinnedBy ? `${pinnedBy} pinned a message` : "A message was pinned");
  }
  if (fresh.length) at = 0;
}

function drawList() {
  const items = pins().map((one) => {
    const show = make(
      "button",
      { class: "pin", type: "button" },
      make("span", { class: "pin-text", dir: "auto" }, one.text),
    );
    show.addEventListener("click", () => {
      part("all-pins").close();
      if (one.id) jumpTo(one.id);
    });
    const item = make("li", {}, show);
    if (hmsStore.getState(mayPin)) {
      const away = make("button", { class: "button small", type: "button" }, "Unpin");
      away.addEventListener("click", () => unpin(one));
      item.append(away);
    }
    return item;
  });
  part("pin-items").replaceChildren(...items);
  if (!items.length) part("all-pins").close();
}
