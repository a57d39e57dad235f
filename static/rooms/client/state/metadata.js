// The entries of the session store: changes of the state, see state.js.

import { withEntry } from "./parts.js";
import { entryFrom, isEntry, records } from "./shapes.js";

/** @import { HMSSessionEntry } from "../../hms.js" */
/** @import { HeardChange, OwnChange, State } from "./types.js" */

/** @satisfies {Record<string, HeardChange>} */
export const METADATA_HEARD = {
  "on-metadata-change": (state, { values }) => {
    const metadata = new Map(state.metadata);
    for (const entry of records(values).filter(isEntry)) {
      const held = metadata.get(entry.key);
      if (!held || held.change_version < entry.change_version) metadata.set(entry.key, entryFrom(entry));
    }
    return { ...state, metadata };
  },
};

/** @satisfies {{ "read-metadata": OwnChange<"read-metadata"> }} */
export const METADATA_OWN = {
  // A reply comes in its place among the events: what it says is newer than what is held, whatever the version.
  "read-metadata": (state, entry) => {
    if (!isEntry(entry) || isOvertaken(state, entry)) return state;
    return { ...state, metadata: withEntry(state.metadata, entry.key, entryFrom(entry)) };
  },
};

/**
 * Whether an event that came before this reply tells of a later version.
 * @type {(state: State, entry: HMSSessionEntry) => boolean}
 */
function isOvertaken({ place, metadata }, { key, change_version: version, seq }) {
  if (typeof seq !== "number" || !Number.isInteger(seq) || !place || seq >= place.seq) return false;
  const held = metadata.get(key);
  return held !== undefined && version < held.change_version;
}
