// Why something did not work, in words for people: those for what the server refuses are loaded when they are needed.

import { isOutdated, soon } from "./loader.js";
import { gettext } from "./translation.js";

export const OUTDATED = gettext("There is a newer version of this page. Reload it to go on.");

/**
 * What an error, or only its message, means to who meets it.
 * @param {any} error
 * @returns {Promise<string>}
 */
export async function inWords(error) {
  const message = typeof error === "string" ? error : (error?.message ?? "");
  // What keeps those words from being loaded, too.
  if (message === "offline") return gettext("You are offline. Try again when you are back.");
  if (/cannot be reached|connection broke/u.test(message))
    return gettext("The server cannot be reached. Check your connection and try again.");
  const from = await soon();
  return from?.inWords(error) ?? (isOutdated() ? OUTDATED : gettext("That did not work. Try again."));
}
