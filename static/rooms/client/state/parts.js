// Parts of a state exchanged for others: each returns a new one, or the same where nothing changes.

import { text } from "./shapes.js";

/** @import { Peer, Room, State } from "./types.js" */

/** @type {(state: State, fields: Partial<Room>) => State} */
export const inRoom = (state, fields) => ({ ...state, room: { ...state.room, ...fields } });

/**
 * Which run of the database numbers the events from here on.
 * @type {(state: State, history: unknown) => State}
 */
export function inHistory(state, history) {
  const known = text(history);
  if (!state.place || known === undefined || state.place.history === known) return state;
  return { ...state, place: { ...state.place, history: known } };
}

/**
 * @template Key, Value
 * @param {Map<Key, Value>} map
 * @param {Key} key
 * @param {Value} value
 */
export const withEntry = (map, key, value) => new Map(map).set(key, value);

/**
 * @template Key, Value
 * @param {Map<Key, Value>} map
 * @param {Key} key
 */
export function without(map, key) {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

/** @type {(state: State) => Peer | undefined} */
export const localPeer = (state) => state.peers.get(state.room.localPeer);
