// The part of the state that outlives a reload of the page, as JSON.

import { Messages } from "./messages.js";
import { nowhere } from "./start.js";

/** @import { State } from "./types.js" */

const MESSAGES_KEPT = 200;

/** @param {State} state */
export function pack(state) {
  const { lostAt, isConnected, roomState, ...room } = state.room;
  return JSON.stringify({
    room,
    place: state.place,
    peers: [...state.peers.values()],
    messages: state.messages.values(MESSAGES_KEPT),
    missed: state.missed,
    unsure: [...state.unsure],
    outbox: [...state.outbox.values()],
    metadata: [...state.metadata.values()],
    locks: [...state.locks.values()],
    limits: state.limits,
  });
}

/**
 * The state that pack() wrote.
 * @param {string} text
 * @returns {State}
 */
export function unpack(text) {
  const packed = JSON.parse(text);
  const start = nowhere();
  return {
    ...start,
    room: { ...start.room, ...packed.room },
    place: packed.place,
    peers: byKey(packed.peers, "id"),
    messages: new Messages(packed.messages),
    missed: packed.missed ?? [],
    unsure: new Set(packed.unsure),
    outbox: byKey(packed.outbox, "clientId"),
    metadata: byKey(packed.metadata, "key"),
    locks: byKey(packed.locks ?? [], "name"),
    limits: packed.limits ?? null,
  };
}

/**
 * @template {string} Key
 * @template {Record<Key, string>} Entry
 * @param {Entry[]} list
 * @param {Key} key
 */
const byKey = (list, key) => new Map(list.map((entry) => [/** @type {string} */ (entry[key]), entry]));
