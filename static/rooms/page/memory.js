// What the browser remembers for this page; nothing where it may not.

const guarded = (action) => {
  try {
    return action();
  } catch {
    return null;
  }
};

/** Over visits. */
export const lasting = {
  get: (key) => guarded(() => localStorage.getItem(`hmsroom:${key}`)),
  set: (key, value) => guarded(() => localStorage.setItem(`hmsroom:${key}`, value)),
};

/** In this tab, over a reload. */
export const here = {
  get: (key) => guarded(() => sessionStorage.getItem(`hmsroom:${key}`)),
  set: (key, value) => guarded(() => sessionStorage.setItem(`hmsroom:${key}`, value)),
  remove: (key) => guarded(() => sessionStorage.removeItem(`hmsroom:${key}`)),
};
