// What can be done to somebody.

import { getState } from "../../core.js";
import { hmsActions, selectAvailableRoleNames } from "../../hms.js";
import { make } from "../dom.js";
import { closeSheet } from "../panel.js";
import { isLit, permissions, statusOf } from "../people.js";
import { roleText } from "../roles.js";
import { fill, filled } from "../text.js";
import { attempt } from "../toasts.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";
import { askAboutSelf, askFor, confirm } from "./dialogs.js";
import { lowerHand, turnOwnHand } from "./hands.js";
import { isSpotlightHidden, showSpotlight } from "./hidden_spotlight.js";
import { toggleMenu } from "./menu.js";
import { powersOf } from "./powers.js";
import { writeTo } from "./replying.js";
import { spotlight, spotlightVersion } from "./spotlight.js";
import { mayEndSpotlight } from "./spotlight_rights.js";

/** @import { HMSPeer } from "../../hms.js" */
/** @import { MenuItem, PersonHere } from "../types.js" */

/** @type {(button: HTMLElement, peer: PersonHere) => void} */
export const togglePersonMenu = (button, peer) => toggleMenu(button, actionsFor(peer));

/**
 * What can be done to somebody, by those who may: first what concerns oneself or all, then what is done to others.
 * @param {PersonHere} peer
 */
function actionsFor(peer) {
  if (peer.isLocal) return [...ownActions(peer), ...spotlights(peer)];
  return [...wordsTo(peer), ...spotlights(peer), ...powersOver(peer)];
}

/** @type {(peer: PersonHere) => MenuItem[]} */
function spotlights(peer) {
  /** @type {MenuItem[]} */
  const actions = [];
  if (isLit(peer) && isSpotlightHidden()) actions.push({ label: gettext("Show the spotlight"), action: showSpotlight });
  if (mayEndSpotlight()) {
    const seen = spotlightVersion();
    const next = isLit(peer) ? null : peer;
    const label = next ? gettext("Spotlight for everyone") : gettext("End spotlight for everyone");
    actions.push({ label, action: () => spotlight(next, seen) });
  }
  return actions;
}

/** @type {(peer: PersonHere) => MenuItem[]} */
function ownActions(peer) {
  const self = { label: gettext("Change name or status"), action: () => editSelf(peer) };
  // A hand that is up can be lowered, also by who may not raise one any more.
  if (!permissions().raiseHand && !peer.isHandRaised) return [self];
  const label = peer.isHandRaised ? gettext("Lower hand") : gettext("Raise hand");
  return [self, { label, action: turnOwnHand }];
}

/** @type {(peer: PersonHere) => MenuItem[]} */
function wordsTo(peer) {
  const write = () => {
    closeSheet();
    writeTo(peer);
  };
  return permissions().sendMessages ? [{ label: gettext("Message privately"), action: write }] : [];
}

/** @type {(peer: PersonHere) => MenuItem[]} */
function powersOver(peer) {
  const { removeOthers, changeRole } = permissions();
  /** @type {MenuItem[]} */
  const actions = [];
  if (removeOthers && peer.isHandRaised)
    actions.push({ label: gettext("Lower hand"), action: () => lowerHand(peer.tabs) });
  if (changeRole) {
    for (const role of getState(selectAvailableRoleNames)) {
      if (role === peer.roleName) continue;
      actions.push({
        label: filled(gettext("Make {role}"), { role: roleText(role) }),
        action: () => giveRole(peer, role),
      });
    }
  }
  if (removeOthers) actions.push({ label: gettext("Remove from the room"), danger: true, action: () => remove(peer) });
  return actions;
}

/**
 * Gives somebody a role; asks first if they gain power by it.
 * @type {(peer: HMSPeer, role: string) => Promise<void>}
 */
async function giveRole(peer, role) {
  const points = powersOf(role, peer.roleName);
  const sure =
    !points.length ||
    (await confirm({
      title: fill(gettext("Make {name} {role}?"), { name: who(peer), role: make("bdi", {}, roleText(role)) }),
      text: gettext("They will be able to:"),
      points,
      action: gettext("Change the role"),
    }));
  if (sure) await attempt(() => hmsActions.changeRoleOfPeer(peer.id, role, true), gettext("Role not changed. {why}"));
}

/** @param {HMSPeer} peer */
async function remove(peer) {
  const reason = await askFor({
    title: fill(gettext("Remove {name}?"), { name: who(peer) }),
    text: gettext("They leave the room at once, and stay out until somebody lets them in again."),
    action: gettext("Remove"),
    danger: true,
    wanted: gettext("Reason, which they are told"),
  });
  if (reason !== null) await attempt(() => hmsActions.removePeer(peer.id, reason), gettext("Not removed. {why}"));
}

/** @param {HMSPeer} peer */
async function editSelf(peer) {
  const held = statusOf(peer);
  const said = await askAboutSelf({ name: peer.name, status: held });
  if (!said) return;
  if (said.name && said.name !== peer.name)
    await attempt(() => hmsActions.changeName(said.name), gettext("Name not changed. {why}"));
  if (said.status !== held)
    await attempt(() => hmsActions.changeMetadata({ status: said.status }), gettext("Status not changed. {why}"));
}
