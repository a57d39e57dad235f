// Values that travel as JSON: which can, and which are equal.

export { same } from "./same.js";

/**
 * What keeps `value` from being stored as it is, as a sentence; null when nothing does.
 * JSON.stringify alone would drop or change such values without a word.
 * @param {any} value
 * @param {string} path how the value is called
 * @param {unknown[]} above the values that it is a part of
 * @returns {string | null}
 */
export function problemWith(value, path = "value", above = []) {
  if (value === null || typeof value === "string" || typeof value === "boolean") return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : `${path} is ${value}, which JSON cannot hold`;
  if (typeof value === "undefined") return `${path} is undefined, which JSON cannot hold`;
  if (typeof value !== "object") return `${path} is a ${typeof value}, which JSON cannot hold`;
  if (above.includes(value)) return `${path} contains itself, which JSON cannot hold`;
  if (typeof value.toJSON === "function") return problemWith(value.toJSON(), path, [...above, value]);
  if (value instanceof Map || value instanceof Set) {
    return `${path} is a ${value.constructor.name}, whose entries JSON would lose`;
  }
  const parts = Array.isArray(value)
    ? Array.from(value, (part, index) => [`${path}[${index}]`, part])
    : Object.entries(value).map(([key, part]) => [`${path}.${key}`, part]);
  for (const [name, part] of parts) {
    const problem = problemWith(part, name, [...above, value]);
    if (problem) return problem;
  }
  return null;
}
