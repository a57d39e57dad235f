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
  const lock = lockFrom(record(error.data));
  throw Object.assign(
    error,
    stand.length && { entries: stand.map((entry) => entryView(entryFrom(entry))) },
    lock && { lock: lockView(lock) },
    rule && { rule },
    retryAfterMs && { retryAfterMs },
  );
}
