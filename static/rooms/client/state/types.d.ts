// What the state is made of. Times are milliseconds since 1970.

import type { HMSLimits, HMSMetadataRules, HMSPoll, HMSRole, HMSRoomStateName, HMSSessionEntry } from "../../hms.js";
import type { RpcError } from "../connection/error.js";
import type { Messages } from "./messages.js";

/** An object that somebody else wrote: nothing is known of its fields. */
export type Wire = Record<string, unknown>;

export interface State {
  room: Room;
  /** All up to its seq has been applied; null: there is nothing to resume from. */
  place: Place | null;
  /** To add to performance.now() for the server's time. */
  clockOffset: number | null;
  roles: Map<string, HMSRole>;
  peers: Map<string, Peer>;
  messages: Messages;
  missed: Gap[];
  /** Own messages that the server has not acknowledged, by client id. */
  outbox: Map<string, Unsent>;
  /** The session store's entries. */
  metadata: Map<string, HMSSessionEntry>;
  /** Who may write them. */
  rules: HMSMetadataRules;
  /** Who holds which lock, by its name. */
  locks: Map<string, Lock>;
  /** What the server allows; null until it has said so. */
  limits: HMSLimits | null;
  polls: Map<string, Poll>;
  roleChangeRequests: { requestedBy?: string; roleName: string; token?: unknown }[];
  /** Who was removed from the session, for those who may let them in again. */
  removed: Removed[];
  errors: RpcError[];
}

export interface Room {
  id: string;
  name: string;
  sessionId: string;
  startedAt: number | null;
  joinedAt: number | null;
  /** When the connection was last lost. */
  lostAt: number | null;
  peerCount: number | null;
  localPeer: string;
  isConnected: boolean;
  roomState: HMSRoomStateName;
}

/** A place in a session, as the run of the database that `history` names numbered it. */
export interface Place {
  session_id: string;
  seq: number;
  history?: string;
}

export interface Peer {
  id: string;
  person?: string;
  name: string;
  role?: string;
  data: string;
  userId?: string;
  type: string;
  joinedAt: number | null;
  state: string;
  groups: string[];
  raisedAt: number | null;
}

export interface Message {
  id: string;
  sender?: string;
  senderPerson?: string;
  senderName?: string;
  senderUserId?: string;
  senderRole?: string;
  recipientPeer?: string;
  recipientRoles?: string[];
  time: number;
  read: boolean;
  type: string;
  message: string;
}

/** A message of one's own, as it was written. */
export interface Written {
  clientId: string;
  message: string;
  type: string;
  time: number;
  recipientPeer?: string;
  recipientRoles?: string[];
}

export interface Unsent extends Written {
  /** The session in which it was written. */
  session?: string;
  status: "sending" | "failed";
  error?: string;
}

/** A gap among the messages. `after`: the id of the message before it. */
export interface Gap {
  after: string | null;
  since: number | null;
}

export interface Lock {
  name: string;
  holder: string;
  token: number;
  expiresAt: number | null;
}

export interface Removed {
  person: string;
  name: string;
  role?: string;
  reason: string;
  removedBy: string;
  removedByPerson: string;
  removedAt: number | null;
}

type When = "createdAt" | "startedAt" | "stoppedAt";

/** A poll as apps get it, but for its times. */
export type Poll = Omit<HMSPoll, When> & { [name in When]?: number };

/** What this page does or learns, and what has to be said of it. */
export interface OwnChanges {
  connecting: { roomId: string; peer: Partial<Peer> & { id: string } };
  newcomer: { id: string };
  copied: Record<string, never>;
  joined: Joined & { name: string; data: string };
  connection: { roomState: HMSRoomStateName; isConnected?: boolean; at: number };
  place: { history?: unknown };
  clock: { offset: number };
  failed: { error: RpcError };
  "read-metadata": Wire;
  "read-lock": Wire;
  sending: Written & { session?: string };
  "not-sent": { clientId: string; error: string };
  discarded: { clientId: string };
  sent: { clientId: string; id: string; time: number };
  shared: { messages: Message[] };
  read: { id?: string; read: boolean };
  changed: { name?: string; data?: string };
  "answered-role": Record<string, never>;
  "polls-read": { polls: Wire[] };
  "polls-gone": { ids: string[] };
}

/** The answer to `join`. */
export interface Joined {
  session_id: string;
  seq: number;
  history?: unknown;
  resumed?: boolean;
  limits?: unknown;
}

export type OwnChange<Method extends keyof OwnChanges> = (state: State, params: OwnChanges[Method]) => State;

/** A change that the server tells of. */
export type HeardChange = (state: State, params: Wire, seq?: number) => State;

/** What has to be said of a change, by its name. */
export type ParamsOf<Method extends string> = Method extends keyof OwnChanges ? OwnChanges[Method] : Wire;
