// The way into the room, and back after a loss: changes of the state that this page makes, see state.js.

import { inHistory, inRoom, localPeer, withEntry } from "./parts.js";
import { limitsFrom, peerFrom } from "./shapes.js";
import { nowhere } from "./start.js";

/** @import { Messages } from "./messages.js" */
/** @import { Gap, OwnChange, Peer, State } from "./types.js" */

/**
 * Messages may be missing since the last one that is held.
 * @type {(state: State, messages: Messages, isLasting: boolean) => Gap[]}
 */
function withGap(state, messages, isLasting) {
  const after = messages.newest?.id ?? null;
  if (state.missed.some((gap) => gap.after === after)) return state.missed;
  const since = state.room.lostAt ?? messages.newest?.time ?? null;
  return [...state.missed, { after, since, ...(isLasting && { isLasting }) }];
}

/** @type {(state: State) => Peer} */
const self = (state) => localPeer(state) ?? peerFrom(state.room.localPeer, {});

/**
 * @satisfies {{
 *   [Method in "connecting" | "newcomer" | "copied" | "joined" | "connection" | "place"]: OwnChange<Method>
 * }}
 */
export const ARRIVAL_OWN = {
  connecting: (state, { roomId, peer }) => {
    const held = state.peers.get(peer.id);
    const local = { ...peerFrom(peer.id, {}, held), ...(held ? {} : peer) };
    const peers = withEntry(state.peers, peer.id, local);
    return inRoom({ ...state, peers }, { id: roomId, localPeer: peer.id, roomState: "Connecting", isConnected: false });
  },

  // The peer of before is not this page's: another one, which keeps what was said.
  newcomer: (state, { id }) => {
    const local = { ...self(state), id, groups: [], raisedAt: null };
    return inRoom({ ...state, place: null, peers: new Map([[id, local]]) }, { localPeer: id });
  },

  // This tab began as a copy of one that goes on: it tells of the gap that there may be, and sends what waits.
  copied: (state) => inRoom({ ...state, outbox: new Map() }, { joinedAt: null }),

  joined: (known, { session_id: sessionId, seq, history, resumed = false, limits, name, data }) => {
    const state = limits ? { ...known, limits: limitsFrom(limits) } : known;
    const before = self(state);
    if (resumed) {
      const said = { ...before, name: name || before.name, data: data || before.data };
      return inHistory({ ...state, peers: withEntry(state.peers, before.id, said) }, history);
    }
    const isSame = state.room.sessionId === sessionId;
    const { metadata, locks, roleChangeRequests, removed, ...anew } = nowhere();
    const messages = isSame ? state.messages : anew.messages;
    const here = isSame ? state : { ...state, missed: [] };
    const wasPutBack = isSame && state.place?.history !== undefined && state.place.history !== history;
    const missed = state.room.joinedAt === null ? here.missed : withGap(here, messages, wasPutBack);
    const unsure = new Set(messages.values().flatMap(({ id, type }) => (type === "chat" ? [id] : [])));
    const local = { ...before, name, data, groups: [], raisedAt: null };
    const peers = isSame ? withEntry(state.peers, local.id, local) : new Map([[local.id, local]]); // peer-list follows
    const polls = isSame ? state.polls : anew.polls; // replaced as they are read again, which keeps what is typed
    const place = { session_id: sessionId, seq };
    const held = {
      ...state,
      messages,
      missed,
      unsure,
      history: null,
      typing: new Map(),
      metadata,
      locks,
      polls,
      roleChangeRequests,
      removed,
      peers,
      place,
    };
    return inRoom(inHistory(held, history), {
      sessionId,
      lostAt: null,
      peerCount: isSame ? state.room.peerCount : null,
    });
  },

  connection: (state, { roomState, isConnected = state.room.isConnected, at }) => {
    if (roomState === "Reconnecting") return inRoom(state, { roomState, isConnected, lostAt: at });
    return inRoom(state, { roomState, isConnected, joinedAt: state.room.joinedAt ?? at });
  },

  place: (state, { history }) => inHistory(state, history),
};
