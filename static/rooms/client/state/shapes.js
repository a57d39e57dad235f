// From what the server passes on to plain objects of the state. Other people wrote most of it, so each field is looked
// at before it is used: one of another kind counts as missing.

/** @import { HMSLimits, HMSMetadataRules, HMSReaction, HMSSessionEntry } from "../../hms.js" */
/** @import { Lock, Message, Peer, Removed, Wire } from "./types.js" */

export const HAND_RAISE = "_handraise";
const LAST_MOMENT = 8.64e15; // ms: what a Date can hold

/** @param {unknown} value */
export const text = (value) => (typeof value === "string" ? value : undefined);

/** @type {(value: unknown) => unknown[]} */
export const list = (value) => (Array.isArray(value) ? value : []);

/** @type {(value: unknown) => string[] | undefined} */
export const texts = (value) => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : undefined);

/** @type {(value: unknown) => number | undefined} */
export const number = (value) => (typeof value === "number" && Number.isFinite(value) ? value : undefined);

/** @param {unknown} value */
export const flag = (value) => (typeof value === "boolean" ? value : undefined);

/** @param {unknown} value */
export function moment(value) {
  const found = number(value);
  return found !== undefined && Math.abs(found) <= LAST_MOMENT ? found : undefined;
}

/** @type {(value: unknown) => Wire} */
export const record = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? /** @type {Wire} */ (value) : {};

/**
 * The entries of a list that are objects.
 * @param {unknown} value
 */
export const records = (value) =>
  list(value).filter(/** @type {(one: unknown) => one is Wire} */ ((one) => typeof one === "object" && one !== null));

/**
 * A peer over what was known of it; what is not said stays.
 * @param {string} id
 * @param {Wire} wire
 * @param {Peer} [held]
 * @returns {Peer}
 */
export function peerFrom(id, wire, held, seq = 0) {
  const info = record(wire.info);
  const groups = texts(wire.groups) ?? held?.groups ?? [];
  const raised = groups.includes(HAND_RAISE);
  return {
    id,
    person: text(wire.person) ?? held?.person,
    name: text(info.name) ?? held?.name ?? "",
    role: text(wire.role) ?? held?.role,
    data: text(info.data) ?? held?.data ?? "",
    userId: text(info.user_id) ?? held?.userId,
    type: text(info.type) ?? held?.type ?? "regular",
    joinedAt: moment(wire.joined_at) ?? held?.joinedAt ?? null,
    state: text(wire.state) ?? held?.state ?? "connected",
    groups,
    // The order in which hands went up.
    raisedAt: raised ? (number(wire.hand_raised_at) ?? held?.raisedAt ?? seq) : null,
  };
}

/**
 * @param {string} id
 * @param {Wire} wire
 * @param {string} receiver the id of the peer that got it
 * @returns {Message}
 */
export function messageFrom(id, wire, receiver) {
  const [sender, info] = [record(wire.peer), record(wire.info)];
  const [mentions, replyTo] = [texts(wire.mentions), text(wire.reply_to)];
  const [editedAt, reactions] = [moment(wire.edited_at), reactionsFrom(wire.reactions)];
  return {
    id,
    sender: text(sender.peer_id),
    senderPerson: text(sender.person),
    senderName: text(record(sender.info).name),
    senderUserId: text(record(sender.info).user_id),
    senderRole: text(sender.role),
    recipientPeer: wire.private === true ? receiver : undefined,
    recipientRoles: texts(wire.roles),
    time: moment(wire.timestamp) ?? 0,
    read: false,
    type: text(info.type) ?? "",
    message: text(info.message) ?? "",
    ...(mentions && { mentions }),
    ...(replyTo !== undefined && { replyTo }),
    ...(editedAt !== undefined && { editedAt }),
    ...(reactions.length && { reactions }),
  };
}

/**
 * @param {unknown} wire
 * @returns {HMSReaction[]}
 */
const reactionsFrom = (wire) =>
  records(wire).flatMap(({ emoji, count, persons }) => {
    const [shown, many] = [text(emoji), number(count)];
    return shown === undefined || many === undefined
      ? []
      : [{ emoji: shown, count: many, persons: texts(persons) ?? [] }];
  });

/**
 * An entry, without what an answer says beside it.
 * @type {(wire: HMSSessionEntry) => HMSSessionEntry}
 */
export const entryFrom = ({ seq, history, ...entry }) => ({ ...entry, data: entry.data ?? null });

/**
 * @param {Wire} wire
 * @returns {wire is Wire & HMSSessionEntry}
 */
export function isEntry(wire) {
  return typeof wire.key === "string" && Number.isInteger(wire.change_version);
}

/**
 * Rules of session metadata, which the server checked when they were set.
 * @param {unknown} wire
 * @returns {HMSMetadataRules}
 */
export function rulesFrom(wire) {
  const { rules, room_rules: own } = record(wire);
  const all = /** @type {any[]} */ (records(rules)).filter(({ key }) => text(key) !== undefined);
  const room = all.slice(0, number(own) ?? 0);
  return { room, template: all.slice(room.length) };
}

/**
 * A lock, if somebody holds it.
 * @param {Wire} wire
 * @returns {Lock | undefined}
 */
export function lockFrom(wire) {
  const [name, holder, token] = [text(wire.name), text(wire.holder), number(wire.token)];
  if (name === undefined || holder === undefined || token === undefined) return undefined;
  return { name, holder, token, expiresAt: moment(wire.expires_at) ?? null };
}

/**
 * What the server allows, under the names of JavaScript.
 * @param {unknown} wire
 */
export function limitsFrom(wire) {
  const camel = (/** @type {string} */ name) => name.replace(/_([a-z])/gu, (_, letter) => letter.toUpperCase());
  const said = Object.entries(record(wire)).filter(([, value]) => number(value) !== undefined);
  return /** @type {HMSLimits} */ (Object.fromEntries(said.map(([name, value]) => [camel(name), value])));
}

/**
 * Somebody who was removed, as those who may remove others are told.
 * @param {string} person
 * @param {Wire} wire
 * @returns {Removed}
 */
export const removedFrom = (person, wire) => ({
  person,
  name: text(wire.name) ?? "",
  role: text(wire.role),
  reason: text(wire.reason) ?? "",
  removedBy: text(wire.removed_by) ?? "",
  removedByPerson: text(wire.removed_by_person) ?? "",
  removedAt: moment(wire.removed_at) ?? null,
});
