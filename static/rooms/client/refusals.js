// What the data of a refusal says, under the names that apps read it by.

import { entryFrom, isEntry, lockFrom, record, records } from "./state/shapes.js";
import { entryView, lockView } from "./state/view.js";

/** @import { RpcError } from "./connection/error.js" */

/**
 * Throws the error, with `entries`, `lock`, `rule` and `retryAfterMs` as they apply.
 * @param {RpcError} error
 * @returns {never}
 */
export function explained(error) {
  const { entries = [error.data], rule, retry_after_ms: retryAfterMs } = record(error.data);
  const stand = records(entries).filter(isEntry);
  const lock = lockOf(record(error.data));
  throw Object.assign(
    error,
    stand.length && { entries: stand.map((entry) => entryView(entryFrom(entry))) },
    lock && { lock },
    rule && { rule },
    retryAfterMs && { retryAfterMs },
  );
}

/**
 * The lock that a write or a call was not made under; it may be free.
 * @param {Record<string, any>} data
 */
function lockOf(data) {
  const held = lockFrom(data);
  if (held) return lockView(held);
  return data.holder === null && typeof data.name === "string" && { name: data.name, holder: null, token: null };
}
