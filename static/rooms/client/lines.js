// Own actions that must not overlap: under one name one after the other.

export class Lines {
  /** @type {Map<string, Promise<unknown>>} name → settles when the last in line is done */
  #last = new Map();

  /**
   * What the action comes to, once those before it under this name are done.
   * @template Result
   * @param {string} name
   * @param {() => Result | Promise<Result>} action
   * @returns {Promise<Result>}
   */
  async run(name, action) {
    const before = this.#last.get(name);
    const result = before ? before.then(action) : (async () => action())();
    const done = result.then(
      () => {},
      () => {},
    );
    this.#last.set(name, done);
    try {
      return await result;
    } finally {
      if (this.#last.get(name) === done) this.#last.delete(name);
    }
  }
}
