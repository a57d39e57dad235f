// The entries of the session store: changes of the state, see state.js.

import { entryFrom, isEntry, records } from "./shapes.js";

/** @import { HMSSessionEntry } from "../../hms.js" */
/** @import { HeardChange, OwnChange, State } from "./types.js" */

/** @satisfies {Record<string, HeardChange>} */
export const METADATA_HEARD = {
  "on-metadata-change": (state, { values }) => {
    const metadata = new Map(state.metadata);
    for (const entry of records(values).filter(isEntry)) {
      const held = metadata.get(entry.key);
      // Version 0 is told of a key that may not be read any more, or that never was.
      const isNews = !held || entry.change_version === 0 || held.change_version < entry.change_version;
      if (isNews) metadata.set(entry.key, entryFrom(entry));
    }
    return { ...state, metadata };
  },
};

/** @satisfies {{ "read-metadata": OwnChange<"read-metadata"> }} */
export const METADATA_OWN = {
  // A reply comes in its place among the events: what it says is newer than what is held, whatever the version.
  // It is one entry, or several at once.
  "read-metadata": (state, answer) => {
    const read = (answer.entries ? records(answer.entries) : [answer]).filter(isEntry);
    const news = read.filter((entry) => !isOvertaken(state, entry, answer.seq));
    if (!news.length) return state;
    const metadata = new Map(state.metadata);
    for (const entry of news) metadata.set(entry.key, entryFrom(entry));
    return { ...state, metadata };
  },
};

/**
 * Whether an event that came before this reply tells of a later version.
 * @type {(state: State, entry: HMSSessionEntry, seq: unknown) => boolean}
 */
function isOvertaken({ place, metadata }, { key, change_version: version }, seq) {
  if (typeof seq !== "number" || !Number.isInteger(seq) || !place || seq >= place.seq) return false;
  const held = metadata.get(key);
  return held !== undefined && version < held.change_version;
}
