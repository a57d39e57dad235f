// Writing session metadata: each call is made once, also when the connection breaks before it is answered.

import { RpcError } from "./connection/error.js";
import { problemWith } from "./json.js";
import { Lines } from "./lines.js";
import { Observing } from "./observing.js";
import { entryFrom } from "./state/shapes.js";
import { entryView } from "./state/view.js";
import { uuid } from "./uuid.js";

/** @import { HMSIfLock, HMSMutateOptions, HMSSessionChange, HMSSessionEntry, HMSUpdateOptions } from "../hms.js" */
/** @import { HMSSessionStoreActions } from "../hms.js" */
/** @import { Client } from "./client.js" */
/** @import { CallOptions } from "./connection/requests.js" */

const REPEATABLE = 300_000; // ms for which a server knows a change again, by CLIENT_ID_SECONDS
const PARTS = new Set(["value", "patch", "increment"]);
const ATTEMPTS = 100;
const [SHORTEST_PAUSE, LONGEST_PAUSE] = [50, 2_000]; // ms after a conflict, at most

/** @implements {HMSSessionStoreActions} */
export class SessionStore extends Observing {
  #client;
  #lines = new Lines();

  /** @param {Client} client */
  constructor(client) {
    super(client);
    this.#client = client;
  }

  // Arrows, as in the class above it.

  /** @type {HMSSessionStoreActions["set"]} */
  set = async (key, value, options = {}) => {
    refuse("set", "value", value);
    const params = { ...onWire({ ...options, key, value }), if_lock: lockOnWire(options.ifLock) };
    const answer = await this.#conditional("set-metadata", params);
    return this.#held(answer, [answer])[0];
  };

  /** @type {HMSSessionStoreActions["patch"]} */
  patch = (key, patch, options) => this.#change("patch", { ...options, key, patch }, options);

  /** @type {HMSSessionStoreActions["increment"]} */
  increment = (key, by = 1, options = {}) => this.#change("increment", { ...options, key, increment: by }, options);

  /** @type {HMSSessionStoreActions["remove"]} */
  remove = (key, options) => this.#change("remove", { ...options, key, remove: true }, options);

  /** @type {HMSSessionStoreActions["update"]} */
  update = (changes, options) => this.#update("update", changes, options);

  /** @type {HMSSessionStoreActions["touch"]} */
  touch = async (key, expiresIn, { ifLock } = {}) => {
    const params = { key, expires_in: expiresIn, if_lock: lockOnWire(ifLock) };
    const answer = await this.#client.call("touch-metadata", params, { again: true });
    return this.#held(answer, [answer])[0];
  };

  /**
   * Those of one page wait for each other: at once they would be in each other's way.
   * @type {HMSSessionStoreActions["mutate"]}
   */
  mutate = (key, change, options = {}) => this.#lines.run(key, () => this.#mutate(key, change, options));

  /**
   * @param {string} action
   * @param {HMSSessionChange} change
   * @param {HMSUpdateOptions} [options]
   * @param {boolean} [patient] as in a call
   */
  async #change(action, change, options, patient) {
    return (await this.#update(action, [change], options, patient))[0];
  }

  /**
   * @param {string} action
   * @param {HMSSessionChange[]} changes
   * @param {HMSUpdateOptions} [options]
   * @param {boolean} [patient]
   */
  async #update(action, changes, { ifLock, changeId = uuid() } = {}, patient = false) {
    for (const change of changes) {
      for (const [part, value] of Object.entries(change)) if (PARTS.has(part)) refuse(action, part, value);
    }
    const params = { change_id: changeId, changes: changes.map(onWire), if_lock: lockOnWire(ifLock) };
    const answer = await this.#conditional("update-metadata", params, { again: this.#whileKnown(), patient });
    return this.#held(answer, answer.entries);
  }

  /**
   * @param {string} key
   * @param {(value: any) => unknown} change
   * @param {HMSMutateOptions} options
   */
  async #mutate(key, change, { attempts = ATTEMPTS, ifLock, ...terms }) {
    for (let attempt = 1; ; attempt += 1) {
      // What is held may be old: then the server says so, with the entry that stands, which is held from then on.
      const { metadata } = this.#client.state;
      const { data, change_version: ifChangeVersion } = metadata.get(key) ?? (await this.#read(key));
      // A copy, for an app may change what it is given; null, which a removed key holds too, is nothing to it.
      const value = await change(structuredClone(data) ?? undefined);
      try {
        return await this.#change("mutate", { ...terms, key, value, ifChangeVersion }, { ifLock }, true);
      } catch (error) {
        const stands = /** @type {RpcError} */ (error).data?.entries?.[0];
        // Without its value it is one that may be written but not read: there is nothing to change.
        if (attempt >= attempts || !stands || !("data" in stands)) throw error;
      }
      await pause(attempt);
    }
  }

  /** @param {string} key */
  async #read(key) {
    const entry = await this.#client.call("get-metadata", { key }, { again: true, patient: true });
    return entryFrom(entry);
  }

  /**
   * The answer to a write, which may be refused with entries as they stand: then the store holds those.
   * @param {string} method
   * @param {object} params
   * @param {CallOptions} [calling]
   */
  async #conditional(method, params, calling) {
    try {
      return await this.#client.call(method, params, calling);
    } catch (error) {
      const { code, data } = /** @type {RpcError} */ (error);
      if (code === 409 && data) this.#client.change("read-metadata", data);
      throw error;
    }
  }

  /**
   * Takes an answer into the store. Its entries, as the store shows them.
   * @param {any} answer
   * @param {HMSSessionEntry[]} entries
   */
  #held(answer, entries) {
    this.#client.change("read-metadata", answer);
    return entries.map((entry) => entryView(entryFrom(entry)));
  }

  /** Tells whether the server, if it has made a change that is sent now, would know it again. */
  #whileKnown() {
    const { sessionId, localPeer } = this.#client.state.room;
    const begun = Date.now(); // goes on while the computer sleeps
    return () => {
      const { room } = this.#client.state;
      return room.sessionId === sessionId && room.localPeer === localPeer && Date.now() - begun < REPEATABLE;
    };
  }
}

/** @param {HMSSessionChange & { [name: string]: any }} change */
const onWire = ({ key, value, patch, increment, remove, ifChangeVersion, expiresIn, owner, onLeave }) => ({
  key,
  data: value,
  patch,
  increment,
  remove,
  if_change_version: ifChangeVersion,
  expires_in: expiresIn,
  owner,
  on_leave: onLeave,
});

/** @param {HMSIfLock} [lock] */
const lockOnWire = (lock) => lock && { name: lock.name, token: lock.token };

/**
 * @param {string} action
 * @param {string} part
 * @param {unknown} value
 */
function refuse(action, part, value) {
  const problem = problemWith(value, part);
  if (problem) throw new RpcError({ code: 400, message: `sessionStore.${action}: ${problem}` });
}

/**
 * Of random length, longer after each attempt: those who were in each other's way come apart.
 * @param {number} attempt
 */
function pause(attempt) {
  const longest = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** attempt);
  return new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
}
