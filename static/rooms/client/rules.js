// The rules of session metadata as the server applies them, so that a page knows what it may write before it tries.

/** @import { HMSMetadataRule, HMSPeer, HMSRole, HMSSessionEntry } from "../hms.js" */

/**
 * The rule for a key: the first that fits counts, and no other.
 * @param {HMSMetadataRule[]} rules
 * @param {string} key
 */
export const ruleOf = (rules, key) => rules.find((rule) => fits(rule.key, key));

/** @type {(segment: string) => boolean} */
const isWriter = (segment) => segment === "$peer" || segment === "$user";

/**
 * The parts of a key that stand where the segments of a pattern do, the last of which is all that follows.
 * @type {(key: string, segments: string[]) => string[]}
 */
function parts(key, { length }) {
  const all = key.split(":");
  return all.length < length ? all : [...all.slice(0, length - 1), all.slice(length - 1).join(":")];
}

/** @type {(pattern: string, key: string) => boolean} */
function fits(pattern, key) {
  const isOpen = pattern.endsWith("*");
  const wanted = (isOpen ? pattern.slice(0, -1) : pattern).split(":");
  const given = parts(key, wanted);
  if (given.length < wanted.length) return false;
  const last = wanted.length - 1;
  return wanted.every((segment, at) => {
    const part = given[at] ?? "";
    if (isOpen && at === last) return part.startsWith(segment);
    if (!isWriter(segment)) return part === segment;
    return part !== "" && (segment === "$peer" || !part.includes(":"));
  });
}

/**
 * Whether a peer may write an entry, or remove it. One that holds null counts as one that is to be created: whether
 * null was written or the entry removed is not told.
 * @param {string} key
 * @param {{
 *   rule?: HMSMetadataRule, peer?: HMSPeer, role?: HMSRole | null, entry?: HMSSessionEntry, removes?: boolean
 * }} known
 */
export function mayWrite(key, { rule, peer, role, entry, removes = false }) {
  if (!peer || (rule && !isOwn(rule.key, key, peer))) return false;
  const act = removes ? "remove" : (entry?.data ?? null) === null ? "create" : "write";
  const who = rule?.[act] ?? rule?.write;
  const owner = entry?.owner ?? "";
  if (who === undefined || (who === "owner" && owner === "")) return role?.permissions?.writeMetadata === true;
  if (who === "owner") return owner === peer.id;
  return Array.isArray(who) && who.includes(peer.roleName ?? "");
}

/**
 * Whether the segments of the key that stand for the writer name this peer.
 * @type {(pattern: string, key: string, peer: HMSPeer) => boolean}
 */
function isOwn(pattern, key, peer) {
  const wanted = pattern.split(":");
  const given = parts(key, wanted);
  return wanted.every(
    (segment, at) => !isWriter(segment) || given[at] === (segment === "$peer" ? peer.id : peer.person),
  );
}
