// Pinning a message for everyone, taking a pin away, and putting it back.

import { getState } from "../../core.js";
import { hmsActions } from "../../hms.js";
import { isPinned, PINS_KEY, selectPins } from "../pinned.js";
import { attempt, toast } from "../toasts.js";
import { gettext } from "../translation.js";

/** @import { Pin } from "../types.js" */

const NOTE_KEY = "default";
const KEPT = 3; // pins, by the server

/** @param {{ id: string }} message */
export function pin({ id }) {
  return attempt(async () => {
    const before = getState(selectPins);
    await hmsActions.pinMessage(id);
    if (before.some((one) => one.id && !isPinned(one.id)))
      // the server keeps only so many
      toast(gettext("There is no room for more pins: the oldest one is gone."));
  }, gettext("Not pinned. {why}"));
}

/** @param {{ id: string }} pinned */
export async function unpin({ id }) {
  const pins = getState(selectPins);
  const found = pins.find((one) => one.id === id);
  await attempt(async () => {
    const back = id ? await takePin(id, pins) : await takeNote(found?.text);
    if (found)
      toast(gettext("Unpinned for everyone."), {
        label: gettext("Undo"),
        action: () => attempt(back, gettext("Not pinned. {why}")),
      });
  }, gettext("Not unpinned. {why}"));
}

/**
 * Unpins a message. What puts it back between the same pins, as far as they are there then, and moves none of them out.
 * @type {(id: string, pins: Pin[]) => Promise<() => Promise<unknown>>}
 */
async function takePin(id, pins) {
  const older = pins.slice(pins.findIndex((one) => one.id === id) + 1).map((one) => one.id);
  await hmsActions.unpinMessage(id);
  /** @param {unknown} held */
  const withIt = (held) => {
    const others = Array.isArray(held) ? held : [];
    if (others.some((one) => one?.id === id)) return others;
    if (others.length >= Math.max(KEPT, pins.length)) throw new Error("pins: no room");
    const place = others.findIndex((one) => older.includes(one?.id));
    return others.toSpliced(place < 0 ? others.length : place, 0, { id });
  };
  return () => hmsActions.sessionStore.mutate(PINS_KEY, withIt);
}

/**
 * Takes the note away that an app wrote which knows the session metadata only. What puts it back, if nobody has written
 * another since.
 * @type {(text: string | undefined) => Promise<() => Promise<unknown>>}
 */
async function takeNote(text) {
  const { change_version: ifChangeVersion } = await hmsActions.sessionStore.set(NOTE_KEY, null);
  return () => hmsActions.sessionStore.set(NOTE_KEY, text, { ifChangeVersion });
}
