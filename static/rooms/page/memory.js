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

/**
 * The texts of a list that was kept; none where something else was.
 * @param {string} kept
 * @returns {string[]}
 */
function textsIn(kept) {
  const list = JSON.parse(kept);
  return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
}

/** @param {() => Storage} storage */
const memory = (storage) => ({
  get: (/** @type {string} */ key) => guarded(() => storage().getItem(`hmsroom:${key}`)),
  texts: (/** @type {string} */ key) => guarded(() => textsIn(storage().getItem(`hmsroom:${key}`) ?? "[]")) ?? [],
  set: (/** @type {string} */ key, /** @type {string} */ value) =>
    guarded(() => storage().setItem(`hmsroom:${key}`, value)),
  remove: (/** @type {string} */ key) => guarded(() => storage().removeItem(`hmsroom:${key}`)),
});

/** Over visits. */
export const lasting = memory(() => localStorage);

/** In this tab, over a reload. */
export const here = memory(() => sessionStorage);
