// What was said, and what is on its way: changes of the state, see state.js.

import { same } from "../same.js";
import { Messages } from "./messages.js";
import { localPeer, withEntry, without } from "./parts.js";
import { flag, messageFrom, number, records, text, texts } from "./shapes.js";

/** @import { Gap, HeardChange, Message, OwnChange, State, Wire } from "./types.js" */

/**
 * A message as it is now; one that is not held stays so.
 * @type {(state: State, wire: Wire, change: (held: Message) => Message) => State}
 */
function changed(state, wire, change) {
  const held = state.messages.get(text(wire.message_id) ?? null);
  if (!held) return state;
  const messages = state.messages.values().map((one) => (one === held ? change(held) : one));
  return { ...state, messages: new Messages(messages) };
}

/**
 * Messages without those of these ids, which no answer names any more.
 * @type {(messages: Message[], gone: Set<string>) => Message[]}
 */
const withoutThese = (messages, gone) =>
  messages
    .filter(({ id }) => !gone.has(id))
    .map((one) => (one.replyTo !== undefined && gone.has(one.replyTo) ? { ...one, replyTo: "" } : one));

/**
 * The reactions under a message once a person has put one there, or taken it back.
 * @type {(held: Message, wire: Wire) => Message}
 */
function reacted(held, wire) {
  const [emoji, person, on] = [text(wire.emoji), text(wire.person), flag(wire.on)];
  if (emoji === undefined || person === undefined || on === undefined) return held;
  const before = held.reactions ?? [];
  const known = before.find((one) => one.emoji === emoji) ?? { emoji, count: 0, persons: [] };
  const others = known.persons.filter((one) => one !== person);
  const count = number(wire.count) ?? known.count;
  const next = { emoji, count, persons: on ? [...others, person] : others };
  const reactions = before.includes(known) ? before.map((one) => (one === known ? next : one)) : [...before, next];
  return { ...held, reactions: reactions.filter((one) => one.count > 0) };
}

/**
 * Somebody writes no more.
 * @type {(state: State, peer: string | undefined) => State}
 */
function rested(state, peer) {
  if (peer === undefined || !state.typing.has(peer)) return state;
  return { ...state, typing: without(state.typing, peer) };
}

/**
 * The gaps that are left once a page was read: pages go back without one from what is newest, so none is after a
 * message in them, nor before all if these are all. One after a message that is gone has no place any more; one that
 * lasts is after what was said before that.
 * @type {(state: State, read: Map<string, Message>, messages: Messages, history: NonNullable<State["history"]>) => Gap[]}
 */
const unfilled = (state, read, messages, { last, withheld }) =>
  state.missed.flatMap((gap) => {
    const { after, isLasting } = gap;
    if (isLasting) return [{ ...gap, after: nearest(after, state.messages, messages) }];
    const isLeft = after === null ? last !== "" || withheld : !read.has(after) && messages.has(after);
    return isLeft ? [gap] : [];
  });

/**
 * A message, or if it is gone the last one before it that is left.
 * @type {(id: string | null, before: Messages, left: Messages) => string | null}
 */
function nearest(id, before, left) {
  const ids = before.values().map((one) => one.id);
  return ids.slice(0, ids.indexOf(id ?? "") + 1).findLast((one) => left.has(one)) ?? null;
}

/**
 * The messages of a page, by their ids, the newest first.
 * @type {(told: unknown) => Map<string, Message>}
 */
const pageFrom = (told) =>
  new Map(
    records(told).flatMap((wire) => {
      const id = text(wire.message_id);
      return id === undefined ? [] : [[id, { ...messageFrom(id, wire, text(wire.peer_id) ?? ""), read: true }]];
    }),
  );

/** @type {(held: Message, read: Map<string, Message>) => Message} */
const again = (held, read) => ({ ...(read.get(held.id) ?? held), read: held.read });

/**
 * The ids of messages from before a gap that a page would hold if they were there still.
 * @type {(state: State, read: Map<string, Message>, history: NonNullable<State["history"]>) => Set<string>}
 */
function goneSince({ messages, unsure }, read, { last, withheld }) {
  const isWhole = last === "" && !withheld;
  const from = isWhole ? -Infinity : Math.min(...[...read.values()].map(({ time }) => time));
  const gone = messages.values().filter(({ id, time }) => unsure.has(id) && !read.has(id) && time > from);
  return new Set(gone.map(({ id }) => id));
}

/** @param {Message} message */
export const isForSome = ({ recipientPeer, recipientRoles }) => Boolean(recipientPeer || recipientRoles);

/**
 * A message as another tab told it, if that is another one; read here or not as it was.
 * @type {(held: Message, told: Message | undefined) => Message}
 */
function newer(held, told) {
  if (!told || !isForSome(told)) return held;
  const next = { ...told, read: held.read };
  return same(next, held) ? held : next;
}

/** @satisfies {Record<string, HeardChange>} */
export const CHAT_HEARD = {
  "on-broadcast": (known, params) => {
    const id = text(params.message_id);
    if (id === undefined || known.messages.has(id)) return known;
    const message = messageFrom(id, params, known.room.localPeer);
    const state = rested(known, message.sender);
    return { ...state, messages: state.messages.with(message) };
  },

  "on-peer-typing": (state, { peer_id: id, typing, private: isPrivate, roles }) => {
    const peerID = text(id);
    if (peerID === undefined || flag(typing) !== true) return rested(state, peerID);
    const writing = { peerID, isPrivate: isPrivate === true, recipientRoles: texts(roles) };
    return { ...state, typing: withEntry(state.typing, peerID, writing) };
  },

  "on-message-edit": (state, params) =>
    changed(state, params, (held) => {
      const { message, mentions, editedAt } = messageFrom(held.id, params, "");
      return { ...held, message, mentions, editedAt };
    }),

  "on-message-delete": (state, { message_id: id }) => {
    const gone = text(id) ?? "";
    if (!state.messages.has(gone)) return state;
    return { ...state, messages: new Messages(withoutThese(state.messages.values(), new Set([gone]))) };
  },

  "on-messages-clear": (state) => ({
    ...state,
    messages: new Messages(state.messages.values().filter(({ type }) => type !== "chat")),
    missed: [],
    unsure: new Set(),
    history: { last: "", withheld: false },
  }),

  "on-message-react": (state, params) => changed(state, params, (held) => reacted(held, params)),
};

/** @satisfies {{ [Method in "sending" | "not-sent" | "discarded" | "sent" | "shared" | "read" | "history-read" | "rested"]: OwnChange<Method> }} */
export const CHAT_OWN = {
  sending: (state, entry) => {
    const { error, ...written } = /** @type {typeof entry & { error?: string }} */ (entry);
    return { ...state, outbox: withEntry(state.outbox, entry.clientId, { ...written, status: "sending" }) };
  },

  "not-sent": (state, { clientId, error }) => {
    const entry = state.outbox.get(clientId);
    if (!entry) return state;
    return { ...state, outbox: withEntry(state.outbox, clientId, { ...entry, status: "failed", error }) };
  },

  discarded: (state, { clientId }) => ({ ...state, outbox: without(state.outbox, clientId) }),

  sent: (state, { clientId, id, time, now }) => {
    const entry = state.outbox.get(clientId);
    if (!entry) return state;
    if (now === null) return { ...state, outbox: without(state.outbox, clientId) };
    const { status, error, session, ...held } = entry;
    const local = localPeer(state);
    const own = {
      ...held,
      id,
      time,
      sender: local?.id,
      senderPerson: local?.person,
      senderName: local?.name,
      senderUserId: local?.userId,
      senderRole: local?.role,
      read: true,
    };
    const told = now ? { ...messageFrom(id, now, text(now.peer_id) ?? ""), read: true } : own;
    const messages = state.messages.has(id) ? state.messages : state.messages.with(told);
    return { ...state, outbox: without(state.outbox, clientId), messages };
  },

  // What another tab of the same person has got or sent. What is for everybody this one hears of by itself.
  shared: (state, { messages: given, gone = [] }) => {
    const told = new Map(given.map((one) => [one.id, one]));
    const left = withoutThese(state.messages.values(), new Set(gone.filter((id) => state.messages.has(id))));
    const kept = left.map((held) => newer(held, told.get(held.id)));
    const unknown = given.filter(({ id }) => !state.messages.has(id));
    const before = state.messages.values();
    if (!unknown.length && kept.length === before.length && kept.every((one, at) => one === before[at])) return state;
    return { ...state, messages: new Messages([...kept, ...unknown].sort((a, b) => a.time - b.time)) };
  },

  rested: (state, { peerID }) => rested(state, peerID),

  // A page of what was said before. Its answer comes in its place among the events, so it is as new as what is held.
  "history-read": (state, { messages: told, last, withheld }) => {
    const read = pageFrom(told);
    const history = { last: text(last) ?? "", withheld: flag(withheld) ?? false };
    const fresh = [...read.values()].filter(({ id }) => !state.messages.has(id)).reverse();
    const gone = goneSince(state, read, history);
    const sure = state.messages.values().map((one) => (state.unsure.has(one.id) ? again(one, read) : one));
    const all = [...withoutThese(sure, gone), ...fresh].sort((a, b) => a.time - b.time);
    const messages = fresh.length || state.unsure.size ? new Messages(all) : state.messages;
    const unsure = new Set([...state.unsure].filter((id) => !read.has(id) && !gone.has(id)));
    return { ...state, messages, missed: unfilled(state, read, messages, history), unsure, history };
  },

  read: (state, { id, read }) => {
    const messages = state.messages
      .values()
      .map((held) => ((id === undefined || held.id === id) && held.read !== read ? { ...held, read } : held));
    return { ...state, messages: new Messages(messages) };
  },
};
