// One person in the middle of attention, for everybody: session-store key `spotlight`, a peer id or null.

import {
  hmsActions,
  hmsStore,
  selectPeerByID,
  selectPeerMetadata,
  selectPermissions,
  selectSessionStore,
} from "../hms.js";
import { part, setText } from "./dom.js";
import { attempt } from "./toasts.js";
import { writeName } from "./who.js";

/** @import { HMSStore } from "../hms.js" */

export const SPOTLIGHT_KEY = "spotlight";

const selectStored = selectSessionStore(SPOTLIGHT_KEY);

/**
 * The peer id in the spotlight, or null. Others may have stored anything.
 * @param {HMSStore} store
 * @returns {string | null}
 */
export function selectSpotlight(store) {
  const stored = selectStored(store);
  return typeof stored === "string" ? stored : null;
}

export function startSpotlight() {
  hmsStore.subscribe(drawSpotlight, (store) => {
    const id = selectSpotlight(store);
    return [selectPeerByID(id ?? "")(store), selectPermissions(store)];
  });
  part("spotlight-end").addEventListener("click", () => spotlight(null));
}

/**
 * Puts a peer into the spotlight; null ends it.
 * @param {string | null} peerId
 */
export function spotlight(peerId) {
  return attempt(() => hmsActions.sessionStore.set(SPOTLIGHT_KEY, peerId), "Spotlight not changed");
}

export function drawSpotlight() {
  const peer = hmsStore.getState(selectPeerByID(hmsStore.getState(selectSpotlight) ?? ""));
  part("spotlight").hidden = !peer;
  if (!peer) return;
  const { status } = hmsStore.getState(selectPeerMetadata(peer.id)) ?? {};
  writeName(part("spotlight-name"), peer, { isOwn: peer.isLocal });
  setText(part("spotlight-status"), typeof status === "string" ? status : "");
  part("spotlight-end").hidden = !hmsStore.getState(selectPermissions)?.writeMetadata;
}
