// Stands in for the network in tests of the browser's modules: sockets that a test opens, feeds and closes by hand.

/** What a browser has not, which gives each message of a socket a turn of its own. */
export const nextTurn = globalThis.setImmediate;
globalThis.setImmediate = undefined;

export class Wire {
  sockets = [];

  makeSocket = (url) => {
    const socket = new WireSocket(url);
    this.sockets.push(socket);
    return socket;
  };

  get socket() {
    return this.sockets.at(-1);
  }
}

class WireSocket {
  readyState = 0;
  sent = [];

  constructor(url) {
    this.url = url;
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  open() {
    this.readyState = 1;
    this.onopen({});
  }

  hear(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  /** The last request of this method. */
  request(method) {
    return this.sent.findLast((frame) => frame.method === method);
  }

  answer(method, result) {
    this.hear({ id: this.request(method).id, result });
  }

  refuse(method, error) {
    this.hear({ id: this.request(method).id, error });
  }

  /** The other side closes. */
  drop(code = 1006) {
    this.readyState = 3;
    this.onclose({ code });
  }

  close(code) {
    this.readyState = 2;
    this.closedWith = code;
  }
}

/** A clock that moves when a test says so. */
export class Clock {
  #now = 1_790_000_000_000;
  #timers = new Set();

  now = () => this.#now;

  later = (action, delay) => {
    const timer = { action, at: this.#now + delay };
    this.#timers.add(timer);
    return timer;
  };

  cancel = (timer) => this.#timers.delete(timer);

  tick(ms) {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
    }
    this.#now = end;
  }

  /** Time passes without any timer coming due, as in a computer that sleeps. */
  sleep(ms) {
    this.#now += ms;
  }
}

/** The browser's Web Locks: one holder for each name, the others wait until it lets go or they are called off. */
export class Locks {
  #held = new Map(); // name → promise of its end

  async request(name, { signal }, action) {
    const calledOff = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    calledOff.catch(() => {});
    while (this.#held.has(name)) await Promise.race([this.#held.get(name), calledOff]);
    const end = Promise.resolve(action({ name })).finally(() => this.#held.delete(name));
    this.#held.set(name, end);
    return end;
  }

  get names() {
    return [...this.#held.keys()];
  }
}

/** Lets promises that are ready to go on do so. */
export async function settle() {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}
