// Pinning a message for everyone, taking a pin away, and putting it back.

import { getState } from "../../core.js";
import { hmsActions, selectPeers, selectRolesMap } from "../../hms.js";
import { isModerator } from "../people.js";
import { isPinned, PINS_KEY, selectPins } from "../pinned.js";
import { fill } from "../text.js";
import { attempt, toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { personOf, who } from "../who.js";
import { confirm } from "./dialogs.js";
import { contentOf } from "./pin_words.js";

/** @import { Pin } from "../types.js" */

const NOTE_KEY = "default";
const KEPT = 3; // pins, by the server

/**
 * Pins a message. Asks first if another one makes room for it.
 * @param {{ id: string }} message
 */
export async function pin({ id }) {
  const pins = getState(selectPins).filter((one) => one.id);
  if (pins.length < KEPT) return add(id, pins);
  const least = pins.findLast((one) => isModerator() || !isModerators(one));
  if (least) return (await mayGo(least, least === pins.at(-1))) && replace(least, id, pins);
  const { pinner } = pins[pins.length - 1];
  const name = pinner && who(pinner);
  return toast(fill(gettext("There is no room for another pin: {name} can unpin one."), { name }));
}

/** @type {(id: string, before: Pin[]) => Promise<unknown>} */
function add(id, before) {
  return attempt(async () => {
    await hmsActions.pinMessage(id);
    if (before.some((one) => !isPinned(one.id)))
      // long ones take more room
      toast(gettext("There is no room for more pins: the oldest one is gone."));
  }, gettext("Not pinned. {why}"));
}

/**
 * Whether somebody who is here and moderates has pinned it.
 * @param {Pin} pin
 */
function isModerators({ pinner }) {
  const roles = getState(selectRolesMap);
  return getState(selectPeers).some(
    (peer) => personOf(peer) === pinner?.person && roles[peer.roleName ?? ""]?.permissions?.removeOthers,
  );
}

/** @type {(pin: Pin, isOldest: boolean) => Promise<boolean>} */
function mayGo(pin, isOldest) {
  const name = pin.pinner && who(pin.pinner);
  const title = isOldest ? gettext("Replace the oldest pin, by {name}?") : gettext("Replace the pin by {name}?");
  return confirm({
    title: name ? fill(title, { name }) : gettext("Replace the oldest pin?"),
    text: contentOf(pin),
    action: gettext("Replace"),
  });
}

/**
 * Pins a message in the place of another.
 * @type {(out: Pin, id: string, pins: Pin[]) => Promise<unknown>}
 */
function replace(out, id, pins) {
  /** @type {(held: unknown, gone: string) => any[]} */
  const without = (held, gone) => (Array.isArray(held) ? held.filter((one) => one?.id !== gone) : []);
  return attempt(async () => {
    await hmsActions.sessionStore.mutate(PINS_KEY, (held) => [{ id }, ...room(without(without(held, out.id), id))]);
    toast(gettext("Pinned in the place of another."), {
      label: gettext("Undo"),
      action: () =>
        attempt(
          () => hmsActions.sessionStore.mutate(PINS_KEY, (held) => withPin(without(held, id), out.id, pins)),
          gettext("Not pinned. {why}"),
        ),
    });
  }, gettext("Not pinned. {why}"));
}

/**
 * The pins that are held, if there is room for one more.
 * @param {unknown[]} held
 */
function room(held, most = KEPT) {
  if (held.length >= most) throw new Error("pins: no room");
  return held;
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
  await hmsActions.unpinMessage(id);
  return () => hmsActions.sessionStore.mutate(PINS_KEY, (held) => withPin(held, id, pins));
}

/**
 * What is held with a pin that was among others before.
 * @type {(held: unknown, id: string, pins: Pin[]) => unknown[]}
 */
function withPin(held, id, pins) {
  const others = Array.isArray(held) ? held : [];
  if (others.some((one) => one?.id === id)) return others;
  const older = pins.slice(pins.findIndex((one) => one.id === id) + 1).map((one) => one.id);
  const place = others.findIndex((one) => older.includes(one?.id));
  return room(others, Math.max(KEPT, pins.length)).toSpliced(place < 0 ? others.length : place, 0, { id });
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
