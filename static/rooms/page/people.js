// Who is here: oneself first, then by role, raised hands in their order; and what one may do about them.

import {
  hmsActions,
  hmsStore,
  selectAvailableRoleNames,
  selectPeerCount,
  selectPeers,
  selectPermissions,
  selectRemoved,
  selectRolesMap,
  selectRoom,
} from "../hms.js";
import { avatar } from "./avatar.js";
import { writeTo } from "./composer.js";
import { askAboutSelf, askFor, confirm } from "./dialogs.js";
import { arrange, eachFrame, icon, make, part, setParts, setText } from "./dom.js";
import { drawOwnHand, lowerHand, startHands, turnOwnHand } from "./hands.js";
import { toggleMenu } from "./menu.js";
import { closeSheet } from "./panel.js";
import { persons } from "./persons.js";
import { powersOf } from "./powers.js";
import { roleText } from "./roles.js";
import { selectMaySpotlight, selectSpotlight, spotlight, spotlightVersion } from "./spotlight.js";
import { fill, filled, fullTime } from "./text.js";
import { attempt, toast } from "./toasts.js";
import { gettext, ngettext } from "./translation.js";
import { isReader, labelName, meet, nameOf, who, writeName } from "./who.js";

/** @import { HMSPeer, HMSRemoved } from "../hms.js" */
/** @import { MenuItem, PersonHere } from "./types.js" */

/** @typedef {{ element: HTMLElement, update: (person: PersonHere) => void }} Row */

const SEARCH_FROM = 20; // people
const SHOWN = 200; // people; the rest is found by the search

/** @type {{ list: Map<string, Row>, hands: Map<string, Row> }} */
const rows = { list: new Map(), hands: new Map() }; // peer id → {element, update}
/** @type {Map<string, HTMLElement>} */
const removed = new Map(); // person → its row among those who were removed
let rolesDiffer = false; // among those who are here: else a role says nothing

export function startPeople() {
  const drawSoon = eachFrame(drawPeople);
  hmsStore.subscribe(drawSoon, selectPeers);
  hmsStore.subscribe(drawSoon, selectRolesMap);
  hmsStore.subscribe(drawSoon, selectSpotlight);
  hmsStore.subscribe(drawSoon, selectPeerCount);
  hmsStore.subscribe(drawRemoved, (store) => [selectRemoved(store), selectPermissions(store)]);
  part("people-search").addEventListener("input", drawPeople);
  startHands();
}

export function drawPeople() {
  const all = hmsStore.getState(selectPeers).filter(Boolean);
  all.forEach(meet);
  const people = persons(all);
  const raised = people.filter(({ isHandRaised }) => isHandRaised);
  raised.sort((a, b) => Number(a.raisedAt) - Number(b.raisedAt));
  const count = hmsStore.getState(selectPeerCount) - (all.length - people.length);
  setText(part("people-count"), count);
  part("people-toggle").setAttribute("aria-label", filled(gettext("People, {count} in the room"), { count }));
  part("empty-alone").hidden = count > 1;
  drawOwnHand();

  const search = part("people-search");
  search.hidden = people.length <= SEARCH_FROM;
  const wanted = search.hidden ? "" : search.value.trim().toLocaleLowerCase();
  const found = ordered(people).filter((peer) => nameOf(peer).toLocaleLowerCase().includes(wanted));
  rolesDiffer = new Set(all.map(({ roleName }) => roleName)).size > 1;
  drawList("list", part("people-list"), found.slice(0, SHOWN));
  const more = found.length - SHOWN;
  part("people-more").hidden = more <= 0 && found.length > 0;
  const rest = filled(gettext("and {count} more"), { count: Math.max(more, 0) });
  setText(part("people-more"), found.length ? rest : gettext("Nobody here has that name."));

  drawList("hands", part("hands-list"), raised);
  part("hands").hidden = !raised.length;
  part("lower-all").hidden = !isModerator();
}

/** @type {(peers: PersonHere[]) => PersonHere[]} */
function ordered(peers) {
  const roles = hmsStore.getState(selectRolesMap);
  /** @param {HMSPeer} peer */
  const rank = (peer) => (peer.isLocal ? -1 : (roles[peer.roleName ?? ""]?.priority ?? Number.MAX_SAFE_INTEGER));
  return [...peers].sort((a, b) => rank(a) - rank(b) || nameOf(a).localeCompare(nameOf(b)));
}

/** @type {(kind: keyof typeof rows, list: HTMLElement, peers: PersonHere[]) => void} */
function drawList(kind, list, peers) {
  const held = rows[kind];
  const present = new Set(peers.map(({ id }) => id));
  for (const id of held.keys()) if (!present.has(id)) held.delete(id);
  arrange(
    list,
    peers.map((peer) => {
      const shown = held.get(peer.id) ?? row();
      held.set(peer.id, shown);
      shown.update(peer);
      return shown.element;
    }),
  );
}

const MENU = { class: "icon-button", type: "button", "aria-haspopup": "menu", "aria-expanded": "false" };

/** @returns {Row} */
function row() {
  const parts = {
    mark: make("span", { class: "mark" }),
    name: make("span", { class: "person-name who", dir: "auto" }),
    role: make("span", { class: "role" }),
    status: make("span", { class: "person-status", dir: "auto" }),
    away: make("span", { class: "away" }, gettext("reconnecting…")),
    tabs: make("span", { class: "soft" }),
    star: badge("spotlight", gettext("In the spotlight")),
    hand: badge("hand", gettext("Hand raised"), "hand"),
    menu: make("button", MENU, icon("more")),
  };
  const { mark, name, role, status, away, tabs, star, hand, menu } = parts;
  const line = make("span", { class: "person-line" }, name, role, star, hand);
  const text = make("span", { class: "person-text" }, line, status, tabs, away);
  const element = make("li", { class: "person" }, mark, text, menu);
  /** @type {PersonHere | null} */
  let peer = null;
  menu.addEventListener("click", () => peer && toggleMenu(menu, actionsFor(peer)));

  /** @param {PersonHere} next */
  const update = (next) => {
    // An avatar is drawn anew only for another name: it costs more than all the rest of a row.
    if (peer?.name !== next.name || peer?.person !== next.person) nameRow(parts, next);
    peer = next;
    element.classList.toggle("reconnecting", next.state === "reconnecting");
    fillRow(parts, next);
  };
  return { element, update };
}

/** @type {(name: string, title: string, kind?: string) => HTMLElement} */
function badge(name, title, kind = "") {
  const said = make("span", { class: "unseen" }, title);
  return make("span", { class: `badge ${kind}`.trim(), title }, icon(name), said);
}

/** @type {(parts: { mark: HTMLElement, name: HTMLElement, menu: HTMLElement }, peer: PersonHere) => void} */
function nameRow({ mark, name, menu }, peer) {
  mark.replaceChildren(avatar(peer));
  writeName(name, peer, { isOwn: isReader(peer) });
  labelName(menu, gettext("Actions for {name}"), peer);
}

/** @type {(parts: { [Part in "role" | "status" | "tabs" | "away" | "star" | "hand"]: HTMLElement }, peer: PersonHere) => void} */
function fillRow({ role, status, tabs, away, star, hand }, peer) {
  setText(role, roleText(peer.roleName));
  role.hidden = !rolesDiffer;
  setText(status, statusOf(peer));
  const count = peer.tabs.filter(({ state }) => state === "connected").length; // one that is away may be closed
  setText(tabs, count > 1 ? filled(ngettext("in {count} tab", "in {count} tabs", count), { count }) : "");
  tabs.hidden = count < 2;
  status.hidden = !status.textContent;
  away.hidden = peer.state !== "reconnecting";
  star.hidden = !isLit(peer);
  hand.hidden = !peer.isHandRaised;
}

/** @param {PersonHere} peer */
const isLit = (peer) => peer.tabs.some(({ id }) => id === hmsStore.getState(selectSpotlight));

/**
 * What the peer says of itself; others may have stored anything.
 * @param {HMSPeer} peer
 */
function statusOf({ metadata }) {
  try {
    const { status } = JSON.parse(metadata || "{}") ?? {};
    return typeof status === "string" ? status : "";
  } catch {
    return "";
  }
}

/** @returns {NonNullable<ReturnType<typeof selectPermissions>>} */
const permissions = () => hmsStore.getState(selectPermissions) ?? {};
const isModerator = () => Boolean(permissions().removeOthers);

/**
 * What can be done to somebody, by those who may: first what concerns oneself or all, then what is done to others.
 * @param {PersonHere} peer
 */
function actionsFor(peer) {
  /** @type {MenuItem[]} */
  const spotlights = [];
  if (hmsStore.getState(selectMaySpotlight)) {
    const seen = spotlightVersion();
    const next = isLit(peer) ? null : peer;
    const label = next ? gettext("Spotlight for everyone") : gettext("End spotlight");
    spotlights.push({ label, action: () => spotlight(next, seen) });
  }
  if (peer.isLocal) return [...ownActions(peer), ...spotlights];
  return [...wordsTo(peer), ...spotlights, ...powersOver(peer)];
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
    for (const role of hmsStore.getState(selectAvailableRoleNames)) {
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

/** Those who were removed, for whoever may let them in again. */
function drawRemoved() {
  const held = isModerator() ? hmsStore.getState(selectRemoved) : [];
  const persons = new Set(held.map(({ person }) => person));
  for (const person of removed.keys()) if (!persons.has(person)) removed.delete(person);
  part("removed").hidden = !held.length;
  arrange(
    part("removed-list"),
    held.map((one) => {
      const element = removed.get(one.person) ?? removedRow(one);
      removed.set(one.person, element);
      return element;
    }),
  );
}

/** @param {HMSRemoved} removed */
function removedRow({ person, name, role, reason, removedBy, removedByPerson, removedAt }) {
  const one = { person, name };
  const back = make("button", { class: "button small", type: "button" }, gettext("Let in again"));
  labelName(back, gettext("Let in again: {name}"), one);
  back.addEventListener("click", () => letIn(one));
  const by = make("span", { class: "person-status", title: removedAt && fullTime(removedAt) });
  const host = removedBy && who({ name: removedBy, person: removedByPerson });
  setParts(by, host ? fill(gettext("Removed by {name}"), { name: host }) : [gettext("Removed")]);
  const line = make("span", { class: "person-line" }, who(one), make("span", { class: "role" }, roleText(role)));
  const why = make("span", { class: "person-status", dir: "auto" }, reason);
  return make("li", { class: "person" }, avatar(one), make("span", { class: "person-text" }, line, by, why), back);
}

/** @param {{ person: string, name: string }} one */
const letIn = (one) =>
  attempt(async () => {
    await hmsActions.letIn(one.person);
    if (hmsStore.getState(selectRoom).locked)
      toast(fill(gettext("{name} can come back. For all others the room stays locked."), { name: who(one) }));
  }, gettext("Not let in. {why}"));

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
