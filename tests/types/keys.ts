// Keys of the session store that an app names are checked.

import type { HMSStore } from "../../static/rooms/hms.js";
import {
  HMSReactiveStore,
  hmsActions,
  hmsNotifications,
  hmsStore,
  selectSessionEntry,
  selectSessionStore,
} from "../../static/rooms/hms.js";

const hms = new HMSReactiveStore<{ slide: number; votes: string[] | null }>();
const [store, actions] = [hms.getStore(), hms.getActions()];

export const slide: number | undefined = store.getState(selectSessionStore("slide"));
export const entry: number | null | undefined = store.getState(selectSessionEntry("slide"))?.data;
export const all: { slide?: number } = store.getState(selectSessionStore());
export const own = (held: HMSStore<{ slide: number }>): number | undefined => held.sessionStore.slide;
store.subscribe((now: number | undefined) => now, selectSessionStore("slide"));
actions.sessionStore.set("slide", 3, { ifChangeVersion: 0 });
actions.sessionStore.set("votes", null);
actions.sessionStore.observe(["slide", "votes"]);

// @ts-expect-error a value of another type
actions.sessionStore.set("slide", "three");
// @ts-expect-error a key that was not named
actions.sessionStore.set("slid", 3);
// @ts-expect-error a key that was not named
store.getState(selectSessionStore("slid"));
// @ts-expect-error a value of another type
export const text: string | undefined = store.getState(selectSessionStore("slide"));

// An app that names none may use any.
hmsActions.sessionStore.set("anything", { at: 1 });
export const anything: string = hmsStore.getState(selectSessionStore("anything"));

hmsNotifications.onNotification(({ data }) => data.senderName, "NEW_MESSAGE");
hmsNotifications.onNotification(({ type, data }) => (type === "ROOM_ENDED" ? data.reason : type));
// @ts-expect-error no such notification
hmsNotifications.onNotification(() => {}, "NEW_MESSAGES");
