// How selectors are made.

/** @import { HMSStore } from "../hms.js" */

/**
 * @template Value
 * @typedef {(store: HMSStore<any>) => Value} Selector
 */

/**
 * @template Value
 * @param {Selector<Value>} selector
 */
export function select(selector) {
  return selector;
}

/**
 * A selector that computes again only when one of its inputs is another object.
 * @template {unknown[]} Inputs
 * @template Value
 * @param {{ [At in keyof Inputs]: Selector<Inputs[At]> }} inputs
 * @param {(...values: Inputs) => Value} compute
 * @returns {Selector<Value>}
 */
export function derived(inputs, compute) {
  /** @type {{ values: Inputs, result: Value } | undefined} */
  let held;
  return (store) => {
    const values = /** @type {Inputs} */ (inputs.map((input) => input(store)));
    if (!held || values.some((value, at) => value !== held?.values[at])) held = { values, result: compute(...values) };
    return held.result;
  };
}
