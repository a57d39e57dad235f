// How things are said that only later.js says. Pure.

import { LOCALE } from "../translation.js";

const one = new Intl.ListFormat(LOCALE, { type: "disjunction" });

/**
 * One or another of them.
 * @param {string[]} names
 */
export const either = (names) => one.format(names);

/** @param {number} count */
const digits = (count) => String(Math.floor(count)).padStart(2, "0");

/**
 * A time in the reader's zone as ISO 8601 writes it, to the second: 2026-02-28T18:05:00+01:00.
 * @param {Date} date
 */
export function localTime(date) {
  const ahead = -date.getTimezoneOffset(); // minutes
  const local = new Date(date.getTime() + ahead * 60_000).toISOString().slice(0, 19);
  return `${local}${ahead < 0 ? "-" : "+"}${digits(Math.abs(ahead) / 60)}:${digits(Math.abs(ahead) % 60)}`;
}

/** @type {[unit: string, seconds: number][]} */
const UNITS = [
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/**
 * So many seconds, in the largest unit of which they are a whole number.
 * @param {number} seconds
 */
export function timeSpan(seconds) {
  const [unit, length] = UNITS.find(([, each]) => seconds >= each && seconds % each === 0) ?? ["second", 1];
  return new Intl.NumberFormat(LOCALE, { style: "unit", unit, unitDisplay: "long" }).format(seconds / length);
}
