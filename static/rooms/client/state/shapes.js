// From what the server passes on to plain objects of the state. Other people wrote most of it, so each field is looked
// at before it is used: one of another kind counts as missing.

export const HAND_RAISE = "_handraise";
const LAST_MOMENT = 8.64e15; // ms: what a Date can hold

export const text = (value) => (typeof value === "string" ? value : undefined);
export const list = (value) => (Array.isArray(value) ? value : []);
export const texts = (value) => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : undefined);
export const number = (value) => (Number.isFinite(value) ? value : undefined);
export const moment = (value) => (Math.abs(number(value)) <= LAST_MOMENT ? value : undefined);
export const record = (value) => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {});
/** The entries of a list that are objects. */
export const records = (value) => list(value).filter((one) => typeof one === "object" && one !== null);

/** A peer over what was known of it; what is not said stays. */
export function peerFrom(wire, held, seq = 0) {
  const info = record(wire.info);
  const groups = texts(wire.groups) ?? held?.groups ?? [];
  const raised = groups.includes(HAND_RAISE);
  return {
    id: wire.peer_id,
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

/** @param receiver the id of the peer that got it */
export function messageFrom(wire, receiver) {
  const [sender, info] = [record(wire.peer), record(wire.info)];
  return {
    id: wire.message_id,
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
  };
}

export const entryFrom = (wire) => ({ ...wire, data: wire.data ?? null });

export const isEntry = (wire) => typeof wire?.key === "string" && Number.isInteger(wire.change_version);

/** Somebody who was removed, as those who may remove others are told. */
export const removedFrom = (wire) => ({
  person: wire.person,
  name: text(wire.name) ?? "",
  role: text(wire.role),
  reason: text(wire.reason) ?? "",
  removedBy: text(wire.removed_by) ?? "",
  removedByPerson: text(wire.removed_by_person) ?? "",
  removedAt: moment(wire.removed_at) ?? null,
});
