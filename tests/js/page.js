// Pages that have joined, with the wire that stands in for the network: see wire.js.

import { webcrypto } from "node:crypto";
import { afterEach, beforeEach } from "node:test";

import { HMSReactiveStore } from "../../static/rooms/hms.js";
import { settle, Wire } from "./wire.js";

globalThis.crypto ??= webcrypto;

export const ORIGIN = "http://rooms.test";
export let wire;
export let requests; // of fetch
export let answers; // to fetch, by path; the first of each list is used up, the last stays
let live;

export class Storage {
  #items = new Map();
  getItem = (key) => this.#items.get(key) ?? null;
  setItem = (key, value) => this.#items.set(key, value);
  removeItem = (key) => this.#items.delete(key);
  get size() {
    return this.#items.size;
  }
}

beforeEach(() => {
  wire = new Wire();
  requests = [];
  live = [];
  answers = { "/init": [[200, { endpoint: "ws://rooms.test/v2/ws", config: {} }]] };
  globalThis.sessionStorage = new Storage();
  globalThis.localStorage = new Storage();
  globalThis.WebSocket = function (url) {
    return wire.makeSocket(url);
  };
  globalThis.fetch = async (url, options = {}) => {
    const { pathname } = new URL(url);
    requests.push({ pathname, url, ...options });
    const [[status, body]] = answers[pathname].length > 1 ? answers[pathname].splice(0, 1) : answers[pathname];
    return { ok: status < 400, status, json: async () => body };
  };
});

afterEach(async () => {
  for (const actions of live) await actions.leave();
});

export const token = (claims = {}) => {
  const payload = { room_id: "r1", user_id: "alice-1", role: "host", jti: "j1", ...claims };
  return `e30.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.sig`;
};

const roles = {
  host: { name: "host", priority: 1 },
  guest: { name: "guest", permissions: {} },
};

export function newPage() {
  const hms = new HMSReactiveStore();
  const page = { store: hms.getStore(), actions: hms.getActions(), notifications: hms.getNotifications(), told: [] };
  page.notifications.onNotification(({ type, data }) => page.told.push([type, data]));
  live.push(page.actions);
  return page;
}

/** Breaks a socket; the one that the client opens instead, before anything was answered on it. */
export async function cutAndReopened(actions, socket) {
  socket.drop();
  actions.retryConnection();
  await settle();
  wire.socket.open();
  await settle();
  return wire.socket;
}

export function hearPolicy(socket, permissions = { endRoom: true }) {
  const known = { ...roles, host: { ...roles.host, permissions } };
  socket.hear({ method: "on-policy-change", params: { name: "host", known_roles: known } });
}

/** The place that a socket's address names. */
export function placeOf(socket) {
  const { peer, token: _, user_agent_v2: __, ...place } = Object.fromEntries(new URL(socket.url).searchParams);
  return "seq" in place ? { ...place, seq: Number(place.seq) } : place;
}

/** Answers everything that the client says on a new socket up to being in the room. */
export async function letIn({
  join = { session_id: "s1", seq: 5 },
  peers = {},
  metadata = { data: null, change_version: 0 },
  self = {},
  permissions = { endRoom: true },
  after = [],
} = {}) {
  await settle();
  const { socket } = wire;
  socket.open();
  const isFound = placeOf(socket).session_id === join.session_id && (join.resumed || join.resync);
  if (isFound) socket.hear({ method: "on-resume", params: join });
  hearPolicy(socket, permissions);
  await settle();
  const observed = isFound || join.resumed ? undefined : socket.request("join").params.observe;
  if (!isFound) socket.answer("join", { ...join, observed });
  await settle();
  for (const frame of after) socket.hear(frame);
  if (!join.resumed) {
    socket.hear({
      method: "peer-list",
      params: { peers, room: { name: "Team", session_id: join.session_id, started_at: 1 } },
    });
    const { name, data } = socket.request("join")?.params ?? { name: "Alice", data: "" };
    const [, id] = /peer=([^&]+)/.exec(socket.url);
    const entry = { key: "default", ...metadata };
    const peer = { peer_id: id, role: "host", groups: [], info: { name, data }, ...self };
    if (observed) {
      socket.hear({ method: "on-metadata-change", params: { values: [entry] } });
      socket.hear({ method: "on-peer-update", params: peer });
    } else {
      socket.answer("listen-metadata-change", {});
      await settle();
      socket.answer("get-metadata", entry);
      await settle();
      socket.answer("get-peer", peer);
    }
    await settle();
    if (socket.request("peers-removed")) socket.answer("peers-removed", { removed: [] });
  }
  await settle();
  return socket;
}

export async function joinedPage(options, config = {}) {
  const page = newPage();
  const joining = page.actions.join({ userName: "Alice", authToken: token(), initEndpoint: ORIGIN, ...config });
  page.socket = await letIn(options);
  await joining;
  return page;
}

/** What the client has put into the storage, once this text is in it: [key, value]. */
export async function whenWritten(text) {
  const key = "hmsroom:r1:host:alice-1";
  for (;;) {
    const value = sessionStorage.getItem(key);
    if (value?.includes(text)) return [key, value];
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The page goes away without a word once it has kept this text; the one that comes after it finds what was kept. */
export async function goneWith(text, { actions }) {
  const written = await whenWritten(text);
  await actions.leave();
  globalThis.sessionStorage = new Storage();
  sessionStorage.setItem(...written);
}
