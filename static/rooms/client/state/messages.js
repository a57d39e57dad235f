// The messages of the state, in their order. Adding one costs the same however many there are.

/** @import { Message } from "./types.js" */

export const MOST_MESSAGES = 2_000; // the newest, which a page holds

/** Never changed once made: a version shares its list with those before it, of which it sees a longer part. */
export class Messages {
  #list; // added to by the newest version alone
  /** @type {Map<string, number>} id → place in the list */
  #places;
  #start;
  #end;

  /** @param {Message[]} list oldest first, each with an `id` of its own */
  constructor(list = []) {
    this.#list = list.slice(-MOST_MESSAGES);
    this.#places = new Map(this.#list.map(({ id }, place) => [id, place]));
    this.#start = 0;
    this.#end = this.#list.length;
  }

  get size() {
    return this.#end - this.#start;
  }

  get newest() {
    return this.size ? this.#list[this.#end - 1] : undefined;
  }

  /** @param {string} id */
  has(id) {
    return this.get(id) !== undefined;
  }

  /**
   * @param {string | null} id
   * @returns {Message | undefined}
   */
  get(id) {
    const place = this.#places.get(id ?? "");
    if (place === undefined || place < this.#start || place >= this.#end) return undefined;
    return this.#list[place];
  }

  /** The newest ones, or all. */
  values(most = this.size) {
    return this.#list.slice(Math.max(this.#start, this.#end - most), this.#end);
  }

  keys() {
    return this.values().map(({ id }) => id);
  }

  /**
   * These and a newer one; the oldest goes if they are too many.
   * @param {Message} message
   */
  with(message) {
    const isNewest = this.#end === this.#list.length;
    const isFull = this.#list.length >= 2 * MOST_MESSAGES; // half of it is not seen any more
    const next = isNewest && !isFull ? this.#shared() : new Messages(this.values());
    // Older versions, which share both, look only as far as their own end.
    next.#places.set(message.id, next.#list.push(message) - 1);
    next.#end += 1;
    if (next.size > MOST_MESSAGES) next.#start += 1;
    return next;
  }

  #shared() {
    const next = new Messages();
    next.#list = this.#list;
    next.#places = this.#places;
    next.#start = this.#start;
    next.#end = this.#end;
    return next;
  }
}
