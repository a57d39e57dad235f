// The server's time: the clock of this computer may be set to anything, and may be set anew.

import { getState, selectServerTimeOffset, subscribe } from "../core.js";
import { pageData } from "./dom.js";
import { sameDay } from "./text.js";

const EVERY = 20_000; // ms between looks at the day

// Until the room has told it: the moment at which the server made this page, by a clock that cannot be set.
const [navigation] = performance.getEntriesByType("navigation");
const since = navigation instanceof PerformanceNavigationTiming ? navigation.responseStart : 0;
const fromPage = Number(pageData().now) - since;

export const serverNow = () => new Date(performance.now() + (getState(selectServerTimeOffset) ?? fromPage));

/**
 * Calls `action` when another day has begun.
 * @param {() => void} action
 */
export function eachDay(action) {
  let day = serverNow();
  const look = () => {
    const today = serverNow();
    if (!sameDay(day, today)) action();
    day = today;
  };
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
  subscribe(look, selectServerTimeOffset);
}
