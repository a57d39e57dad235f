// The types of hms.js, in one file however long, for it is saved beside the sources of other pages: see docs/script.md.
// `Keys` are the keys of the session store and what an app keeps under each: `HMSStore<{ slide: number }>`.

// biome-ignore-all lint/suspicious/noExplicitAny: what an app that names no keys stores is for it to say

type AnyKeys = Record<string, any>;
type Ends = () => void;

// --- What the store holds ---

export interface HMSStore<Keys = AnyKeys> {
  room: HMSRoom;
  peers: Record<string, HMSPeer>;
  messages: { readonly byID: Record<string, HMSMessage>; readonly allIDs: string[] };
  roles: Record<string, HMSRole>;
  sessionStore: Partial<Keys>;
  sessionMetadata: any;
  polls: Record<string, HMSPoll>;
  roleChangeRequests: { requestedBy?: string; roleName: string; token?: unknown }[];
  errors: HMSException[];
  tracks: Record<string, never>;
  hideLocalPeer: boolean;
  /** Ours, as all that follow: the entries of the session store, with their versions. */
  entries: { [Key in keyof Keys]?: HMSSessionEntry<Keys[Key]> };
  metadataRules: HMSMetadataRules;
  /** Those that somebody holds. */
  locks: Record<string, HMSLock>;
  limits: HMSLimits | null;
  outbox: HMSOutboxMessage[];
  missed: HMSMissed[];
  history: HMSHistory;
  typing: HMSTyping[];
  removed: HMSRemoved[];
  /** Milliseconds to add to performance.now() for the server's time. */
  clockOffset: number | null;
}

export type HMSRoomStateName =
  | "Disconnected"
  | "Preview"
  | "Connecting"
  | "Connected"
  | "Reconnecting"
  | "Disconnecting"
  | "Failed";

export interface HMSRoom {
  id: string;
  name: string;
  sessionId: string;
  localPeer: string;
  isConnected: boolean;
  roomState: HMSRoomStateName;
  peers: string[];
  peerCount?: number;
  startedAt?: Date;
  joinedAt?: Date;
  /** Ours, as all that follow: nobody new can enter. */
  locked: boolean;
  /** Seconds between two chat messages of one person; 0 for none. */
  slowMode: number;
  /** Empty where the room has none; `name` is something else then. */
  title: string;
  description: string;
  /** How many messages of before a newcomer is shown; null where the server does not tell. */
  history: number | null;
}

/** Somebody, with the room open in one tab or several. */
export interface HMSPerson {
  /** Missing where the server tells no persons. */
  person?: string;
  /** One for each tab, in the order of joining. */
  peers: HMSPeer[];
  /** The one to show: this page's own, or one that is connected. */
  peer: HMSPeer;
  isLocal: boolean;
  /** "connected" if any of them is. */
  state: string;
}

/** Ours: what is not given stays. `slowMode` in seconds, `history` in messages. */
export interface HMSRoomSettings {
  title?: string;
  description?: string;
  locked?: boolean;
  slowMode?: number;
  history?: number;
}

/** By which code one enters with a role; null if there is none. */
export interface HMSRoomCode {
  role: string;
  code: string | null;
}

export interface HMSPeer {
  id: string;
  name: string;
  roleName?: string;
  isLocal: boolean;
  customerUserId?: string;
  metadata: string;
  joinedAt?: Date;
  groups: string[];
  isHandRaised: boolean;
  type: string;
  auxiliaryTracks: string[];
  /** Ours: the same for all peers of one person in this session. */
  person?: string;
  /** Ours: "connected", or "reconnecting" while its connection is lost. */
  state: string;
  /** Ours: hands went up in the order of these numbers. */
  raisedAt: number | null;
}

export interface HMSMessage {
  id: string;
  sender?: string;
  senderName?: string;
  senderUserId?: string;
  senderRole?: string;
  /** Ours. */
  senderPerson?: string;
  recipientPeer?: string;
  recipientRoles?: string[];
  time: Date;
  read: boolean;
  type: string;
  message: string;
  ignored: boolean;
  /** Ours, as all that follow: ids of the peers that it is about. */
  mentions?: string[];
  /** Id of the message that it answers; empty once that one was seen to be deleted. */
  replyTo?: string;
  /** When its author changed it last. */
  editedAt?: Date;
  reactions?: HMSReaction[];
}

/** Of those who reacted so, at most 20 persons are named of before one came. */
export interface HMSReaction {
  emoji: string;
  count: number;
  persons: string[];
}

/** What there is of before: whether more can be read; and, at its end, whether the room shows no more than that. */
export interface HMSHistory {
  hasMore: boolean;
  isWithheld: boolean;
}

/** A peer that is writing to one alone, to roles, or to everybody. */
export interface HMSTyping {
  peerID: string;
  isPrivate: boolean;
  recipientRoles?: string[];
}

/** Ours. `mentions`: ids of the peers that a message is about, at most 20. `replyTo`: id of the one that it answers. */
export interface HMSMessageOptions {
  mentions?: string[];
  replyTo?: string;
}

/** A message of one's own that is on its way or was not delivered. */
export interface HMSOutboxMessage {
  clientId: string;
  message: string;
  type: string;
  time?: Date;
  recipientPeer?: string;
  recipientRoles?: string[];
  mentions?: string[];
  replyTo?: string;
  session?: string;
  ignored: boolean;
  status: "sending" | "failed";
  /** Why it failed. */
  error?: string;
}

/** A gap among the messages. */
export interface HMSMissed {
  /** The id of the last message before it. */
  after: string | null;
  since?: Date;
}

export interface HMSRemoved {
  person: string;
  name: string;
  role?: string;
  reason: string;
  removedBy: string;
  removedByPerson: string;
  removedAt?: Date;
}

export interface HMSSessionEntry<Value = any> {
  key: string;
  data: Value | null;
  change_version: number;
  updated_at?: number;
  updated_by?: string;
  /** The id of the peer with whom the entry goes. */
  owner?: string;
  /** When it will be gone. */
  expiresAt?: Date;
  [more: string]: unknown;
}

/** Who may do something with a key: the roles of the list, the entry's owner, the server alone, or nobody. */
export type HMSMetadataWriters = string[] | "owner" | "server" | "none";

/** What holds for the keys that `key` stands for; where it does not say who may write, the permission does. */
export interface HMSMetadataRule {
  key: string;
  write?: HMSMetadataWriters;
  create?: HMSMetadataWriters;
  remove?: HMSMetadataWriters;
  read?: string[];
  lock?: string;
  max_bytes?: number;
  on_leave?: "remove" | "null" | "keep";
  expires_in?: number;
}

/** The first rule that fits a key counts, the room's own before those of its template. */
export interface HMSMetadataRules {
  room: HMSMetadataRule[];
  template: HMSMetadataRule[];
}

export interface HMSLock {
  name: string;
  /** The id of the peer. */
  holder: string;
  /** The number of its grant: the next holder's is higher. */
  token: number;
  /** When it will be free. */
  expiresAt?: Date;
}

export interface HMSFreeLock {
  name: string;
  holder: null;
  token: null;
}

/** What the server allows; what is used is that of the moment when one came. */
export interface HMSLimits {
  /** Bytes of JSON of one value, and of all values with their keys. */
  maxValueBytes: number;
  maxStoreBytes: number;
  usedBytes: number;
  maxKeys: number;
  usedKeys: number;
  /** Keys that the session ever had: those that are removed count too, for they keep their versions. */
  maxKeysEver: number;
  usedKeysEver: number;
  maxMessageChars: number;
  maxFrameBytes: number;
  /** Calls a second, and at once after a pause. */
  rate: number;
  burst: number;
  /** For how long a lost connection can be taken up again. */
  resumeSeconds: number;
  [more: string]: number;
}

export type HMSPermission =
  | "endRoom"
  | "removeOthers"
  | "changeRole"
  | "pollRead"
  | "pollWrite"
  | "sendMessages"
  | "writeMetadata"
  | "raiseHand"
  | "manageRoom";

export interface HMSRole {
  name?: string;
  priority?: number;
  permissions?: { [Permission in HMSPermission]?: boolean } & Record<string, boolean | undefined>;
  [more: string]: unknown;
}

export interface HMSRoleChangeRequest {
  requestedBy?: HMSPeer;
  role: { name: string };
  token?: unknown;
}

export interface HMSPoll {
  id: string;
  title: string;
  type: string;
  state?: string;
  duration?: number;
  anonymous?: boolean;
  mode?: string;
  rolesThatCanVote?: string[];
  rolesThatCanViewResponses?: string[];
  createdBy?: string;
  startedBy?: string;
  stoppedBy?: string;
  createdAt?: Date;
  startedAt?: Date;
  stoppedAt?: Date;
  /** Missing until they have been read. */
  questions?: HMSPollQuestion[];
  result?: { totalUsers?: number; maxUsers?: number; totalResponses?: number };
}

export interface HMSPollQuestion {
  index: number;
  text: string;
  type: HMSPollQuestionType;
  skippable?: boolean;
  weight?: number;
  options: HMSPollOption[];
  answer?: HMSPollAnswer;
  /** One's own. */
  responses?: HMSPollResponse[];
  result?: { correctResponses?: number; skippedCount?: number; totalResponses?: number };
}

export type HMSPollQuestionType = "single-choice" | "multiple-choice" | "short-answer" | "long-answer";

export interface HMSPollOption {
  index: number;
  text: string;
  weight?: number;
  voteCount?: number;
}

export interface HMSPollAnswer {
  hidden?: boolean;
  option?: number;
  options?: number[];
  text?: string;
}

export interface HMSPollResponse {
  questionIndex: number;
  option?: number;
  options?: number[];
  text?: string;
  skipped?: boolean;
  [more: string]: unknown;
}

export interface HMSException extends Error {
  code: number;
  description: string;
  isTerminal: boolean;
  /** What the server says beside the message. Of a removal: `{ removed: true, reason }`. */
  data?: any;
  /** Ours, as all that follow. Of a conflict (409): the entries as they stand. */
  entries?: HMSSessionEntry[];
  /** The lock that was needed (409), which somebody else holds, or nobody. */
  lock?: HMSLock | HMSFreeLock;
  /** The rule that forbids it (403). */
  rule?: HMSMetadataRule;
  /** When it may be tried again (429). */
  retryAfterMs?: number;
}

// --- Actions ---

export interface HMSConfig {
  userName: string;
  authToken: string;
  metaData?: string;
  initEndpoint?: string;
}

/** Ours. What a write does not say of an entry's end, a rule does; else the entry stays. */
export interface HMSChangeOptions {
  /** The change is made only if the value still has this version, 0 if it was never set. */
  ifChangeVersion?: number;
  /** Seconds after which the entry is removed. */
  expiresIn?: number;
  /** With whom the entry goes: true, this peer; or the id of somebody who is present. */
  owner?: boolean | string;
  /** What becomes of the entry when its owner leaves, by default "remove". */
  onLeave?: "remove" | "null" | "keep";
}

/** Ours: a change that is made only under a lock. */
export interface HMSUpdateOptions {
  ifLock?: HMSIfLock;
  /** By which the server knows a repetition; by default a new one for each call. */
  changeId?: string;
}

/** Ours: a lock that one holds, by the token of its grant. */
export interface HMSIfLock {
  name: string;
  token: number;
}

/** Ours: what is done under a lock gets this, which is also an `ifLock`. */
export interface HMSHeldLock extends HMSIfLock {
  /** Aborts when this page does not hold the lock any more. */
  signal: AbortSignal;
}

/** Ours. */
export interface HMSLockOptions {
  /** Seconds after which the lock is free in any case. */
  expiresIn?: number;
  /** Milliseconds to wait for others, by default and at most a minute. */
  waitMs?: number;
}

export interface HMSSetOptions extends HMSChangeOptions {
  ifLock?: HMSIfLock;
}

export type HMSRemoveOptions = Pick<HMSSetOptions, "ifChangeVersion" | "ifLock">;

/** Ours. `attempts`: how often it is tried before the conflict is thrown, by default 100 times. */
export interface HMSMutateOptions extends Omit<HMSSetOptions, "ifChangeVersion"> {
  attempts?: number;
}

/** Ours: a part of a value, as RFC 7396 has it (null takes a field away), or the steps of an RFC 6902 patch. */
export type HMSPatch<Value = any> = HMSMergePatch<Value> | HMSPatchStep[];

type HMSMergePatch<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { [Name in keyof Value]?: HMSMergePatch<Value[Name]> | null }
    : Value;

export type HMSPatchStep =
  | { op: "add" | "replace" | "test"; path: string; value: unknown }
  | { op: "remove"; path: string }
  | { op: "move" | "copy"; from: string; path: string };

type NumberKey<Keys> = {
  [Key in keyof Keys]: NonNullable<Keys[Key]> extends number ? Key : never;
}[keyof Keys] &
  string;

type Change<Key, Value> = HMSChangeOptions & { key: Key } & (
    | { value: Value }
    | { patch: HMSPatch<Value> }
    | (NonNullable<Value> extends number ? { increment: number } : never)
    | { remove: true }
  );

/** Ours: one change of several. */
export type HMSSessionChange<Keys = AnyKeys> = {
  [Key in keyof Keys & string]: Change<Key, Keys[Key]>;
}[keyof Keys & string];

export interface HMSPollQuestionParams {
  index?: number;
  text: string;
  type: HMSPollQuestionType;
  options?: { text: string; weight?: number; isCorrectAnswer?: boolean }[];
  answer?: HMSPollAnswer;
  skippable?: boolean;
  weight?: number;
  [more: string]: unknown;
}

export interface HMSPollParams {
  id?: string;
  title: string;
  type?: "poll" | "quiz";
  duration?: number;
  anonymous?: boolean;
  visibility?: boolean;
  locked?: boolean;
  mode?: string;
  rolesThatCanVote?: string[];
  rolesThatCanViewResponses?: string[];
  questions?: HMSPollQuestionParams[];
}

export interface HMSInteractivityCenter {
  createPoll(poll: HMSPollParams): Promise<string>;
  addQuestionsToPoll(pollId: string, questions: HMSPollQuestionParams[]): Promise<void>;
  startPoll(poll: string | HMSPollParams): Promise<void>;
  stopPoll(pollId: string): Promise<void>;
  addResponsesToPoll(pollId: string, responses: HMSPollResponse[]): Promise<void>;
  getPolls(): Promise<HMSPoll[]>;
}

export interface HMSSessionStoreActions<Keys = AnyKeys> {
  set<Key extends keyof Keys & string>(
    key: Key,
    value: Keys[Key],
    options?: HMSSetOptions,
  ): Promise<HMSSessionEntry<Keys[Key]>>;
  observe(keys: (keyof Keys & string) | (keyof Keys & string)[]): Promise<void>;
  unobserve(keys: (keyof Keys & string) | (keyof Keys & string)[]): Promise<void>;
  /** Ours, as all that follow: changes a part of the value. */
  patch<Key extends keyof Keys & string>(
    key: Key,
    patch: HMSPatch<Keys[Key]>,
    options?: HMSSetOptions,
  ): Promise<HMSSessionEntry<Keys[Key]>>;
  increment<Key extends NumberKey<Keys>>(
    key: Key,
    by?: number,
    options?: HMSSetOptions,
  ): Promise<HMSSessionEntry<Keys[Key]>>;
  remove<Key extends keyof Keys & string>(key: Key, options?: HMSRemoveOptions): Promise<HMSSessionEntry<Keys[Key]>>;
  /** All changes or, if one is refused, none. */
  update(changes: HMSSessionChange<Keys>[], options?: HMSUpdateOptions): Promise<HMSSessionEntry[]>;
  /** Lets an entry last for so many seconds from now. */
  touch<Key extends keyof Keys & string>(
    key: Key,
    expiresIn: number,
    options?: Pick<HMSSetOptions, "ifLock">,
  ): Promise<HMSSessionEntry<Keys[Key]>>;
  /**
   * Sets what `change` makes of the value, which is undefined if there is none; again if somebody else was faster.
   * It must not wait for another mutate() of the same key.
   */
  mutate<Key extends keyof Keys & string>(
    key: Key,
    change: (value: NonNullable<Keys[Key]> | undefined) => Keys[Key] | Promise<Keys[Key]>,
    options?: HMSMutateOptions,
  ): Promise<HMSSessionEntry<Keys[Key]>>;
}

export interface HMSActions<Keys = AnyKeys> {
  interactivityCenter: HMSInteractivityCenter;
  sessionStore: HMSSessionStoreActions<Keys>;
  join(config: HMSConfig): Promise<void>;
  getAuthTokenByRoomCode(
    request: { roomCode: string; userId?: string; secret?: string },
    options?: { endpoint?: string },
  ): Promise<string>;
  leave(): Promise<void>;
  endRoom(lock?: boolean, reason?: string): Promise<void>;
  sendBroadcastMessage(message: string, type?: string, options?: HMSMessageOptions): Promise<void>;
  sendGroupMessage(message: string, roles: string[], type?: string, options?: HMSMessageOptions): Promise<void>;
  sendDirectMessage(message: string, peerID: string, type?: string, options?: HMSMessageOptions): Promise<void>;
  setMessageRead(read: boolean, id?: string): void;
  setSessionMetadata(value: unknown, options?: HMSSetOptions): Promise<void>;
  populateSessionMetadata(): Promise<void>;
  changeName(name: string): Promise<void>;
  changeMetadata(metadata: unknown): Promise<void>;
  removePeer(peerID: string, reason?: string): Promise<void>;
  changeRoleOfPeer(peerID: string, role: string, force?: boolean): Promise<void>;
  changeRoleOfPeersWithRoles(roles: string[], role: string): Promise<void>;
  acceptChangeRole(request: HMSRoleChangeRequest): Promise<void>;
  rejectChangeRole(request?: HMSRoleChangeRequest): void;
  raiseLocalPeerHand(): Promise<void>;
  lowerLocalPeerHand(): Promise<void>;
  raiseRemotePeerHand(peerID: string): Promise<void>;
  lowerRemotePeerHand(peerID: string): Promise<void>;
  /** Ours, as all that follow. */
  letIn(person: string): Promise<void>;
  /** Sets the room up; for who has the permission `manageRoom`. */
  setRoom(settings: HMSRoomSettings): Promise<void>;
  getRoomCodes(): Promise<HMSRoomCode[]>;
  replaceRoomCode(role: string): Promise<string>;
  /** Ours, as all that follow of messages: the next page of what was said before, the newest first. */
  loadOlderMessages(limit?: number): Promise<HMSHistory>;
  editMessage(id: string, message: string, options?: Pick<HMSMessageOptions, "mentions">): Promise<void>;
  deleteMessage(id: string): Promise<void>;
  /** Deletes all messages of type "chat"; for who has the permission `removeOthers`. */
  clearMessages(): Promise<void>;
  /** Puts an emoji there, or takes it back; without `on` the other than now. */
  reactToMessage(id: string, emoji: string, on?: boolean): Promise<void>;
  /** Tells that one is writing, to everybody or to these, however often it is called; it ends by itself. */
  setTyping(isTyping?: boolean, to?: { recipientPeer?: string; recipientRoles?: string[] }): Promise<void>;
  pinMessage(id: string): Promise<void>;
  unpinMessage(id: string): Promise<void>;
  /** Replaces the room's own rules. */
  setMetadataRules(rules: HMSMetadataRule[]): Promise<void>;
  /** What `action` comes to, done while no other peer holds the lock of this name. */
  withLock<Result>(
    name: string,
    action: (lock: HMSHeldLock) => Result | Promise<Result>,
    options?: HMSLockOptions,
  ): Promise<Result>;
  /** Frees a lock; of another only who may remove others. */
  unlock(lock: HMSIfLock): Promise<void>;
  retryMessage(clientId: string): Promise<void>;
  discardMessage(clientId: string): void;
  retryConnection(): void;
  /** Milliseconds since 1970. */
  serverNow(): number;
}

// --- Store and notifications ---

export interface HMSStoreWrapper<Keys = AnyKeys> {
  getState(): HMSStore<Keys>;
  getState<Value>(selector: (store: HMSStore<Keys>) => Value): Value;
  /** Calls back with the new and the old value each time they differ, by default compared deeply. */
  subscribe<Value>(
    callback: (value: Value, old: Value | undefined) => void,
    selector: (store: HMSStore<Keys>) => Value,
    equal?: (value: Value, old: Value) => boolean,
  ): Ends;
  subscribe(callback: (store: HMSStore<Keys>, old: HMSStore<Keys> | undefined) => void): Ends;
}

/** What a notification of each type brings. */
export interface HMSNotificationData {
  PEER_JOINED: HMSPeer;
  /** Ours is the `reason`, where it is known: that of `on-peer-leave`. */
  PEER_LEFT: HMSPeer & { reason?: string };
  PEER_LIST: HMSPeer[];
  NEW_MESSAGE: HMSMessage;
  /** Ours. */
  MESSAGES_MISSED: HMSMissed;
  /** Ours: by nobody who is known where the server did it. */
  MESSAGES_CLEARED: { by?: HMSPeer };
  ERROR: HMSException;
  RECONNECTING: { code: number; attempt: number; delay: number; isTerminal: boolean };
  RECONNECTED: null;
  ROLE_UPDATED: HMSPeer;
  ROOM_ENDED: HMSSentAway;
  REMOVED_FROM_ROOM: HMSSentAway;
  NAME_UPDATED: HMSPeer;
  METADATA_UPDATED: HMSPeer;
  POLL_STARTED: HMSPoll;
  POLL_STOPPED: HMSPoll;
  POLL_VOTES_UPDATED: HMSPoll;
  HAND_RAISE_CHANGED: HMSPeer;
  /** Ours: the code of this role is another one. */
  ROOM_CODE_CHANGED: { role: string };
}

export interface HMSSentAway {
  requestedBy?: HMSPeer;
  reason: string;
  roomEnded: boolean;
}

export type HMSNotificationType = keyof HMSNotificationData;

export type HMSNotification<Type extends HMSNotificationType = HMSNotificationType> = {
  [One in Type]: {
    id: number;
    type: One;
    data: HMSNotificationData[One];
    message: string;
    severity: "info" | "error";
  };
}[Type];

export interface HMSNotifications {
  onNotification<Type extends HMSNotificationType = HMSNotificationType>(
    callback: (notification: HMSNotification<Type>) => void,
    types?: Type | Type[],
  ): Ends;
}

export const HMSNotificationTypes: { readonly [Type in HMSNotificationType]: Type };
export const HMSRoomState: { readonly [Name in HMSRoomStateName]: Name };

/** Makes one peer. */
export class HMSReactiveStore<Keys = AnyKeys> {
  getStore(): HMSStoreWrapper<Keys>;
  getActions(): HMSActions<Keys>;
  getHMSActions(): HMSActions<Keys>;
  getNotifications(): HMSNotifications;
  /** From now on subscribe() also calls back once with the present value. */
  triggerOnSubscribe(): void;
}

export const hmsStore: HMSStoreWrapper;
export const hmsActions: HMSActions;
export const hmsNotifications: HMSNotifications;

// --- Selectors ---

type Selector<Value> = (store: HMSStore<any>) => Value;

export const selectRoom: Selector<HMSRoom>;
export const selectRoomID: Selector<string>;
export const selectRoomState: Selector<HMSRoomStateName>;
export const selectRoomStarted: Selector<boolean>;
export const selectIsConnectedToRoom: Selector<boolean>;
export const selectIsInPreview: Selector<boolean>;
export const selectSessionId: Selector<string>;
export const selectRoomStartTime: Selector<Date | undefined>;

export const selectPeersMap: Selector<Record<string, HMSPeer>>;
export const selectPeers: Selector<HMSPeer[]>;
export const selectRemotePeers: Selector<HMSPeer[]>;
export const selectLocalPeer: Selector<HMSPeer | undefined>;
export const selectLocalPeerID: Selector<string>;
export const selectLocalPeerName: Selector<string | undefined>;
export const selectLocalPeerRoleName: Selector<string | undefined>;
export const selectPeerCount: Selector<number>;
export function selectPeerByID(id: string): Selector<HMSPeer | undefined>;
export function selectPeerName(id: string): Selector<string | undefined>;
export function selectPeerNameByID(id: string): Selector<string | undefined>;
export function selectPeerTypeByID(id: string): Selector<string | undefined>;
/** A peer's metadata, parsed; {} when there is none, or it is not JSON. */
export function selectPeerMetadata(id: string): Selector<any>;
export function selectPeersByRole(role: string): Selector<HMSPeer[]>;
export function selectPeersByRoles(roles: string[]): Selector<HMSPeer[]>;
export function selectPeerByCondition(predicate: (peer: HMSPeer) => boolean): Selector<HMSPeer | undefined>;
export function selectPeersByCondition(predicate: (peer: HMSPeer) => boolean): Selector<HMSPeer[]>;

export function selectHasPeerHandRaised(id: string): Selector<boolean>;
export const selectPeersWithHandRaised: Selector<HMSPeer[]>;
export const selectHandRaisedPeers: Selector<HMSPeer[]>;

export const selectRolesMap: Selector<Record<string, HMSRole>>;
export const selectAvailableRoleNames: Selector<string[]>;
export function selectRoleByRoleName(name: string): Selector<HMSRole | undefined>;
export const selectLocalPeerRole: Selector<HMSRole | null>;
export const selectPermissions: Selector<HMSRole["permissions"]>;
export const selectRoleChangeRequest: Selector<HMSRoleChangeRequest | null>;

export const selectMessagesMap: Selector<Record<string, HMSMessage>>;
export const selectMessageIDsInOrder: Selector<string[]>;
export function selectMessageByMessageID(id: string): Selector<HMSMessage | undefined>;
export const selectHMSMessages: Selector<HMSMessage[]>;
export const selectHMSMessagesCount: Selector<number>;
export const selectUnreadHMSMessagesCount: Selector<number>;
export const selectBroadcastMessages: Selector<HMSMessage[]>;
export const selectHMSBroadcastMessages: Selector<HMSMessage[]>;
export const selectBroadcastMessagesUnreadCount: Selector<number>;
export function selectMessagesByPeerID(id: string): Selector<HMSMessage[]>;
export function selectMessagesUnreadCountByPeerID(id: string): Selector<number>;
export function selectMessagesByRole(role: string): Selector<HMSMessage[]>;
export function selectMessagesUnreadCountByRole(role: string): Selector<number>;

export const selectSessionMetadata: Selector<any>;
/** The value under a key; with no key, all of them. */
export function selectSessionStore(): <Keys>(store: HMSStore<Keys>) => Partial<Keys>;
export function selectSessionStore<Key extends string>(
  key: Key,
): <Keys extends { [One in Key]?: any }>(store: HMSStore<Keys>) => Keys[Key] | undefined;

export const selectPollsMap: Selector<Record<string, HMSPoll>>;
export const selectPolls: Selector<HMSPoll[]>;
export function selectPollByID(id: string): Selector<HMSPoll | undefined>;

export const selectErrors: Selector<HMSException[]>;
export const selectRecentError: Selector<HMSException | null>;

/** Ours, as all that follow: a key's entry; "default" is that of the session metadata. */
export function selectSessionEntry(key: "default"): Selector<HMSSessionEntry | undefined>;
export function selectSessionEntry<Key extends string>(
  key: Key,
): <Keys extends { [One in Key]?: any }>(store: HMSStore<Keys>) => HMSSessionEntry<Keys[Key]> | undefined;
export const selectPersons: Selector<HMSPerson[]>;
export const selectPersonCount: Selector<number>;
/** Whether nobody else who may change roles and end the room is here. */
export const selectIsLastHost: Selector<boolean>;
export const selectMetadataRules: Selector<HMSMetadataRules>;
/** The rule that counts for a key. */
export function selectMetadataRule(key: string): Selector<HMSMetadataRule | undefined>;
/** Whether one may write a key that is observed; null counts as no value. */
export function selectMayWrite(key: string): Selector<boolean>;
export function selectMayRemove(key: string): Selector<boolean>;
/** Those that somebody holds, by their names. */
export const selectLocks: Selector<Record<string, HMSLock>>;
export const selectLimits: Selector<HMSLimits | null>;
export const selectOutbox: Selector<HMSOutboxMessage[]>;
export const selectMissed: Selector<HMSMissed[]>;
export const selectTyping: Selector<HMSTyping[]>;
export const selectHistory: Selector<HMSHistory>;
export function selectMayEdit(id: string): Selector<boolean>;
export function selectMayDelete(id: string): Selector<boolean>;
export const selectRemoved: Selector<HMSRemoved[]>;
export const selectServerTimeOffset: Selector<number | null>;
