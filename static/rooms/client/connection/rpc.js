// One connection to the server: a socket, notifications and answers, and the way back after a loss.

import { Backoff } from "./backoff.js";
import { FINAL, LEFT, LOST, PAGE_CLOSED } from "./closing.js";
import { asError, isPassing, lost, RpcError } from "./error.js";
import { Line } from "./line.js";
import { Requests } from "./requests.js";
import { CLOCK, Timers } from "./timers.js";

/** @import { CallOptions, Frame } from "./requests.js" */
/** @import { Clock } from "./timers.js" */

const ARRIVAL = 15_000; // ms for a new socket to open and to be greeted
const FIRST_TRIES = 5; // before open() gives up

/** @typedef {(method: string, params?: object) => Promise<any>} Call */

/**
 * @typedef {object} Options
 * @property {() => Promise<string>} address the socket's URL, asked anew for each try; an error with `isTerminal` ends
 *   the connection
 * @property {(call: Call) => Promise<unknown>} greet what has to be said first on every new socket
 * @property {(url: string) => WebSocket} [makeSocket]
 * @property {() => number} [random]
 * @property {Clock} [clock]
 */

/**
 * Events: `notification` {method, params, seq}, `pong` (the result of a ping), `lost` {attempt, delay, code},
 * `restored`, `ended` {error}.
 */
export class Rpc extends EventTarget {
  #address;
  #greet;
  #makeSocket;
  #timers;
  #requests;
  #backoff;
  /** @type {Line | null} */
  #line = null;
  #ready = false; // greeted on the present line: calls may pass
  /** @type {RpcError | null} */
  #over = null; // what ended it all
  #opened = false; // was ready once
  /** @type {{ resolve?: () => void, reject?: (error: RpcError) => void }} */
  #opening = {};

  /** @param {Options} options */
  constructor({ address, greet, makeSocket = (url) => new WebSocket(url), random = Math.random, clock = CLOCK }) {
    super();
    this.#address = address;
    this.#greet = greet;
    this.#makeSocket = makeSocket;
    this.#timers = new Timers(clock);
    this.#requests = new Requests(this.#timers, random);
    this.#backoff = new Backoff(this.#timers, random);
  }

  /**
   * Resolves when the first socket has been greeted, rejects when that will not happen.
   * @returns {Promise<void>}
   */
  open() {
    const opening = new Promise((resolve, reject) => {
      this.#opening = { resolve: () => resolve(undefined), reject };
    });
    this.#connect();
    return opening;
  }

  /**
   * The result of a request. Waits while the connection is away.
   * @param {string} method
   * @param {object} [params]
   * @param {CallOptions} [options]
   */
  call(method, params = {}, options = {}) {
    return this.#over ? Promise.reject(this.#over) : this.#requests.call(method, params, options);
  }

  /**
   * A frame that is not answered; dropped when there is no socket.
   * @param {string} method
   * @param {object} [params]
   */
  notify(method, params = {}) {
    if (this.#line?.isOpen) this.#line.send(JSON.stringify({ method, params }));
  }

  close() {
    this.fail(new RpcError({ code: LEFT, message: "left the room" }), { silent: true });
  }

  /** Takes a connection that was up for lost, and looks for another. */
  lose() {
    if (this.#ready) this.#closed(LOST);
  }

  /** Tells the server that the page is being closed, and looks for another connection should it not be. */
  hide() {
    if (this.#over || !this.#line) return;
    this.#drop(PAGE_CLOSED);
    this.#retry({ code: PAGE_CLOSED });
  }

  /** Begins anew on another socket, though nothing was wrong with this one. */
  reopen() {
    this.#drop();
    if (!this.#backoff.isPlanned) this.#retry({});
  }

  /** Tries at once instead of waiting for the next turn; asks a silent connection whether it lives. */
  hurry() {
    if (this.#over) return;
    if (this.#backoff.isPlanned) this.#backoff.hurry();
    else if (this.#ready) this.#line?.ping();
  }

  async #connect() {
    let url = "";
    try {
      url = await this.#address();
    } catch (error) {
      if (this.#over) return;
      if (error instanceof RpcError && error.isTerminal) this.fail(error);
      else this.#retry({ error });
      return;
    }
    if (this.#over) return;
    try {
      this.#attach(this.#makeSocket(url));
    } catch (error) {
      this.fail(asError(error)); // the browser will not let this page have such a socket the next time either
    }
  }

  /** @param {WebSocket} socket */
  #attach(socket) {
    const line = new Line(socket, this.#timers, {
      opened: () => this.#welcome(line),
      heard: (text) => this.#receive(text),
      closed: (code = LOST) => this.#closed(code),
      ping: () => this.#requests.ping(Math.round(this.#timers.now), (result) => this.#emit("pong", result)),
    });
    this.#line = line;
    this.#requests.attach((text) => line.send(text));
    // Browsers wait minutes for a socket to open, and for ever for what is to be said on it.
    this.#timers.later(() => line.isInUse && !this.#ready && this.#closed(LOST), ARRIVAL);
  }

  /** @param {Line} line */
  async #welcome(line) {
    try {
      await this.#greet(async (method, params = {}) => {
        if (!line.isInUse) throw lost();
        return this.#requests.now(method, params);
      });
    } catch (error) {
      if (line.isInUse) this.#unwelcome(error); // else it broke meanwhile: already being retried
      return;
    }
    if (!line.isInUse) return;
    this.#ready = true;
    this.#backoff.succeed();
    this.#requests.flow();
    line.watch();
    if (this.#opened) this.#emit("restored");
    this.#opened = true;
    this.#opening.resolve?.();
  }

  /** @param {unknown} error of a greeting */
  #unwelcome(error) {
    if (error instanceof RpcError && error.code >= 400 && !isPassing(error)) {
      error.isTerminal = true;
      this.fail(error);
    } else {
      this.#drop();
      this.#retry({ error });
    }
  }

  /** @param {string} text */
  #receive(text) {
    const frame = parsed(text);
    if (!frame) this.#closed(LOST, new RpcError({ code: 1003, message: "what the server sent cannot be read" }));
    else if (!this.#requests.answer(frame) && frame.method) this.#emit("notification", frame);
  }

  /** @type {(code: number, error?: RpcError) => void} */
  #closed = (code, error) => {
    this.#drop();
    const why = FINAL.get(code);
    if (why) this.fail(new RpcError({ code, message: why, isTerminal: true }));
    else this.#retry({ code, error });
  };

  /**
   * Lets go of the line.
   * @param {number} [code] what the server is told
   */
  #drop(code) {
    const line = this.#line;
    this.#line = null;
    this.#ready = false;
    this.#requests.detach();
    line?.end(code);
  }

  /** @param {{ code?: number, error?: unknown }} why */
  #retry({ code = 0, error }) {
    const attempt = this.#backoff.fail();
    if (!this.#opened && attempt >= FIRST_TRIES) {
      this.fail(asError(error ?? new RpcError({ code: 1003, message: "the server cannot be reached" })));
      return;
    }
    const delay = this.#backoff.plan(code, () => this.#connect());
    if (this.#opened) this.#emit("lost", { attempt, delay, code });
  }

  /**
   * Ends the connection for good with this error.
   * @param {RpcError} error
   */
  fail(error, { silent = false } = {}) {
    if (this.#over) return;
    this.#over = error;
    this.#timers.clear();
    this.#requests.end(error);
    this.#drop();
    this.#opening.reject?.(error);
    if (!silent) this.#emit("ended", { error });
  }

  /** @type {(type: string, detail?: unknown) => void} */
  #emit = (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail }));
}

/**
 * The object that a frame holds, or null.
 * @param {string} text
 * @returns {Frame | null}
 */
function parsed(text) {
  try {
    const frame = JSON.parse(text);
    return typeof frame === "object" && !Array.isArray(frame) ? frame : null;
  } catch {
    return null;
  }
}
