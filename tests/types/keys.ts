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

type Agenda = { title: string; talk: { minutes: number; by?: string } };
const hms = new HMSReactiveStore<{ slide: number; votes: string[] | null; agenda: Agenda }>();
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

// Parts of values are checked like the whole.
const held = actions.sessionStore;
held.increment("slide", 2);
held.patch("agenda", { talk: { minutes: 5, by: null } });
held.patch("agenda", [{ op: "replace", path: "/title", value: "Q3" }]);
held.patch("votes", ["all", "of", "them"]);
held.remove("votes", { ifChangeVersion: 3 });
held.update([
  { key: "slide", increment: 1, expiresIn: 60, owner: true },
  { key: "agenda", patch: { title: "Q3" }, ifChangeVersion: 2 },
  { key: "votes", value: [] },
]);
held.mutate("votes", (votes = []) => [...votes, "yes"], { attempts: 3 });
export const written: Promise<number | null> = held.mutate("slide", async (at = 0) => at + 1).then(({ data }) => data);

export const done: Promise<number> = actions.withLock("deck", async ({ token, signal, ...lock }) => {
  await held.set("slide", 1, { ifLock: { ...lock, token } });
  return signal.aborted ? 0 : 1;
});

// @ts-expect-error not a number
held.increment("agenda");
// @ts-expect-error a part of another type
held.patch("agenda", { talk: { minutes: "five" } });
// @ts-expect-error no such field
held.patch("agenda", { titel: "Q3" });
// @ts-expect-error a value of another type
held.update([{ key: "slide", value: "three" }]);
// @ts-expect-error not a number
held.update([{ key: "votes", increment: 1 }]);
// @ts-expect-error a value of another type
held.mutate("slide", () => "three");

// An app that names none may use any.
hmsActions.sessionStore.set("anything", { at: 1 });
hmsActions.sessionStore.patch("anything", { at: null });
hmsActions.sessionStore.increment("anything");
hmsActions.sessionStore.update([{ key: "anything", increment: 1 }]);
hmsActions.sessionStore.mutate("anything", (list = []) => [...list, 1]);
export const anything: string = hmsStore.getState(selectSessionStore("anything"));

hmsNotifications.onNotification(({ data }) => data.senderName, "NEW_MESSAGE");
hmsNotifications.onNotification(({ type, data }) => (type === "ROOM_ENDED" ? data.reason : type));
// @ts-expect-error no such notification
hmsNotifications.onNotification(() => {}, "NEW_MESSAGES");
