// The door while somebody waits before it: what it says of the room is looked up again now and then.

import { part, setText } from "./dom.js";
import { need } from "./opening.js";
import { isShown } from "./screens.js";

const EVERY = 10_000; // ms
const MOST = 360; // looks: for an hour

let looks = 0;
let isShut = false; // the room, for who wants in

/** @param {boolean} closed whether the page says so */
export function startDoor(closed) {
  isShut = closed;
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}

/** @param {boolean} isSo whether nobody new can enter, which may change while somebody waits */
export function waitBefore(isSo) {
  isShut = isSo;
  looks = 0;
}

async function look() {
  const isWaiting = isShown("lobby") && !part("lobby-join").disabled; // and does not enter already
  if (document.hidden || looks >= MOST || !(isWaiting || isKeptOut())) return;
  looks += 1;
  const answer = await fetch("door").catch(() => null);
  const told = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!told) return;
  setText(part("lobby-inside"), told.inside);
  part("lobby-locked").hidden = !told.locked;
  if (!isKeptOut() || told.locked) return;
  isShut = false;
  (await need())?.tellOpen();
}

const isKeptOut = () => isShut && isShown("end");
