// Holds the state and tells those who asked when the part they look at has changed.

import { report } from "./report.js";
import { same } from "./same.js";
import { nowhere } from "./state/start.js";
import { view } from "./state/view.js";

/** @import { HMSStore } from "../hms.js" */
/** @import { State } from "./state/types.js" */

/** @param {any} state */
const everything = (state) => state;

export class Store {
  #state = nowhere();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #tellsAtOnce = false;

  /** The state behind the view, for those who change it. */
  get raw() {
    return this.#state;
  }

  /** @param {State} state */
  set(state) {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) listener();
    }
  }

  /** From now on subscribe() calls back once with the present value. */
  triggerOnSubscribe() {
    this.#tellsAtOnce = true;
  }

  /**
   * @template [Value=HMSStore]
   * @param {(store: HMSStore<any>) => Value} selector
   * @returns {Value}
   */
  getState(selector = everything) {
    return selector(view(this.#state));
  }

  /**
   * Calls back with (new, old) each time what the selector picks is no longer equal, compared deeply.
   * @template [Value=HMSStore]
   * @param {(value: Value, old: Value | undefined) => void} callback
   * @param {(store: HMSStore<any>) => Value} selector
   * @param {(value: Value, old: Value) => boolean} equal
   * @returns a function that ends it.
   */
  subscribe(callback, selector = everything, equal = same) {
    let held = this.getState(selector);
    /** @type {(value: Value, old: Value | undefined) => void} */
    const tell = (value, old) => {
      try {
        callback(value, old);
      } catch (error) {
        report(error);
      }
    };
    // What is new is held before it is told: a callback may itself change the store, and so come here again.
    const listener = () => {
      let value = held;
      try {
        value = this.getState(selector);
        if (equal(value, held)) return;
      } catch (error) {
        report(error); // of the app's selector, over something that somebody else wrote
        return;
      }
      const old = held;
      held = value;
      tell(value, old);
    };
    this.#listeners.add(listener);
    if (this.#tellsAtOnce) tell(held, undefined);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
