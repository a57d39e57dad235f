// One question over HTTP.

import { RpcError } from "./error.js";

/** Where this file comes from: the server, unless another is named. */
export const HERE = new URL(import.meta.url).origin;
const PATIENCE = 15_000; // ms

/**
 * The JSON answer of an HTTP endpoint. Rejects with an RpcError; `isTerminal` when asking again is no use.
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<Record<string, any>>}
 */
export async function ask(url, options) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new RpcError({ code: 1003, message: "the server cannot be reached" });
  }
  const body = { ...(await response.json().catch(() => null)) };
  if (response.ok) return body;
  const { status } = response;
  throw new RpcError({
    code: body.code ?? status,
    message: body.message ?? `the server answered ${status}`,
    data: body.data,
    isTerminal: status >= 400 && status < 500 && status !== 429,
  });
}
