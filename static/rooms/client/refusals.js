// What the data of a refusal says, under the names that apps read it by.

import { entryFrom, isEntry, record, records } from "./state/shapes.js";
import { entryView } from "./state/view.js";

/** @import { RpcError } from "./connection/error.js" */

/**
 * Throws the error, with `entries`, `rule` and `retryAfterMs` as they apply.
 * @param {RpcError} error
 * @returns {never}
 */
export function explained(error) {
  const { entries = [error.data], rule, retry_after_ms: retryAfterMs } = record(error.data);
  const stand = records(entries).filter(isEntry);
  throw Object.assign(
    error,
    stand.length && { entries: stand.map((entry) => entryView(entryFrom(entry))) },
    rule && { rule },
    retryAfterMs && { retryAfterMs },
  );
}
