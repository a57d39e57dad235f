// Where every state begins.

import { Messages } from "./messages.js";

/** @import { State } from "./types.js" */

/**
 * The state of a peer that is nowhere.
 * @returns {State}
 */
export const nowhere = () => ({
  room: {
    id: "",
    name: "",
    title: "",
    sessionId: "",
    startedAt: null,
    joinedAt: null,
    lostAt: null,
    peerCount: null,
    locked: false,
    slowMode: 0,
    description: "",
    history: null,
    localPeer: "",
    isConnected: false,
    roomState: "Disconnected",
  },
  place: null,
  clockOffset: null,
  roles: new Map(),
  peers: new Map(),
  messages: new Messages(),
  missed: [],
  unsure: new Set(),
  history: null,
  typing: new Map(),
  outbox: new Map(),
  metadata: new Map(),
  rules: { room: [], template: [] },
  locks: new Map(),
  limits: null,
  polls: new Map(),
  roleChangeRequests: [],
  removed: [],
  errors: [],
});
