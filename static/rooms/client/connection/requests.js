// What is asked of the server and not answered yet, over one socket and the next.

import { isPassing, lost, RpcError } from "./error.js";

/** @import { Timers } from "./timers.js" */

const TRIES = 4; // for answers that ask to try again: too fast, not available

/**
 * @typedef {object} CallOptions
 * @property {boolean | (() => boolean)} [again] whether sending it twice does no harm: one that was on the wire when
 *   the socket broke is sent once more; a function is asked then
 * @property {boolean} [patient] whether it is tried until it is not too fast any more
 */

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {string} text its parameters as JSON
 * @property {CallOptions["again"]} [again]
 * @property {boolean} [patient]
 * @property {boolean} [isDoubtful] whether it was on the wire of a socket that broke
 * @property {number} tries
 * @property {(result: any) => void} resolve
 * @property {(error: unknown) => void} reject
 */

/** @typedef {{ id?: string, method?: string, params?: any, seq?: number, result?: any, error?: any }} Frame */

export class Requests {
  #timers;
  #random;
  /** @type {((text: string) => void) | null} */
  #write = null; // on the present socket
  #flows = false; // whether that one was greeted: calls may pass
  #lastId = 0;
  /** @type {Map<string | undefined, Request>} id → on the wire */
  #waiting = new Map();
  /** @type {Request[]} for the next time that calls may pass */
  #queue = [];
  /** @type {Set<Request>} refused for now */
  #resting = new Set();

  /**
   * @param {Timers} timers
   * @param {() => number} random
   */
  constructor(timers, random) {
    this.#timers = timers;
    this.#random = random;
  }

  /**
   * A new socket, on which only now() sends until flow().
   * @param {(text: string) => void} write
   */
  attach(write) {
    this.#write = write;
  }

  flow() {
    this.#flows = true;
    for (const request of this.#queue.splice(0)) {
      if (request.isDoubtful && !mayRepeat(request)) request.reject(lost());
      else this.#send(request);
    }
  }

  /** The socket is gone: what was on it waits for the next one, or fails. */
  detach() {
    this.#write = null;
    this.#flows = false;
    const unanswered = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const request of unanswered) request.isDoubtful = true;
    // In front: they were asked before what waits there.
    this.#queue.unshift(...unanswered.filter((request) => request.again));
    for (const request of unanswered) if (!request.again) request.reject(lost());
  }

  /**
   * There will be no other socket.
   * @param {RpcError} error
   */
  end(error) {
    for (const request of this.#resting) request.reject(error);
    this.#resting.clear();
    this.detach();
    for (const request of this.#queue.splice(0)) request.reject(error);
  }

  /**
   * The result of a request that waits its turn.
   * @param {string} method
   * @param {object} params
   * @param {CallOptions} options
   * @returns {Promise<any>}
   */
  call(method, params, { again = false, patient = false }) {
    let text = "";
    try {
      text = JSON.stringify(params);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      return Promise.reject(new RpcError({ code: 400, message: `${method}: ${message}` }));
    }
    return new Promise((resolve, reject) => this.#pass({ method, text, again, patient, tries: 1, resolve, reject }));
  }

  /**
   * The result of a request on the present socket, which is tried only once.
   * @param {string} method
   * @param {object} params
   * @returns {Promise<any>}
   */
  now(method, params) {
    const text = JSON.stringify(params);
    return new Promise((resolve, reject) => this.#send({ method, text, tries: TRIES, resolve, reject }));
  }

  /**
   * Asks whether the server is there, and for its time.
   * @param {number} timestamp
   * @param {(result: any) => void} told
   */
  ping(timestamp, told) {
    const text = JSON.stringify({ timestamp });
    this.#send({ method: "ping", text, tries: TRIES, resolve: told, reject: () => {} });
  }

  /**
   * Whether a frame is an answer; then it is given to who asked.
   * @param {Frame} frame
   */
  answer({ id, result, error }) {
    const request = this.#waiting.get(id);
    if (!request) return false;
    this.#waiting.delete(id);
    if (!error) request.resolve(result);
    else if (isWorthATry(request, error)) this.#sendLater(request, Number(error.data?.retry_after_ms) || 0);
    else request.reject(new RpcError(error));
    return true;
  }

  /** @param {Request} request */
  #pass(request) {
    if (this.#flows) this.#send(request);
    else this.#queue.push(request);
  }

  /** @param {Request} request */
  #send(request) {
    const id = String(++this.#lastId);
    this.#waiting.set(id, request);
    const { method, text } = request;
    this.#write?.(`{"method":${JSON.stringify(method)},"params":${text},"id":"${id}","jsonrpc":"2.0"}`);
  }

  /**
   * @param {Request} request
   * @param {number} least ms
   */
  #sendLater(request, least) {
    // Of random length, for whoever was refused together would come together again.
    const wait = Math.max(least, 1_000 * Math.min(request.tries, TRIES)) * (1 + this.#random());
    request.tries += 1;
    this.#resting.add(request);
    this.#timers.later(() => {
      this.#resting.delete(request);
      this.#pass(request);
    }, wait);
  }
}

/** @param {Request} request */
const mayRepeat = ({ again }) => (typeof again === "function" ? again() : again === true);

/**
 * @param {Request} request
 * @param {{ code: number }} error
 */
function isWorthATry({ tries, patient }, error) {
  return isPassing(error) && (tries < TRIES || (patient === true && error.code === 429));
}
