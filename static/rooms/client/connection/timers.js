// Timers that end together, by a clock that a test may move.

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds
 * @property {(action: () => void, delay: number) => unknown} later
 * @property {(timer: any) => void} cancel
 */

/** @type {Clock} */
export const CLOCK = {
  now: () => performance.now(), // a step of the computer's clock is no silence
  later: (action, delay) => setTimeout(action, delay),
  cancel: (timer) => clearTimeout(timer),
};

export class Timers {
  #clock;
  /** @type {Set<{ handle?: unknown }>} */
  #running = new Set();

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  get now() {
    return this.#clock.now();
  }

  /**
   * @param {() => void} action
   * @param {number} delay in milliseconds
   * @returns a function that calls it off
   */
  later(action, delay) {
    /** @type {{ handle?: unknown }} */
    const timer = {};
    timer.handle = this.#clock.later(() => {
      this.#running.delete(timer);
      action();
    }, delay);
    this.#running.add(timer);
    return () => {
      this.#clock.cancel(timer.handle);
      this.#running.delete(timer);
    };
  }

  clear() {
    for (const { handle } of this.#running) this.#clock.cancel(handle);
    this.#running.clear();
  }
}
