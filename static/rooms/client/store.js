// Holds the state and tells those who asked when the part they look at has changed.

import { same } from "./json.js";
import { report } from "./report.js";
import { nowhere } from "./state/state.js";
import { view } from "./state/view.js";

const everything = (state) => state;

export class Store {
  #state = nowhere();
  #listeners = new Set();
  #tellsAtOnce = false;

  /** The state behind the view, for those who change it. */
  get raw() {
    return this.#state;
  }

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

  getState(selector = everything) {
    return selector(view(this.#state));
  }

  /**
   * Calls back with (new, old) each time what the selector picks is no longer equal, compared deeply.
   * @returns a function that ends it.
   */
  subscribe(callback, selector = everything, equal = same) {
    let held = this.getState(selector);
    const tell = (value, old) => {
      try {
        callback(value, old);
      } catch (error) {
        report(error);
      }
    };
    const listener = () => {
      let value;
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
    return () => this.#listeners.delete(listener);
  }
}
