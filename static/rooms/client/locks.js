// Locks of the session, which this page holds while something is done.

import { RpcError } from "./connection/error.js";
import { Lines } from "./lines.js";
import { lockView } from "./state/view.js";

/** @import { HMSHeldLock, HMSLockOptions } from "../hms.js" */
/** @import { Client } from "./client.js" */
/** @import { Lock } from "./state/types.js" */
/** @import { Store } from "./store.js" */

const LONGEST_WAIT = 60_000; // ms, which the server allows

export class Locks {
  #client;
  #store;
  #lines = new Lines();
  /** @type {Set<string>} names of locks that this page asks for, holds or lets go of */
  #busy = new Set();

  /**
   * @param {Client} client
   * @param {Store} store
   */
  constructor(client, store) {
    this.#client = client;
    this.#store = store;
    client.hearing.after("on-lock-change", () => this.freeForgotten());
  }

  /**
   * What `action` comes to, done while this page holds the lock.
   * @template Result
   * @param {string} name
   * @param {(lock: HMSHeldLock) => Result | Promise<Result>} action
   * @param {HMSLockOptions} options
   * @returns {Promise<Result>}
   */
  run(name, action, { expiresIn, waitMs = LONGEST_WAIT } = {}) {
    const patience = Math.min(waitMs, LONGEST_WAIT);
    const until = performance.now() + patience;
    // A peer that asks again for what it holds gets it: its own calls wait here.
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        reject(this.#conflict(name));
      }, patience);
      const turn = async () => {
        clearTimeout(timer);
        if (isLate) return;
        const wait = Math.max(0, Math.round(until - performance.now()));
        resolve(await this.#hold({ name, expires_in: expiresIn, wait_ms: wait }, action));
      };
      this.#turn(name, turn).catch(reject);
    });
  }

  /** @param {{ name: string, token: number }} lock */
  async free({ name, token }) {
    this.#client.change("read-lock", await this.#client.call("unlock", { name, token }, { again: true }));
  }

  /** Frees what this peer got before the page was loaded again: what was to be done under it is gone. */
  freeForgotten() {
    const { locks, room } = this.#client.state;
    for (const lock of locks.values()) {
      if (lock.holder !== room.localPeer || this.#busy.has(lock.name)) continue;
      this.#turn(lock.name, () => this.free(lock)).catch(() => {}); // or it is lost
    }
  }

  /**
   * @template Result
   * @param {string} name
   * @param {() => Promise<Result>} action
   */
  #turn(name, action) {
    return this.#lines.run(name, async () => {
      this.#busy.add(name);
      try {
        return await action();
      } finally {
        this.#busy.delete(name);
      }
    });
  }

  /**
   * @template Result
   * @param {{ name: string, expires_in?: number, wait_ms: number }} params
   * @param {(lock: HMSHeldLock) => Result | Promise<Result>} action
   * @returns {Promise<Result>}
   */
  async #hold(params, action) {
    const answer = await this.#client.call("lock", params, { again: true, patient: true });
    this.#client.change("read-lock", answer);
    const { signal, end } = this.#watch(answer);
    try {
      return await action({ name: answer.name, token: answer.token, signal });
    } finally {
      end();
      if (!signal.aborted) await this.free(answer).catch(() => {}); // or it is lost meanwhile
    }
  }

  /**
   * A signal that aborts when this page does not hold the lock any more.
   * @param {Lock} lock
   */
  #watch({ name, token }) {
    const { sessionId } = this.#client.state.room;
    const controller = new AbortController();
    const look = () => {
      const { locks, room } = this.#client.state;
      // On the way back, what became of it has not been heard yet.
      if (room.sessionId === sessionId && room.roomState === "Reconnecting") return;
      const lock = locks.get(name);
      const isHeld = room.sessionId === sessionId && lock?.token === token && lock.holder === room.localPeer;
      if (!isHeld) controller.abort(this.#conflict(name));
    };
    const end = this.#store.subscribe(look, ({ locks, room }) => [locks, room]);
    look();
    return { signal: controller.signal, end };
  }

  /** @param {string} name */
  #conflict(name) {
    const error = new RpcError({ code: 409, message: `lock: ${name} is not held by this page` });
    const held = this.#client.state.locks.get(name);
    return Object.assign(error, held && { lock: lockView(held) });
  }
}
