// The codes with which a socket is closed.

/** Those of the server. */
export const CLOSE_CODES = Object.freeze({
  TOKEN_EXPIRED: 4001,
  OPENED_ELSEWHERE: 4002,
  SENT_AWAY: 4003,
  TOO_SLOW: 4008,
  TOO_MANY_REFUSALS: 4029,
  BUG: 1011,
  RESTART: 1012,
});

/** What this script says when it ends one itself, and what it takes a loss for. */
export const LEFT = 1000;
export const PAGE_CLOSED = 3001; // or put aside by the browser, which may show it again
export const LOST = 1006;

/**
 * After these there is nothing to come back to.
 * @type {Map<number, string>}
 */
export const FINAL = new Map([
  [CLOSE_CODES.OPENED_ELSEWHERE, "opened in another tab"],
  [CLOSE_CODES.SENT_AWAY, "removed from the room"],
]);
