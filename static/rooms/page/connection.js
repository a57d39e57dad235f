// A banner while the connection is away.

import { getState, hmsActions, onNotification, selectRoomState, subscribe } from "../core.js";
import { serverNow } from "./clock.js";
import { onClick, part } from "./dom.js";
import { shortSpan } from "./text.js";
import { gettext } from "./translation.js";

const PATIENCE = 2_000; // ms before the banner: most losses are over by then
const BACK_SHOWN = 2_500;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let since = 0;
let visible = false;
/** @type {Date | null} */
let backAt = null; // when the connection came back last

export function startConnection() {
  onNotification(lost, "RECONNECTING");
  onNotification(back, "RECONNECTED");
  addEventListener("offline", offline); // at once: the socket itself notices much later
  addEventListener("online", () => getState(selectRoomState) === "Connected" && back());
  onClick(part("banner-retry"), () => hmsActions.retryConnection());
}

/** Whether what is written waits for the connection. */
export const isAway = () => !navigator.onLine || getState(selectRoomState) === "Reconnecting";

/** Throws while the connection is away: nothing is done later that nobody expects any more. */
export function needConnection() {
  if (isAway()) throw new Error("offline");
}

/**
 * Whether something that comes only now was said while the connection was away.
 * @param {Date} time
 */
export const wasMissed = (time) => isAway() || (backAt !== null && time < backAt);

/**
 * Calls `changed` when the connection goes or comes.
 * @param {() => void} changed
 */
export function onAway(changed) {
  subscribe(changed, selectRoomState);
  for (const kind of ["offline", "online"]) addEventListener(kind, changed);
}

export function resetConnection() {
  clearInterval(timer);
  backAt = null;
  visible = false;
  say("");
}

function offline() {
  if (getState(selectRoomState) === "Disconnected") return;
  lost();
  say(gettext("You are offline. What you write waits."), { lost: true });
  part("banner-retry").hidden = true; // of no use before the network is back
  visible = true;
}

function lost() {
  since = Date.now();
  clearInterval(timer);
  timer = setInterval(tick, 1_000);
}

function tick() {
  if (Date.now() - since < PATIENCE) return;
  const seconds = Math.round((Date.now() - since) / 1_000);
  if (!visible) say(gettext("Reconnecting…"), { lost: true });
  visible = true;
  // The count is for the eye alone: read out each second it would be noise.
  part("banner-text").dataset.seconds = ` (${shortSpan(seconds)})`;
}

function back() {
  clearInterval(timer);
  backAt = serverNow();
  if (!visible) return;
  visible = false;
  say(gettext("Back online"));
  timer = setTimeout(() => say(""), BACK_SHOWN);
}

/** @param {string} text */
function say(text, { lost: isLost = false } = {}) {
  delete part("banner-text").dataset.seconds;
  part("banner-text").textContent = text;
  part("banner-retry").hidden = !isLost;
  part("banner").classList.toggle("lost", isLost);
  part("banner").classList.toggle("shown", Boolean(text));
}
