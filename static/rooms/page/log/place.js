// The place that somebody reads further up in the log, over a reload.

import { getState, selectMessageByMessageID } from "../../core.js";
import { pageData } from "../dom.js";
import { here } from "../memory.js";
import { elementOf, entryBelow, messageOf } from "./entries.js";
import { allDrawn, bring } from "./older.js";
import { entryRead, leadEyes } from "./reading.js";

const KEY = `place:${pageData().code}`;

export function startPlace() {
  addEventListener("pagehide", () => {
    let read = entryRead() ?? null;
    while (read && !messageOf(read)) read = entryBelow(read);
    const id = messageOf(read)?.id;
    if (id) here.set(KEY, id);
    else here.remove(KEY);
  });
}

/** Goes to the place that was kept, if what stood there is held. */
export async function findPlace() {
  const id = here.get(KEY);
  here.remove(KEY);
  if (!id || !getState(selectMessageByMessageID(id))) return;
  await allDrawn();
  await bring(id);
  const element = elementOf(id);
  if (element) leadEyes(element, { isAtOnce: true });
}
