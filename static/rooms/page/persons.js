// The peers of a room as persons: somebody with the room open in several tabs is one.

import { personOf } from "./who.js";

/** @import { HMSPeer } from "../hms.js" */
/** @import { PersonHere } from "./types.js" */

/** @param {HMSPeer} peer */
const key = (peer) => JSON.stringify([personOf(peer), peer.roleName, peer.name]);

/**
 * One peer for each person, in the order of joining, with `tabs`, how many peers it stands for, and what is true of
 * any of them: a raised hand, a connection. Tabs that look different stay apart.
 * @param {HMSPeer[]} peers
 * @returns {PersonHere[]}
 */
export function persons(peers) {
  /** @type {Map<string, HMSPeer[]>} */
  const tabs = new Map();
  for (const peer of peers) tabs.set(key(peer), [...(tabs.get(key(peer)) ?? []), peer]);
  return [...tabs.values()].map((same) => {
    const first = same.find(({ isLocal }) => isLocal) ?? same[0];
    if (same.length === 1) return { ...first, tabs: same };
    const raised = same.filter(({ isHandRaised }) => isHandRaised);
    return {
      ...first,
      tabs: same,
      isHandRaised: raised.length > 0,
      raisedAt: raised.length ? Math.min(...raised.map(({ raisedAt }) => Number(raisedAt))) : null,
      state: same.some(({ state }) => state === "connected") ? "connected" : first.state,
    };
  });
}
