// One socket, as long as it is in use: of one that was let go nothing is heard any more.

import { LEFT } from "./closing.js";
import { Pulse } from "./pulse.js";

/** @import { Timers } from "./timers.js" */

/**
 * @typedef {object} Ends
 * @property {() => void} opened
 * @property {(text: string) => void} heard
 * @property {(code?: number) => void} closed without a code where it fell silent
 * @property {() => void} ping asks whether it lives
 */

/** @type {any} */
const everywhere = globalThis;
/** @type {{ setImmediate?: (action: () => void) => void }} */
const PLATFORM = everywhere;

/**
 * One after the other, each in a turn of the event loop of its own, with all that promises make of it. A browser gives
 * each message of a socket one; elsewhere, as in Node, several may come in one.
 */
class Turns {
  /** @type {(() => void)[]} */
  #waiting = [];
  #isTaken = false;

  /** @param {() => void} action */
  take(action) {
    if (!PLATFORM.setImmediate) action();
    else if (this.#isTaken) this.#waiting.push(action);
    else this.#begin(action);
  }

  /** @param {() => void} action */
  #begin(action) {
    this.#isTaken = true;
    PLATFORM.setImmediate?.(() => {
      this.#isTaken = false;
      const next = this.#waiting.shift();
      if (next) this.#begin(next);
    });
    action();
  }
}

export class Line {
  #socket;
  #turns = new Turns();
  #pulse;
  #isInUse = true;

  /**
   * @param {WebSocket} socket
   * @param {Timers} timers
   * @param {Ends} ends
   */
  constructor(socket, timers, { opened, heard, closed, ping }) {
    this.#socket = socket;
    this.#pulse = new Pulse(timers, ping, closed);
    socket.onopen = () => this.#inTurn(opened);
    socket.onclose = ({ code }) => this.#inTurn(() => closed(code));
    socket.onmessage = ({ data }) =>
      this.#inTurn(() => {
        this.#pulse.heard();
        heard(data);
      });
  }

  /** @param {() => void} action */
  #inTurn(action) {
    this.#turns.take(() => this.#isInUse && action());
  }

  get isInUse() {
    return this.#isInUse;
  }

  get isOpen() {
    return this.#socket.readyState === 1;
  }

  /** @param {string} text */
  send(text) {
    this.#socket.send(text);
  }

  /** From now on it is asked now and then whether it lives. */
  watch() {
    this.#pulse.start();
  }

  ping() {
    this.#pulse.ping();
  }

  end(code = LEFT) {
    this.#isInUse = false;
    this.#pulse.stop();
    if (this.#socket.readyState < 2) this.#socket.close(code);
  }
}
