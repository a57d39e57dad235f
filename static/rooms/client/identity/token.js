// Auth tokens: what they say, and where a new one comes from. The server alone verifies them.

import { RpcError } from "../connection/rpc.js";
import { secretFor } from "./secret.js";

const HERE = new URL(import.meta.url).origin;
const PATIENCE = 15_000; // ms
const requests = new Map(); // token → the request that brought it, to ask again when it has expired

/** @returns {{room_id: string, owner?: string, user_id?: string, jti?: string, role: string}} */
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
 */
export async function tokenByRoomCode({ roomCode, userId, secret }, { endpoint = `${HERE}/v2/token` } = {}) {
  const proof = secret ?? secretFor(new URL(endpoint, HERE === "null" ? undefined : HERE).origin);
  const body = JSON.stringify({ code: roomCode, user_id: userId, secret: proof });
  const { token } = await ask(endpoint, { method: "POST", body });
  if (typeof token !== "string") throw new RpcError({ code: 1003, message: "/v2/token: the answer holds no token" });
  requests.set(token, [{ roomCode, userId, secret: proof }, { endpoint }]);
  return token;
}

/** A new token of the kind of an expired one, or null where it did not come from a room code. */
export async function renewed(token) {
  const request = requests.get(token);
  return request ? tokenByRoomCode(...request) : null;
}

/** The JSON answer of an HTTP endpoint. Rejects with an RpcError; `isTerminal` when asking again is no use. */
export async function ask(url, options) {
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

/** A random id in the form of a UUID; crypto.randomUUID() exists on secure pages only. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
