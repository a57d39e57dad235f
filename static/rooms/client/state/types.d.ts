// What the state is made of. Times are milliseconds since 1970.

import type {
  HMSLimits,
  HMSLock,
  HMSMessage,
  HMSMetadataRules,
  HMSMissed,
  HMSOutboxMessage,
  HMSPoll,
  HMSRemoved,
  HMSRole,
  HMSRoomStateName,
  HMSSessionEntry,
  HMSTyping,
} from "../../hms.js";
import type { RpcError } from "../connection/error.js";
import type { Messages } from "./messages.js";

/** An object that somebody else wrote: nothing is known of its fields. */
export type Wire = Record<string, unknown>;

/** What apps get, but for its times. */
type With<Shown, Held> = Omit<Shown, keyof Held> & Held;

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
  /** Ids of messages from before a gap that were not read again since: they may be changed by now, or deleted. */
  unsure: Set<string>;
  /** Who is writing now, by the id of the peer. */
  typing: Map<string, HMSTyping>;
  /** How far back what was said before has been read: null, not yet; `last`: where it goes on, empty at its end. */
  history: { last: string; withheld: boolean } | null;
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
  title: string;
  sessionId: string;
  startedAt: number | null;
  joinedAt: number | null;
  /** When the connection was last lost. */
  lostAt: number | null;
  peerCount: number | null;
  locked: boolean;
  /** Seconds between two messages of one person; 0 for none. */
  slowMode: number;
  description: string;
  /** How many messages of before a newcomer is shown; null where the server does not tell. */
  history: number | null;
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

export type Message = Omit<With<HMSMessage, { time: number; editedAt?: number }>, "ignored">;

/** A message of one's own. `session`: the one in which it was written. */
export type Unsent = Omit<With<HMSOutboxMessage, { time: number }>, "ignored">;
/** The same, as it was written. */
export type Written = Omit<Unsent, "session" | "status" | "error">;

/**
 * A gap among the messages. `after`: the id of the message before it. `isLasting`: the server was put back to what it
 * had before, and no page tells what it has no more.
 */
export type Gap = With<HMSMissed, { since: number | null; isLasting?: boolean }>;

export type Lock = With<HMSLock, { expiresAt: number | null }>;

export type Removed = With<HMSRemoved, { removedAt: number | null }>;

export type Poll = With<HMSPoll, { [name in "createdAt" | "startedAt" | "stoppedAt"]?: number }>;

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
  /** `now`: as it is now, null if it was deleted; undefined for one to which nothing was done. */
  sent: { clientId: string; id: string; time: number; now?: Wire | null };
  /** `gone`: ids. */
  shared: { messages: Message[]; gone?: string[] };
  read: { id?: string; read: boolean };
  "history-read": Wire;
  rested: { peerID: string };
  changed: { name?: string; data?: string };
  "answered-role": Record<string, never>;
  "polls-seen": { polls: unknown[] };
  "polls-read": { polls: Wire[] };
  "polls-gone": { ids: string[] };
}

/** The answer to `join`. */
export interface Joined {
  session_id: string;
  seq: number;
  history?: unknown;
  timestamp?: unknown;
  resumed?: boolean;
  observed?: unknown;
  limits?: unknown;
}

export type OwnChange<Method extends keyof OwnChanges> = (state: State, params: OwnChanges[Method]) => State;

/** A change that the server tells of. */
export type HeardChange = (state: State, params: Wire, seq?: number) => State;

/** What has to be said of a change, by its name. */
export type ParamsOf<Method extends string> = Method extends keyof OwnChanges ? OwnChanges[Method] : Wire;
