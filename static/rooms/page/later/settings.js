// The room's settings, for whoever may manage it: what of them was changed in the dialog is saved, and no more.

import { getState } from "../../core.js";
import { hmsActions, selectRoom } from "../../hms.js";
import { needConnection } from "../connection.js";
import { make, part, setText } from "../dom.js";
import { filled } from "../text.js";
import { gettext, ngettext } from "../translation.js";
import { areHostsPins } from "./pin_rights.js";
import { leavePins } from "./pin_rules.js";
import { timeSpan } from "./text.js";
import { inWords } from "./words.js";

const SLOW = [0, 5, 10, 30, 60, 300, 900, 3600]; // seconds
const HISTORY = [0, 20, 100, 1000]; // messages

/** @type {ReturnType<typeof read> | null} */
let shown = null; // as it was when the dialog was opened

export function startSettings() {
  part("settings-form").addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
}

export function openSettings() {
  const { title, description, locked, slowMode, history } = getState(selectRoom);
  part("settings-title").value = title;
  part("settings-description").value = description;
  part("settings-locked").checked = locked;
  choose(part("settings-slow"), SLOW, slowMode, (seconds) => (seconds ? timeSpan(seconds) : gettext("Off")));
  choose(part("settings-history"), HISTORY, history ?? 0, (count) =>
    count ? filled(ngettext("The last message", "The last {count} messages", count), { count }) : gettext("None"),
  );
  part("settings-pins").checked = areHostsPins();
  part("settings-problem").hidden = true;
  shown = read();
  part("settings").showModal();
}

/**
 * Fills a list of numbers to choose from, to which the present one belongs.
 * @type {(list: HTMLSelectElement, usual: number[], held: number, label: (value: number) => string) => void}
 */
function choose(list, usual, held, label) {
  const values = [...new Set([...usual, held])].sort((a, b) => a - b);
  list.replaceChildren(...values.map((value) => make("option", { value }, label(value))));
  list.value = String(held);
}

/** What the dialog says. */
const read = () => ({
  room: {
    title: part("settings-title").value.trim(),
    description: part("settings-description").value.trim(),
    locked: part("settings-locked").checked,
    slowMode: Number(part("settings-slow").value),
    history: Number(part("settings-history").value),
  },
  hostsPin: part("settings-pins").checked,
});

async function save() {
  if (!shown) return;
  const { room, hostsPin } = read();
  const before = new Map(Object.entries(shown.room));
  const changed = Object.fromEntries(Object.entries(room).filter(([name, value]) => before.get(name) !== value));
  part("settings-save").disabled = true;
  try {
    needConnection();
    if (Object.keys(changed).length) await hmsActions.setRoom(changed);
    if (hostsPin !== shown.hostsPin) await leavePins(hostsPin);
    part("settings").close();
  } catch (error) {
    setText(part("settings-problem"), filled(gettext("Not saved. {why}"), { why: inWords(error) }));
    part("settings-problem").hidden = false;
  } finally {
    part("settings-save").disabled = false;
  }
}
