// When to try again to connect.

import { CLOSE_CODES, PAGE_CLOSED } from "./closing.js";

/** @import { Timers } from "./timers.js" */

const FIRST = 500; // ms before the first new try; doubles with each
const LONGEST = 6_000; // a server that is back should not be waited for much longer
const REST = 15_000; // after too many refusals
const SPREAD = 2_000; // where everybody comes back at once

export class Backoff {
  #timers;
  #random;
  #attempt = 0;
  /** @type {{ action: () => void, cancel: () => void } | null} */
  #planned = null;

  /**
   * @param {Timers} timers
   * @param {() => number} random from 0 to 1
   */
  constructor(timers, random) {
    this.#timers = timers;
    this.#random = random;
  }

  get isPlanned() {
    return this.#planned !== null;
  }

  /** Counts a failure, and says which it is since the last success. */
  fail() {
    this.#attempt += 1;
    return this.#attempt;
  }

  succeed() {
    this.#attempt = 0;
  }

  /**
   * Does something after a while, in milliseconds, which depends on the code with which the socket was closed.
   * @param {number} code
   * @param {() => void} action
   */
  plan(code, action) {
    const delay = delayOf(this.#attempt, code, this.#random());
    const cancel = this.#timers.later(() => {
      this.#planned = null;
      action();
    }, delay);
    this.#planned = { action, cancel };
    return delay;
  }

  /** Does at once what is planned. */
  hurry() {
    const planned = this.#planned;
    this.#planned = null;
    planned?.cancel();
    planned?.action();
  }
}

/** @type {(attempt: number, code: number, chance: number) => number} */
function delayOf(attempt, code, chance) {
  let longest = Math.min(LONGEST, FIRST * 2 ** (attempt - 1));
  if (code === CLOSE_CODES.TOO_MANY_REFUSALS) longest = REST;
  if (code === PAGE_CLOSED) longest = REST; // a page that is shown again says so
  if (code === CLOSE_CODES.RESTART) longest = Math.max(longest, SPREAD);
  return longest * (0.5 + chance / 2);
}
