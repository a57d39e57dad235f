// What the page's modules hand each other.

import type { HMSPeer } from "../hms.js";

/** Parts of the page that are more than plain elements, by their `data-part`. */
export interface Parts {
  "all-pins": HTMLDialogElement;
  composer: HTMLFormElement;
  confirm: HTMLDialogElement;
  "confirm-wanted": HTMLInputElement;
  ends: HTMLTemplateElement;
  handover: HTMLDialogElement;
  "handover-go": HTMLButtonElement;
  "handover-to": HTMLSelectElement;
  "invite-link": HTMLInputElement;
  "lobby-form": HTMLFormElement;
  "lobby-join": HTMLButtonElement;
  "lobby-name": HTMLInputElement;
  languages: HTMLDialogElement;
  message: HTMLTextAreaElement;
  "new-poll": HTMLDialogElement;
  "new-poll-answers": HTMLTextAreaElement;
  "new-poll-form": HTMLFormElement;
  "new-poll-question": HTMLInputElement;
  "new-poll-several": HTMLInputElement;
  "new-poll-start": HTMLButtonElement;
  "people-search": HTMLInputElement;
  reacted: HTMLDialogElement;
  self: HTMLDialogElement;
  settings: HTMLDialogElement;
  "settings-description": HTMLTextAreaElement;
  "settings-form": HTMLFormElement;
  "settings-history": HTMLSelectElement;
  "settings-locked": HTMLInputElement;
  "settings-pins": HTMLInputElement;
  "settings-save": HTMLButtonElement;
  "settings-slow": HTMLSelectElement;
  "settings-title": HTMLInputElement;
  "self-name": HTMLInputElement;
  "self-status": HTMLInputElement;
  share: HTMLDialogElement;
  to: HTMLSelectElement;
  transcript: HTMLDialogElement;
}

/** A part of a sentence; what is false or missing is left out. */
export type Said = string | number | Node | false | null | undefined;

/** Somebody as far as it takes to name them: a peer, or whoever wrote or did something. */
export interface Someone {
  id?: string;
  name?: string;
  person?: string;
}

/** A person who is here: one peer for all of their tabs that look alike. */
export interface PersonHere extends HMSPeer {
  tabs: HMSPeer[];
}

export interface MenuItem {
  label: string;
  action: () => void;
  danger?: boolean;
  /** Of a switch. */
  checked?: boolean;
  /** Why it cannot be done, as a sentence; empty if it can. */
  whyNot?: string;
}

export interface Pin {
  text: string;
  /** Of the message; empty where an app wrote it that knows the session metadata only. */
  id: string;
  /** When the message was said, in ms, where that is known: others may have stored anything. */
  timestamp?: unknown;
  author: Someone | null;
  pinner: Someone | null;
}

declare global {
  interface Window {
    /** Of theme.js, which is no module: it runs before the page is drawn. */
    hmsroomTheme: { change: () => void; current: () => string };
  }
}
