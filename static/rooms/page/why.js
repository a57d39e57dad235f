// Why something did not work, in words for people: those for what the server refuses are loaded when they are needed.

import { later } from "./loader.js";
import { gettext } from "./translation.js";

/** @type {[RegExp, string][]} what keeps those words from being loaded, too */
const AWAY = [
  [/^offline$/u, gettext("You are offline. Try again when you are back.")],
  [
    /cannot be reached|connection broke/u,
    gettext("The server cannot be reached. Check your connection and try again."),
  ],
];

export const OUTDATED = gettext("There is a newer version of this page. Reload it to go on.");

/**
 * What an error, or only its message, means to who meets it.
 * @param {any} error
 * @returns {Promise<string>}
 */
export async function inWords(error) {
  const message = typeof error === "string" ? error : (error?.message ?? "");
  const [, away] = AWAY.find(([pattern]) => pattern.test(message)) ?? [];
  if (away) return away;
  try {
    return (await later()).inWords(error);
  } catch (failure) {
    return /** @type {{ isGone?: boolean }} */ (failure).isGone ? OUTDATED : gettext("That did not work. Try again.");
  }
}
