// What the browser remembers for this page; nothing where it may not.

/**
 * @template Value
 * @param {() => Value} action
 */
const guarded = (action) => {
  try {
    return action();
  } catch {
    return null;
  }
};

/** Over visits. */
export const lasting = {
  get: (/** @type {string} */ key) => guarded(() => localStorage.getItem(`hmsroom:${key}`)),
  set: (/** @type {string} */ key, /** @type {string} */ value) =>
    guarded(() => localStorage.setItem(`hmsroom:${key}`, value)),
};

/** In this tab, over a reload. */
export const here = {
  get: (/** @type {string} */ key) => guarded(() => sessionStorage.getItem(`hmsroom:${key}`)),
  set: (/** @type {string} */ key, /** @type {string} */ value) =>
    guarded(() => sessionStorage.setItem(`hmsroom:${key}`, value)),
  remove: (/** @type {string} */ key) => guarded(() => sessionStorage.removeItem(`hmsroom:${key}`)),
};
