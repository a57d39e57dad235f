// Who is here: oneself first, then by role, raised hands in their order; and what one may do about them.

import {
  hmsActions,
  hmsNotifications,
  hmsStore,
  selectAvailableRoleNames,
  selectHandRaisedPeers,
  selectLocalPeer,
  selectPeerCount,
  selectPeers,
  selectPermissions,
  selectRolesMap,
} from "../hms.js";
import { avatar } from "./avatar.js";
import { writeTo } from "./composer.js";
import { askAboutSelf, confirm } from "./dialogs.js";
import { arrange, eachFrame, icon, make, part, setText } from "./dom.js";
import { toggleMenu } from "./menu.js";
import { selectSpotlight, spotlight } from "./spotlight.js";
import { closeSheet } from "./panel.js";
import { attempt, toast } from "./toasts.js";

const SEARCH_FROM = 20; // people
const SHOWN = 200; // people; the rest is found by the search

const rows = { list: new Map(), hands: new Map() }; // peer id → {element, update}

export function startPeople() {
  const drawSoon = eachFrame(drawPeople);
  hmsStore.subscribe(drawSoon, selectPeers);
  hmsStore.subscribe(drawSoon, selectRolesMap);
  hmsStore.subscribe(drawSoon, selectSpotlight);
  hmsStore.subscribe(drawSoon, selectPeerCount);
  part("people-search").addEventListener("input", drawPeople);
  part("hand").addEventListener("click", () => raiseOwnHand(!hmsStore.getState(selectLocalPeer).isHandRaised));
  part("lower-all").addEventListener("click", () => {
    for (const peer of hmsStore.getState(selectHandRaisedPeers)) lowerHand(peer);
  });
  hmsNotifications.onNotification(({ data: peer }) => {
    if (peer.isHandRaised && !peer.isLocal) toast(`${peer.name} raised a hand.`);
    if (!peer.isHandRaised && peer.isLocal) toast("Your hand is down.");
  }, "HAND_RAISE_CHANGED");
}

export function drawPeople() {
  const peers = hmsStore.getState(selectPeers).filter(Boolean);
  const raised = hmsStore.getState(selectHandRaisedPeers);
  const count = hmsStore.getState(selectPeerCount);
  setText(part("people-count"), String(count));
  part("people-toggle").setAttribute("aria-label", `People, ${count} in the room`);
  part("empty-alone").hidden = count > 1;
  drawOwnHand();

  const search = part("people-search");
  search.hidden = peers.length <= SEARCH_FROM;
  const wanted = search.hidden ? "" : search.value.trim().toLocaleLowerCase();
  const found = ordered(peers).filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  drawList("list", part("people-list"), found.slice(0, SHOWN));
  const more = found.length - SHOWN;
  part("people-more").hidden = more <= 0;
  setText(part("people-more"), `and ${more} more`);

  drawList("hands", part("hands-list"), raised);
  part("hands").hidden = !raised.length;
  part("lower-all").hidden = !isModerator();
}

function ordered(peers) {
  const roles = hmsStore.getState(selectRolesMap);
  const rank = (peer) => (peer.isLocal ? -1 : (roles[peer.roleName]?.priority ?? Number.MAX_SAFE_INTEGER));
  return [...peers].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

function drawList(kind, list, peers) {
  const held = rows[kind];
  const present = new Set(peers.map(({ id }) => id));
  for (const id of held.keys()) if (!present.has(id)) held.delete(id);
  arrange(
    list,
    peers.map((peer) => {
      if (!held.has(peer.id)) held.set(peer.id, row(peer.id));
      held.get(peer.id).update(peer);
      return held.get(peer.id).element;
    }),
  );
}

function row(id) {
  const mark = make("span", { class: "mark" });
  const name = make("span", { class: "person-name", dir: "auto" });
  const role = make("span", { class: "role" });
  const status = make("span", { class: "person-status", dir: "auto" });
  const away = make("span", { class: "away" }, "reconnecting…");
  const star = make(
    "span",
    { class: "badge", title: "In the spotlight" },
    icon("spotlight"),
    make("span", { class: "unseen" }, "in the spotlight"),
  );
  const hand = make(
    "span",
    { class: "badge hand", title: "Hand raised" },
    icon("hand"),
    make("span", { class: "unseen" }, "hand raised"),
  );
  const menu = make(
    "button",
    { class: "icon-button", type: "button", "aria-haspopup": "menu", "aria-expanded": "false" },
    icon("more"),
  );
  let peer = null;
  menu.addEventListener("click", () => toggleMenu(menu, actionsFor(peer)));
  const element = make(
    "li",
    { class: "person" },
    mark,
    make(
      "span",
      { class: "person-text" },
      make("span", { class: "person-line" }, name, role, star, hand),
      status,
      away,
    ),
    menu,
  );
  element.dataset.peer = id;

  const update = (next) => {
    if (peer?.name !== next.name) mark.replaceChildren(avatar({ id: next.customerUserId ?? id, name: next.name }));
    peer = next;
    setText(name, next.isLocal ? `${next.name} (you)` : next.name);
    setText(role, next.roleName ?? "");
    setText(status, statusOf(next));
    status.hidden = !status.textContent;
    away.hidden = next.state !== "reconnecting";
    element.classList.toggle("reconnecting", next.state === "reconnecting");
    star.hidden = hmsStore.getState(selectSpotlight) !== id;
    hand.hidden = !next.isHandRaised;
    menu.setAttribute("aria-label", `Actions for ${next.name}`);
  };
  return { element, update };
}

/** What the peer says of itself; others may have stored anything. */
export function statusOf({ metadata }) {
  try {
    const { status } = JSON.parse(metadata || "{}") ?? {};
    return typeof status === "string" ? status : "";
  } catch {
    return "";
  }
}

const permissions = () => hmsStore.getState(selectPermissions) ?? {};
const isModerator = () => Boolean(permissions().removeOthers);

function actionsFor(peer) {
  const { writeMetadata, raiseHand, removeOthers, changeRole, sendMessages } = permissions();
  const actions = [];
  if (peer.isLocal) {
    actions.push({ label: "Change name or status", action: () => editSelf(peer) });
    if (raiseHand || peer.isHandRaised) {
      actions.push({
        label: peer.isHandRaised ? "Lower hand" : "Raise hand",
        action: () => raiseOwnHand(!peer.isHandRaised),
      });
    }
  } else if (sendMessages) {
    const write = () => {
      closeSheet();
      writeTo(peer.id);
    };
    actions.push({ label: "Message privately", action: write });
  }
  if (writeMetadata) {
    const isLit = hmsStore.getState(selectSpotlight) === peer.id;
    actions.push({
      label: isLit ? "End spotlight" : "Spotlight for everyone",
      action: () => spotlight(isLit ? null : peer.id),
    });
  }
  if (peer.isLocal) return actions;
  if (removeOthers && peer.isHandRaised) actions.push({ label: "Lower hand", action: () => lowerHand(peer) });
  if (changeRole) {
    for (const role of hmsStore.getState(selectAvailableRoleNames)) {
      if (role === peer.roleName) continue;
      const change = () => attempt(() => hmsActions.changeRoleOfPeer(peer.id, role, true), "Role not changed");
      actions.push({ label: `Make ${role}`, action: change });
    }
  }
  if (removeOthers) actions.push({ label: "Remove from the room", danger: true, action: () => remove(peer) });
  return actions;
}

async function remove(peer) {
  const sure = await confirm({
    title: `Remove ${peer.name}?`,
    text: `${peer.name} leaves the room at once, and can come back with the link.`,
    action: "Remove",
  });
  if (sure) await attempt(() => hmsActions.removePeer(peer.id, "removed by the host"), "Not removed");
}

async function editSelf(peer) {
  const held = statusOf(peer);
  const said = await askAboutSelf({ name: peer.name, status: held });
  if (!said) return;
  if (said.name && said.name !== peer.name) await attempt(() => hmsActions.changeName(said.name), "Name not changed");
  if (said.status !== held)
    await attempt(() => hmsActions.changeMetadata({ status: said.status }), "Status not changed");
}

const raiseOwnHand = (up) =>
  attempt(() => (up ? hmsActions.raiseLocalPeerHand() : hmsActions.lowerLocalPeerHand()), "Hand not changed");

const lowerHand = (peer) =>
  attempt(
    () => (peer.isLocal ? hmsActions.lowerLocalPeerHand() : hmsActions.lowerRemotePeerHand(peer.id)),
    "Hand not lowered",
  );

function drawOwnHand() {
  const local = hmsStore.getState(selectLocalPeer);
  if (!local) return;
  part("hand").hidden = !permissions().raiseHand && !local.isHandRaised;
  part("hand").setAttribute("aria-pressed", String(local.isHandRaised));
  setText(part("hand-label"), local.isHandRaised ? "Lower hand" : "Raise hand");
}
