// A line in the log about who puts whom into the spotlight, and who ends it.

import { getState, subscribe } from "../../core.js";
import { selectPeerByID, selectRoom } from "../../hms.js";
import { serverNow } from "../clock.js";
import { addLine } from "../log/log.js";
import { isShown } from "../screens.js";
import { selectLit, selectSpotlight } from "../spotlight.js";
import { fill } from "../text.js";
import { gettext } from "../translation.js";
import { personOf, who } from "../who.js";
import { selectEntry, selectSetter } from "./spotlight_rights.js";

/** @import { HMSPeer } from "../../hms.js" */

const LEAVING = 1_000; // ms between the end of the spotlight of somebody who leaves and their leave, at most

/** @type {string | null} */
let known = null; // the peer id of who was in it at last
let person = ""; // and whose peer that is

export function startSpotlightNews() {
  subscribe(tell, (store) => [selectEntry(store), selectLit(store)]);
  tell();
}

function tell() {
  if (!isShown("room") || !getState(selectEntry)) return; // the server tells it anew
  const lit = getState(selectLit);
  const id = getState(selectSpotlight);
  if (id !== known && isNews()) {
    if (lit) tellBegin(lit);
    else tellEnd(known);
  }
  known = id;
  person = lit ? personOf(lit) : "";
}

/** Whether it was changed since one has entered the room, or reloaded the page. */
function isNews() {
  const changed = getState(selectEntry)?.updated_at ?? 0;
  return changed > Number(getState(selectRoom).joinedAt) && changed > Number(serverNow()) - performance.now();
}

/** @param {HMSPeer} lit */
function tellBegin(lit) {
  if (personOf(lit) === person) return; // in another of their tabs
  const by = getState(selectSetter);
  const isOwn = !by || personOf(by) === personOf(lit);
  addLine(
    isOwn
      ? fill(gettext("{name} is in the spotlight"), { name: who(lit) })
      : fill(gettext("{name} put {other} in the spotlight"), { name: who(by), other: who(lit) }),
  );
}

/** @param {string | null} id of who was in it */
function tellEnd(id) {
  const by = getState(selectSetter);
  const line = by
    ? fill(gettext("{name} ended the spotlight"), { name: who(by) })
    : [gettext("The spotlight was ended")];
  // Of who left there is a line already.
  setTimeout(() => getState(selectPeerByID(id ?? "")) && isShown("room") && addLine(line), LEAVING);
}
