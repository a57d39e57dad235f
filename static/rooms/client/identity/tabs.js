// The tabs of one person in one browser: each is a peer of its own, and tells the others what it alone has got.

/** @import { Message, Place, State } from "../state/types.js" */

const PATIENCE = 500; // ms in which a page that is being reloaded gives up what it holds

/** Makes a peer id this tab's own: a duplicate of the tab, which has a copy of its storage, cannot take it as well. */
export class Hold {
  /** @type {AbortController | null} */
  #ending = null;

  /**
   * Whether the id is this tab's from now on. Where the browser cannot tell it is.
   * @param {string} peer
   * @returns {Promise<boolean>}
   */
  async take(peer) {
    this.release();
    const locks = globalThis.navigator?.locks;
    if (!locks) return true;
    const ending = new AbortController();
    this.#ending = ending;
    const patience = setTimeout(() => ending.abort(), PATIENCE);
    return new Promise((resolve) => {
      const held = () => {
        clearTimeout(patience);
        resolve(true);
        return new Promise((end) => ending.signal.addEventListener("abort", end));
      };
      locks.request(`hmsroom:${peer}`, { signal: ending.signal }, held).catch((error) => {
        clearTimeout(patience);
        resolve(error.name !== "AbortError"); // any other: locks are refused to this page
      });
    });
  }

  release() {
    this.#ending?.abort();
    this.#ending = null;
  }
}

/**
 * Tells the person's other tabs in a room of messages that they do not get from the server, and a copy of what was said
 * since it was made.
 */
export class Siblings {
  /** @type {BroadcastChannel | null} */
  #channel = null;
  /** @type {{ session: string, seq: number }[]} that this tab has not come to yet */
  #asked = [];
  /** @type {Place | null} where this tab heard that the chat was cleared */
  #cleared = null;

  /**
   * @param {string} name of the room and its person
   * @param {() => State} state gives the present state
   * @param {(session: string, messages: Message[], gone: string[]) => void} heard what to do with messages of another
   *   tab, and with ids of those that are gone
   */
  constructor(name, state, heard) {
    if (!globalThis.BroadcastChannel) return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data: { wanted, session, seq, messages, gone = [] } }) => {
      if (!messages) this.#asked.push(wanted);
      else if (!this.#isOver(session, seq)) heard(session, messages, gone);
      this.answer(state());
    };
  }

  /**
   * Passes messages on, as they are now, and the ids of those that are gone.
   * @param {State} state
   * @param {Message[]} messages
   * @param {string[]} [gone]
   */
  tell({ room, place }, messages, gone = []) {
    this.#channel?.postMessage({ session: room.sessionId, seq: place?.seq ?? 0, messages, gone });
  }

  /**
   * The chat was cleared, and with it what other tabs that were ahead had told this one of what was said since.
   * @param {Place} place
   */
  cleared(place) {
    this.#cleared = place;
    this.ask(place);
  }

  /**
   * Asks for everything up to a place.
   * @param {Place} place
   */
  ask({ session_id: session, seq }) {
    this.#channel?.postMessage({ wanted: { session, seq } });
  }

  /**
   * Answers, once this tab has got everything up to the place that was asked for.
   * @param {State} state
   */
  answer(state) {
    if (!this.#asked.length || !state.place) return;
    const { session_id: session, seq } = state.place;
    /** @type {(wanted: { session: string, seq: number }) => boolean} */
    const isDue = (wanted) => wanted.session === session && wanted.seq <= seq;
    // But for those of which this tab does not know whether they are there still.
    const sure = () => state.messages.values().filter(({ id }) => !state.unsure.has(id));
    if (this.#asked.some(isDue)) this.tell(state, sure());
    this.#asked = this.#asked.filter((wanted) => wanted.session === session && wanted.seq > seq);
  }

  /**
   * Whether what a tab tells was said before the clearing, which it has not come to.
   * @type {(session: string, seq: number) => boolean}
   */
  #isOver(session, seq) {
    return this.#cleared !== null && session === this.#cleared.session_id && seq < this.#cleared.seq;
  }

  close() {
    this.#channel?.close();
    this.#channel = null;
  }
}
