// Loads the script of the room (room.js), which who is at the door needs only to go in.

import { pageData } from "./dom.js";

/** @typedef {typeof import("./room.js")} Room */

const PATIENCE = 2_000; // ms for which the page may have something else to do

const { room = "" } = pageData();
let failures = 0;
/** @type {Promise<Room> | null} */
let loading = null;

/** Loads the room while the page has nothing else to do. */
export function loadRoomSoon() {
  const load = () => loadRoom().catch(() => {}); // who wants to go in is told
  if ("requestIdleCallback" in window) requestIdleCallback(load, { timeout: PATIENCE });
  else setTimeout(load, PATIENCE);
}

/** The room, whose parts have started. Rejects if it cannot be loaded; who asks again tries again. */
export function loadRoom() {
  loading ??= started().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function started() {
  // Some browsers remember of an address that nothing could be loaded from it.
  const address = failures ? `${room}?again=${failures}` : room;
  /** @type {Room} */
  const loaded = await import(address).catch(() => {
    failures += 1;
    throw new Error("the server cannot be reached");
  });
  loaded.startRoom();
  return loaded;
}
