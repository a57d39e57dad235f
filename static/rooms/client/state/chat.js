// What was said, and what is on its way: changes of the state, see state.js.

import { Messages } from "./messages.js";
import { localPeer, withEntry, without } from "./parts.js";
import { messageFrom, text } from "./shapes.js";

/** @import { HeardChange, OwnChange } from "./types.js" */

/** @satisfies {Record<string, HeardChange>} */
export const CHAT_HEARD = {
  "on-broadcast": (state, params) => {
    const id = text(params.message_id);
    if (id === undefined || state.messages.has(id)) return state;
    return { ...state, messages: state.messages.with(messageFrom(id, params, state.room.localPeer)) };
  },
};

/** @satisfies {{ [Method in "sending" | "not-sent" | "discarded" | "sent" | "shared" | "read"]: OwnChange<Method> }} */
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

  sent: (state, { clientId, id, time }) => {
    const entry = state.outbox.get(clientId);
    if (!entry) return state;
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
    const messages = state.messages.has(id) ? state.messages : state.messages.with(own);
    return { ...state, outbox: without(state.outbox, clientId), messages };
  },

  // What another tab of the same person has got or sent.
  shared: (state, { messages: given }) => {
    const unknown = given.filter(({ id }) => !state.messages.has(id));
    if (!unknown.length) return state;
    const all = [...state.messages.values(), ...unknown].sort((a, b) => a.time - b.time);
    return { ...state, messages: new Messages(all) };
  },

  read: (state, { id, read }) => {
    const messages = state.messages
      .values()
      .map((held) => ((id === undefined || held.id === id) && held.read !== read ? { ...held, read } : held));
    return { ...state, messages: new Messages(messages) };
  },
};
