// The person in the spotlight, as a card over the messages, and putting somebody there. The entry is that of who is shown,
// so that it ends when they leave; the server gives it to another tab of theirs, if there is one.

import { getState, subscribe } from "../../core.js";
import {
  hmsActions,
  selectHandRaisedPeers,
  selectHMSMessages,
  selectPeerMetadata,
  selectPermissions,
} from "../../hms.js";
import { avatar } from "../avatar.js";
import { eachFrame, part, setHidden, setText } from "../dom.js";
import { raisedBy } from "../hands.js";
import { keepPlace } from "../log/reading.js";
import { SPOTLIGHT_KEY, selectLit } from "../spotlight.js";
import { fill } from "../text.js";
import { attempt, toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { isReader, personOf, who, writeName } from "../who.js";
import { confirm } from "./dialogs.js";
import { hideSpotlight, isSpotlightHidden, showSpotlight, startHiddenSpotlight } from "./hidden_spotlight.js";
import { startSpotlightNews } from "./spotlight_news.js";
import { mayEndSpotlight, selectEntry, selectMaySpotlight, selectSetter } from "./spotlight_rights.js";

/** @import { HMSMessage, HMSPeer } from "../../hms.js" */

export function startSpotlight() {
  subscribe(drawSpotlight, (store) => [
    selectLit(store),
    selectMaySpotlight(store),
    selectPermissions(store),
    selectSetter(store),
    selectHandRaisedPeers(store),
  ]);
  subscribe(
    eachFrame(() => getState(selectLit) && keepPlace(drawWords)),
    ({ messages }) => messages,
    Object.is,
  );
  part("spotlight-end").addEventListener("click", () => spotlight(null, spotlightVersion()));
  part("spotlight-hide").addEventListener("click", hide);
  startHiddenSpotlight(drawSpotlight);
  startSpotlightNews();
  drawSpotlight();
}

/** Puts the spotlight out of sight, for oneself. */
function hide() {
  hideSpotlight();
  toast(gettext("Hidden for you. The person's menu in the list of people shows it again."), {
    label: gettext("Undo"),
    action: showSpotlight,
  });
}

export const spotlightVersion = () => getState(selectEntry)?.change_version ?? 0;

/**
 * Puts a peer into the spotlight; null ends it. Asks first if there is somebody else in it than at the version that
 * the person has seen who chose.
 * @param {HMSPeer | null} peer
 * @param {number} seen
 */
export function spotlight(peer, seen) {
  return attempt(() => put(peer, seen), gettext("Spotlight not changed. {why}"));
}

/** @type {(peer: HMSPeer | null, seen: number) => Promise<void>} */
async function put(peer, seen) {
  const terms = peer ? /** @type {const} */ ({ owner: peer.id, onLeave: "null" }) : {};
  try {
    await hmsActions.sessionStore.set(SPOTLIGHT_KEY, peer?.id ?? null, { ...terms, ifChangeVersion: seen });
  } catch (error) {
    const stands = spotlightVersion();
    if (/** @type {{ code?: number }} */ (error).code !== 409 || stands === seen) throw error;
    if (await isTaken(peer)) await put(peer, stands);
  }
}

/**
 * Whether a choice that another one was before is to count.
 * @param {HMSPeer | null} mine
 */
async function isTaken(mine) {
  const theirs = getState(selectLit);
  if (!theirs) return mine !== null; // nobody is there whom it would displace
  if (mine && personOf(mine) === personOf(theirs)) return false;
  const by = getState(selectSetter);
  const name = by ? who(by) : gettext("Somebody else");
  if (!mayEndSpotlight()) {
    toast(fill(gettext("Spotlight not changed. {name} was faster than you."), { name }));
    return false;
  }
  return confirm({
    title: gettext("The spotlight was changed meanwhile"),
    text: fill(gettext("{name} was faster than you. Whom should everybody see?"), { name }),
    values: [
      [gettext("Theirs"), who(theirs)],
      [gettext("Yours"), mine ? who(mine) : gettext("Nobody")],
    ],
    action: gettext("Use yours"),
    otherwise: gettext("Keep theirs"),
  });
}

/** What the person said last to everyone. */
function drawWords() {
  const peer = getState(selectLit);
  if (!peer) return;
  const said = getState(selectHMSMessages).findLast((message) => isWordOf(peer, message));
  setText(part("spotlight-words"), said?.message);
}

/** @type {(peer: HMSPeer, message: HMSMessage) => boolean} */
const isWordOf = (peer, { type, sender, senderPerson, recipientPeer, recipientRoles }) =>
  type === "chat" &&
  personOf({ id: sender, person: senderPerson }) === personOf(peer) &&
  !recipientPeer &&
  !recipientRoles?.length;

const drawSpotlight = () => keepPlace(drawCard);

function drawCard() {
  const peer = getState(selectLit);
  setHidden(part("spotlight"), !peer || isSpotlightHidden(), part("scroller"));
  if (!peer) {
    for (const name of ["spotlight-name", "spotlight-status", "spotlight-words"]) part(name).replaceChildren();
    return;
  }
  const { status } = getState(selectPeerMetadata(peer.id)) ?? {};
  writeName(part("spotlight-name"), peer, { isOwn: isReader(peer) });
  setText(part("spotlight-status"), typeof status === "string" ? status : "");
  part("spotlight-hand").hidden = !raisedBy(peer).length;
  const look = JSON.stringify([personOf(peer), peer.name]);
  if (part("spotlight-mark").dataset.of !== look) part("spotlight-mark").replaceChildren(avatar(peer));
  part("spotlight-mark").dataset.of = look;
  drawWords();
  setHidden(part("spotlight-end"), !mayEndSpotlight(), part("spotlight-hide"));
}
