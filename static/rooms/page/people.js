// Who is here: oneself first, then by role, raised hands in their order. later/person_menu.js is what can be done to them.

import { getState, selectPeerCount, selectPeers, selectPermissions, selectRolesMap, subscribe } from "../core.js";
import { avatar } from "./avatar.js";
import { arrange, eachFrame, icon, make, onClick, part, setText } from "./dom.js";
import { drawOwnHand, startHands } from "./hands.js";
import { openAt } from "./opening.js";
import { persons } from "./persons.js";
import { roleText } from "./roles.js";
import { selectSpotlight } from "./spotlight.js";
import { byName, filled } from "./text.js";
import { gettext, ngettext } from "./translation.js";
import { isReader, labelName, meet, nameOf, writeName } from "./who.js";

/** @import { HMSPeer } from "../hms.js" */
/** @import { PersonHere } from "./types.js" */

/** @typedef {{ element: HTMLElement, update: (person: PersonHere) => void }} Row */

const SEARCH_FROM = 20; // people
const SHOWN = 200; // people; the rest is found by the search

/** @type {{ list: Map<string, Row>, hands: Map<string, Row> }} */
const rows = { list: new Map(), hands: new Map() }; // peer id → {element, update}
let rolesDiffer = false; // among those who are here: else a role says nothing

export function startPeople() {
  const drawSoon = eachFrame(drawPeople);
  subscribe(drawSoon, selectPeers);
  subscribe(drawSoon, selectRolesMap);
  subscribe(drawSoon, selectSpotlight);
  subscribe(drawSoon, selectPeerCount);
  part("people-search").addEventListener("input", drawPeople);
  startHands();
}

export function drawPeople() {
  const all = getState(selectPeers).filter(Boolean);
  all.forEach(meet);
  const people = persons(all);
  const raised = people.filter(({ isHandRaised }) => isHandRaised);
  raised.sort((a, b) => Number(a.raisedAt) - Number(b.raisedAt));
  const count = getState(selectPeerCount) - (all.length - people.length);
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
  const roles = getState(selectRolesMap);
  /** @param {HMSPeer} peer */
  const rank = (peer) => (peer.isLocal ? -1 : (roles[peer.roleName ?? ""]?.priority ?? Number.MAX_SAFE_INTEGER));
  return [...peers].sort((a, b) => rank(a) - rank(b) || byName(nameOf(a), nameOf(b)));
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
  onClick(menu, () => {
    const chosen = peer;
    if (chosen) openAt(menu, ({ togglePersonMenu }) => togglePersonMenu(menu, chosen));
  });

  /** @param {PersonHere} next */
  const update = (next) => {
    // An avatar is drawn anew only for another name: it costs more than all the rest of a row.
    if (peer?.name !== next.name || peer?.person !== next.person) nameRow(parts, next);
    peer = next;
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
  name.title = nameOf(peer); // it may be cut
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
export const isLit = (peer) => peer.tabs.some(({ id }) => id === getState(selectSpotlight));

/**
 * What the peer says of itself; others may have stored anything.
 * @param {HMSPeer} peer
 */
export function statusOf({ metadata }) {
  try {
    const { status } = JSON.parse(metadata || "{}") ?? {};
    return typeof status === "string" ? status : "";
  } catch {
    return "";
  }
}

/** @returns {NonNullable<ReturnType<typeof selectPermissions>>} */
export const permissions = () => getState(selectPermissions) ?? {};
export const isModerator = () => Boolean(permissions().removeOthers);
