// Which polls there are, as long as polls.js has not been loaded: changes of the state, see changes.js.

import { records, text } from "./shapes.js";

/** @import { HeardChange, OwnChange, State } from "./types.js" */

/** @type {(state: State, infos: unknown, isNews: boolean) => State} */
function withSeen(state, infos, isNews) {
  const polls = new Map(state.polls);
  for (const info of records(infos)) {
    const id = text(info.poll_id);
    if (id === undefined || info.state === "created" || polls.has(id)) continue;
    polls.set(id, { id, title: "", type: "poll", state: isNews ? undefined : text(info.state) });
  }
  return { ...state, polls };
}

/** @satisfies {Record<string, HeardChange>} */
export const SEEN_POLLS_HEARD = {
  // Not held as started: polls.js, once it has read the poll, tells that it has.
  "on-poll-start": (state, { polls }) => withSeen(state, polls, true),
};

/** @satisfies {{ "polls-seen": OwnChange<"polls-seen"> }} */
export const SEEN_POLLS_OWN = {
  "polls-seen": (state, { polls }) => withSeen(state, polls, false),
};
