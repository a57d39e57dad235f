// Whether a socket still lives: pings, and what to think of silence.

/** @import { Timers } from "./timers.js" */

const EVERY = 5_000; // ms between pings
const SILENCE = 12_000; // ms without a frame after a ping: the connection is lost, whatever the browser thinks

export class Pulse {
  #timers;
  #send;
  #lose;
  #heardAt = 0;
  /** @type {number | null} */
  #pingedAt = null;
  #rest = () => {};

  /**
   * @param {Timers} timers
   * @param {() => void} send sends a ping
   * @param {() => void} lose what to do about a socket that is silent
   */
  constructor(timers, send, lose) {
    this.#timers = timers;
    this.#send = send;
    this.#lose = lose;
  }

  start() {
    this.#rest = this.#timers.later(() => this.#beat(), EVERY);
  }

  stop() {
    this.#rest();
  }

  /** A frame has come. */
  heard() {
    this.#heardAt = this.#timers.now;
  }

  ping() {
    // Of several pings without an answer the first counts, or each would put the end off.
    if (this.#pingedAt === null || this.#heardAt >= this.#pingedAt) this.#pingedAt = this.#timers.now;
    this.#send();
  }

  #beat() {
    if (this.#pingedAt !== null && this.#heardAt < this.#pingedAt && this.#timers.now - this.#pingedAt > SILENCE) {
      this.#lose();
      return;
    }
    this.ping();
    this.start();
  }
}
