// The door while somebody waits before it: what it says of the room is looked up again now and then.

import { part, setText } from "./dom.js";
import { later } from "./loader.js";
import { isShown } from "./screens.js";

const EVERY = 10_000; // ms
const MOST = 360; // looks: for an hour

let looks = 0;
let shut = ""; // why one cannot enter, which may change while one waits: "removed", say; empty if one can
let token = ""; // by which the server knows who waits

/** @param {boolean} closed whether the page says so */
export function startDoor(closed) {
  if (closed) shut = "closed";
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}

/** @param {string} why one cannot enter, empty if one can */
export function waitBefore(why) {
  shut = why;
  looks = 0;
}

/** @param {string} authToken of whoever wants in */
export function showToken(authToken) {
  token = authToken;
}

async function look() {
  const isWaiting = isShown("lobby") && !part("lobby-join").disabled; // and does not enter already
  if (document.hidden || looks >= MOST || !(isWaiting || isKeptOut())) return;
  looks += 1;
  const answer = await fetch("door", { headers: { token } }).catch(() => null);
  const told = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!told) return;
  setText(part("lobby-inside"), told.inside);
  part("lobby-locked").hidden = !told.locked;
  if (!isKeptOut() || told.locked || told.removed) return;
  const from = await later().catch(() => null); // or the next look tells it
  if (!from || !isKeptOut()) return;
  const why = shut;
  shut = "";
  from.tellOpen(why);
}

const isKeptOut = () => shut && isShown("end");
