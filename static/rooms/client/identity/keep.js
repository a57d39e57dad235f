// What outlives a reload of the page: this tab's peer id, and the state with its place in the session.

import { pack, unpack } from "../state/pack.js";

/** @import { State } from "../state/types.js" */

const DELAY = 300; // ms between a change and its being written
/** @type {WeakMap<Storage, Set<string>>} */
const inUse = new WeakMap(); // storage → keys: two stores on one page must not be one peer

export class Keeper {
  #key;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Storage | null} */
  #storage = null;
  /** @type {State | null} */
  #latest = null;
  #write = () => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#latest || !this.#storage) return;
    try {
      this.#storage.setItem(this.#key, pack(this.#latest));
    } catch {
      this.#storage.removeItem(this.#key); // full: an old place with an old state would be worse than none
    }
  };

  /** @param {string} key of the room, the role and the owner of the token: nobody else may take up the peer */
  constructor(key) {
    this.#key = key;
    const found = storage();
    if (!found) return;
    /** @type {Set<string>} */
    const keys = inUse.get(found) ?? new Set();
    if (keys.has(key)) return;
    inUse.set(found, keys.add(key));
    this.#storage = found;
    globalThis.addEventListener?.("pagehide", this.#write);
  }

  /** The state that was kept, or null. */
  load() {
    try {
      const text = this.#storage?.getItem(this.#key);
      return text ? unpack(text) : null;
    } catch {
      return null;
    }
  }

  /**
   * `now`: it cannot be had again from the server.
   * @param {State} state
   */
  save(state, { now = false } = {}) {
    if (!this.#storage) return;
    this.#latest = state;
    if (now) this.#write();
    else this.#timer ??= setTimeout(this.#write, DELAY);
  }

  /** Writes what is not written yet and lets go of the key. */
  close() {
    if (!this.#storage) return;
    this.#write();
    this.#release();
  }

  /** Forgets it all: there is nothing to come back to. */
  clear() {
    if (!this.#storage) return;
    clearTimeout(this.#timer);
    this.#storage.removeItem(this.#key);
    this.#release();
  }

  #release() {
    this.#latest = null;
    if (this.#storage) inUse.get(this.#storage)?.delete(this.#key);
    this.#storage = null;
    globalThis.removeEventListener?.("pagehide", this.#write);
  }
}

function storage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null; // the browser does not let pages store anything
  }
}
