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

export class Line {
  #socket;
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
    socket.onopen = () => this.#isInUse && opened();
    socket.onclose = ({ code }) => this.#isInUse && closed(code);
    socket.onmessage = ({ data }) => {
      if (!this.#isInUse) return;
      this.#pulse.heard();
      heard(data);
    };
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
