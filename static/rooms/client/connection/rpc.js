// One socket to the server: requests and their answers, notifications, and the way back after a loss.

const PING_EVERY = 5_000; // ms between pings
const SILENCE = 12_000; // ms without a frame after a ping: the connection is lost, whatever the browser thinks
const ARRIVAL = 15_000; // ms for a new socket to open and to be greeted
const FIRST_DELAY = 500; // ms before the first new try; doubles with each
const LONGEST_DELAY = 6_000; // a server that is back should not be waited for much longer
const LONG_REST = 15_000; // after too many refusals
const FIRST_TRIES = 5; // before open() gives up
const CALL_TRIES = 4; // for answers that ask to try again: too fast, not available

/** Close codes after which there is nothing to come back to. */
const FINAL = new Map([
  [4002, "opened in another tab"],
  [4003, "removed from the room"],
]);
const SERVICE_RESTART = 1012;
const TOO_MANY_REFUSALS = 4029;

export class RpcError extends Error {
  /** @param {{code: number, message: string, data?: unknown, isTerminal?: boolean}} fields */
  constructor({ code, message, data, isTerminal = false }) {
    super(message);
    this.name = "HMSException";
    this.code = code;
    this.description = message;
    this.isTerminal = isTerminal;
    if (data !== undefined) this.data = data;
  }
}

const CLOCK = {
  now: () => performance.now(), // a step of the computer's clock is no silence
  later: (action, delay) => setTimeout(action, delay),
  cancel: (timer) => clearTimeout(timer),
};

class Told extends Event {
  constructor(type, detail) {
    super(type);
    this.detail = detail;
  }
}

const asError = (error) =>
  error instanceof RpcError ? error : new RpcError({ code: 1003, message: String(error?.message ?? error) });

const passing = ({ code }) => code === 429 || (code >= 500 && code < 600);

/**
 * Events: `notification` {method, params, seq}, `pong` (the result of a ping), `lost` {attempt, delay, code},
 * `restored`, `ended` {error}.
 */
export class Rpc extends EventTarget {
  #address;
  #greet;
  #makeSocket;
  #random;
  #clock;
  #socket = null;
  #ready = false; // greeted on the present socket: calls may pass
  #over = null; // the error that ended it all
  #opened = false; // was ready once
  #attempt = 0;
  #lastId = 0;
  #waiting = new Map(); // id → request on the wire
  #queue = []; // requests for the next time the socket is ready
  #timers = new Set();
  #retryTimer = null;
  #heardAt = 0;
  #pingedAt = null;
  #opening = {};

  /**
   * @param {object} options
   * @param {() => Promise<string>} options.address the socket's URL, asked anew for each try; an error with
   *   `isTerminal` ends the connection
   * @param {(call: Function) => Promise<void>} options.greet what has to be said first on every new socket
   */
  constructor({ address, greet, makeSocket = (url) => new WebSocket(url), random = Math.random, clock = CLOCK }) {
    super();
    this.#address = address;
    this.#greet = greet;
    this.#makeSocket = makeSocket;
    this.#random = random;
    this.#clock = clock;
  }

  /** Resolves when the first socket has been greeted, rejects when that will not happen. */
  open() {
    const opening = new Promise((resolve, reject) => (this.#opening = { resolve, reject }));
    this.#connect();
    return opening;
  }

  get ready() {
    return this.#ready;
  }

  /**
   * The result of a request. Waits while the connection is away.
   * `again`: sending it twice does no harm, so one that was on the wire when the socket broke is sent once more.
   * `patient`: is tried until it is not too fast any more.
   */
  call(method, params = {}, { again = false, patient = false } = {}) {
    if (this.#over) return Promise.reject(this.#over);
    let text;
    try {
      text = JSON.stringify(params);
    } catch (error) {
      return Promise.reject(new RpcError({ code: 400, message: `${method}: ${error.message}` }));
    }
    return new Promise((resolve, reject) => {
      const request = { method, text, again, patient, tries: 1, resolve, reject };
      if (this.#ready) this.#send(request);
      else this.#queue.push(request);
    });
  }

  /** A frame that is not answered; dropped when there is no socket. */
  notify(method, params = {}) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify({ method, params }));
  }

  close() {
    this.#end(new RpcError({ code: 1000, message: "left the room" }), { silent: true });
  }

  /** Ends the connection for good with this error. */
  fail(error) {
    this.#end(error);
  }

  /** Takes a connection that was up for lost, and looks for another. */
  lose() {
    if (this.#ready) this.#closed(1006);
  }

  /** Begins anew on another socket, though nothing was wrong with this one. */
  reopen() {
    this.#drop();
    if (!this.#retryTimer) this.#retry({});
  }

  /** Tries at once instead of waiting for the next turn; asks a silent connection whether it lives. */
  hurry() {
    if (this.#over) return;
    if (this.#retryTimer) {
      this.#cancel(this.#retryTimer);
      this.#retryTimer = null;
      this.#connect();
    } else if (this.#ready) {
      this.#ping();
    }
  }

  async #connect() {
    let url;
    try {
      url = await this.#address();
    } catch (error) {
      if (this.#over) return;
      if (error?.isTerminal) this.#end(error);
      else this.#retry({ error });
      return;
    }
    if (this.#over) return;
    let socket;
    try {
      socket = this.#makeSocket(url);
    } catch (error) {
      this.#end(asError(error)); // the browser will not let this page have such a socket the next time either
      return;
    }
    this.#attach(socket);
  }

  #attach(socket) {
    this.#socket = socket;
    this.#pingedAt = null;
    const mine = (handler) => (event) => socket === this.#socket && handler(event);
    socket.onopen = mine(() => this.#welcome(socket));
    socket.onmessage = mine(({ data }) => this.#receive(data));
    socket.onclose = mine(({ code }) => this.#closed(code));
    this.#later(() => socket === this.#socket && !this.#ready && this.#closed(1006), ARRIVAL);
  }

  async #welcome(socket) {
    try {
      await this.#greet((method, params = {}) => {
        if (socket !== this.#socket) throw lost();
        const text = JSON.stringify(params);
        return new Promise((resolve, reject) => this.#send({ method, text, tries: CALL_TRIES, resolve, reject }));
      });
    } catch (error) {
      if (socket !== this.#socket || this.#over) return; // it broke meanwhile: already being retried
      if (error instanceof RpcError && error.code >= 400 && !passing(error)) {
        error.isTerminal = true;
        this.#end(error);
      } else {
        this.#drop();
        this.#retry({ error });
      }
      return;
    }
    if (socket !== this.#socket || this.#over) return;
    this.#ready = true;
    this.#attempt = 0;
    for (const request of this.#queue.splice(0)) this.#send(request);
    this.#later(() => this.#beat(socket), PING_EVERY);
    if (this.#opened) this.#emit("restored");
    this.#opened = true;
    this.#opening.resolve();
  }

  #send(request) {
    const id = String(++this.#lastId);
    this.#waiting.set(id, request);
    const { method, text } = request;
    this.#socket.send(`{"method":${JSON.stringify(method)},"params":${text},"id":"${id}","jsonrpc":"2.0"}`);
  }

  #receive(text) {
    this.#heardAt = this.#clock.now();
    const frame = parsed(text);
    if (!frame) {
      this.#closed(1006, new RpcError({ code: 1003, message: "what the server sent cannot be read" }));
      return;
    }
    const request = this.#waiting.get(frame.id);
    if (!request) {
      if (frame.method) this.#emit("notification", frame);
      return;
    }
    this.#waiting.delete(frame.id);
    if (!frame.error) request.resolve(frame.result);
    else if (this.#isWorthATry(request, frame.error)) this.#sendLater(request);
    else request.reject(new RpcError(frame.error));
  }

  #isWorthATry({ tries, patient }, error) {
    return passing(error) && (tries < CALL_TRIES || (patient && error.code === 429));
  }

  #sendLater(request) {
    const wait = 1_000 * Math.min(request.tries, CALL_TRIES) * (1 + this.#random());
    request.tries += 1;
    this.#later(() => (this.#ready ? this.#send(request) : this.#queue.push(request)), wait, request);
  }

  #beat(socket) {
    if (socket !== this.#socket) return;
    if (this.#pingedAt !== null && this.#heardAt < this.#pingedAt && this.#clock.now() - this.#pingedAt > SILENCE) {
      this.#closed(1006);
      return;
    }
    this.#ping();
    this.#later(() => this.#beat(socket), PING_EVERY);
  }

  #ping() {
    if (this.#pingedAt === null || this.#heardAt >= this.#pingedAt) this.#pingedAt = this.#clock.now();
    this.#send({
      method: "ping",
      text: JSON.stringify({ timestamp: Math.round(this.#clock.now()) }),
      tries: CALL_TRIES,
      resolve: (result) => this.#emit("pong", result),
      reject: () => {},
    });
  }

  #closed(code, error) {
    this.#drop();
    if (FINAL.has(code)) {
      this.#end(new RpcError({ code, message: FINAL.get(code), isTerminal: true }));
    } else {
      this.#retry({ code, error });
    }
  }

  /** Lets go of the socket; requests on it go back to the queue or fail. */
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    const unanswered = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#queue.unshift(...unanswered.filter((request) => request.again));
    for (const request of unanswered) if (!request.again) request.reject(lost());
    if (socket && socket.readyState < 2) socket.close(1000);
  }

  #retry({ code = 0, error = null }) {
    this.#attempt += 1;
    if (!this.#opened && this.#attempt >= FIRST_TRIES) {
      this.#end(error ? asError(error) : new RpcError({ code: 1003, message: "the server cannot be reached" }));
      return;
    }
    let longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (this.#attempt - 1));
    if (code === TOO_MANY_REFUSALS) longest = LONG_REST;
    if (code === SERVICE_RESTART) longest = Math.max(longest, 2_000); // everybody comes back at once: spread it
    const delay = longest * (0.5 + this.#random() / 2);
    this.#retryTimer = this.#later(() => {
      this.#retryTimer = null;
      this.#connect();
    }, delay);
    if (this.#opened) this.#emit("lost", { attempt: this.#attempt, delay, code });
  }

  #end(error, { silent = false } = {}) {
    if (this.#over) return;
    this.#over = error;
    for (const timer of this.#timers) {
      this.#clock.cancel(timer.handle);
      timer.request?.reject(error);
    }
    this.#timers.clear();
    this.#drop();
    for (const request of this.#queue.splice(0)) request.reject(error);
    this.#opening.reject?.(error);
    if (!silent) this.#emit("ended", { error });
  }

  #later(action, delay, request) {
    const timer = { request };
    timer.handle = this.#clock.later(() => {
      this.#timers.delete(timer);
      action();
    }, delay);
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer) {
    this.#clock.cancel(timer.handle);
    this.#timers.delete(timer);
  }

  #emit(type, detail) {
    this.dispatchEvent(new Told(type, detail));
  }
}

const lost = () => new RpcError({ code: 1003, message: "the connection broke before the server answered" });

/** The object that a frame holds, or null. */
function parsed(text) {
  try {
    const frame = JSON.parse(text);
    return typeof frame === "object" && !Array.isArray(frame) ? frame : null;
  } catch {
    return null;
  }
}
