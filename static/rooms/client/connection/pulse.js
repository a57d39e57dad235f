// Whether a socket still lives: pings, and what to think of silence.

/** @import { Timers } from "./timers.js" */

const EVERY = 10_000; // ms between pings
const SILENCE = 8_000; // ms without a frame after a ping: the connection is lost, whatever the browser thinks
const LOOK = 2_000; // ms between looks at whether one is due, or an answer overdue

export class Pulse {
  #timers;
  #send;
  #lose;
  #heardAt = 0;
  /** @type {number | null} */
  #pingedAt = null;
  #askedAt = 0; // when the last ping was sent
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
    this.#askedAt = this.#timers.now;
    this.#wait();
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
    this.#askedAt = this.#timers.now;
    if (this.#pingedAt === null || this.#heardAt >= this.#pingedAt) this.#pingedAt = this.#askedAt;
    this.#send();
  }

  #wait() {
    this.#rest = this.#timers.later(() => this.#look(), LOOK);
  }

  #look() {
    const { now } = this.#timers;
    if (this.#pingedAt !== null && this.#heardAt < this.#pingedAt && now - this.#pingedAt >= SILENCE) {
      this.#lose();
      return;
    }
    if (now - this.#askedAt >= EVERY) this.ping();
    this.#wait();
  }
}
