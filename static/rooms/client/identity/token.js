// Auth tokens: what they say, and where a new one comes from. The server alone verifies them.

import { RpcError } from "../connection/error.js";
import { ask, HERE } from "../connection/http.js";
import { secretFor } from "./secret.js";

/** @typedef {{ roomCode: string, userId?: string, secret?: string }} TokenRequest */
/** @typedef {{ endpoint?: string }} TokenOptions */

/** @type {Map<string, [TokenRequest, TokenOptions]>} */
const requests = new Map(); // token → the request that brought it, to ask again when it has expired

/** @typedef {{ room_id: string, owner?: string, user_id?: string, jti?: string, role: string }} Claims */

/**
 * @param {string} token
 * @returns {Claims}
 */
export function claimsOf(token) {
  const [, payload, signature] = String(token).split(".");
  if (!signature) throw new RpcError({ code: 400, message: "authToken: expected a JWT" });
  try {
    const bytes = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
    return { ...JSON.parse(text) };
  } catch {
    throw new RpcError({ code: 400, message: "authToken: its payload cannot be read" });
  }
}

/**
 * A token for a room code. `endpoint` is the full URL; by default the server this script came from.
 * `secret` is what one proves oneself with the next time; by default this browser's.
 * @param {TokenRequest} request
 * @param {TokenOptions} options
 * @returns {Promise<string>}
 */
export async function tokenByRoomCode({ roomCode, userId, secret }, { endpoint = `${HERE}/v2/token` } = {}) {
  const proof = secret ?? secretFor(new URL(endpoint, HERE === "null" ? undefined : HERE).origin);
  const body = JSON.stringify({ code: roomCode, user_id: userId, secret: proof });
  const { token } = await ask(endpoint, { method: "POST", body });
  if (typeof token !== "string") throw new RpcError({ code: 1003, message: "/v2/token: the answer holds no token" });
  requests.set(token, [{ roomCode, userId, secret: proof }, { endpoint }]);
  return token;
}

/**
 * A new token of the kind of an expired one, or null where it did not come from a room code.
 * @param {string} token
 */
export async function renewed(token) {
  const request = requests.get(token);
  return request ? tokenByRoomCode(...request) : null;
}
