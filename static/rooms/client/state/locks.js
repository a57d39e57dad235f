// Who holds which lock: changes of the state, see state.js. A lock that nobody holds is not there.

import { withEntry, without } from "./parts.js";
import { list, lockFrom, record, text } from "./shapes.js";

/** @import { HeardChange, OwnChange, State, Wire } from "./types.js" */

/** @type {(state: State, wire: Wire) => State} */
function withLock(state, wire) {
  const lock = lockFrom(wire);
  const locks = lock ? withEntry(state.locks, lock.name, lock) : without(state.locks, text(wire.name) ?? "");
  return { ...state, locks };
}

/** @satisfies {Record<string, HeardChange>} */
export const LOCKS_HEARD = {
  "on-lock-list": (state, { locks }) => {
    const held = list(locks).flatMap((wire) => lockFrom(record(wire)) ?? []);
    return { ...state, locks: new Map(held.map((lock) => [lock.name, lock])) };
  },
  "on-lock-change": withLock,
};

/** @satisfies {{ "read-lock": OwnChange<"read-lock"> }} */
export const LOCKS_OWN = {
  // Events that came before a reply, though they are later, have told what became of the lock since.
  "read-lock": (state, answer) => (Number(answer.seq) < Number(state.place?.seq) ? state : withLock(state, answer)),
};
