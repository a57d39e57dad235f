// The line above what somebody has not seen.

import { getState, selectHMSMessages } from "../../core.js";
import { make, setText } from "../dom.js";
import { filled } from "../text.js";
import { gettext, ngettext } from "../translation.js";
import { elementOf, HELD, insertBefore, remove } from "./entries.js";
import { isUnseen } from "./reading.js";

class Divider {
  #text = make("span", {});
  element = make("p", { class: "new", role: "separator" }, this.#text);
  #missed = 0;
  #isShort = false; // whether some may have come that were too old to be held before they could be counted

  /** @param {Date} since when the first message was said below it */
  constructor(since) {
    this.since = since;
  }

  /**
   * Counts one message more.
   * @param {Date} time of the message
   * @param {boolean} isMissed whether it came while the person was not here at all
   */
  count(time, isMissed) {
    const held = getState(selectHMSMessages);
    this.#isShort ||= held.length >= HELD && time <= held[0].time;
    if (isMissed) this.#missed += 1;
    this.draw();
  }

  draw() {
    const count = this.#missed;
    const words = filled(
      ngettext("{count} message while you were away", "{count} messages while you were away", count),
      {
        count: this.#isShort ? filled("{count}+", { count }) : count,
      },
    );
    const cut = filled(gettext("Only the last {count} messages are shown."), { count: HELD });
    setText(this.#text, count ? [words, ...(this.#isCut() ? [cut] : [])].join(" · ") : gettext("New"));
  }

  /** Whether the first of what is below it is too old to be held. */
  #isCut() {
    const held = getState(selectHMSMessages);
    return held.length >= HELD && this.since < held[0].time;
  }
}

/** @type {Divider | null} the line, in the log or above what is drawn of it */
let divider = null;
let counts = false; // whether what comes is counted in it

/**
 * Counts a message of somebody else that goes unseen in a line above the first of them.
 * @param {Date} time of the message
 * @param {boolean} isAway whether it came while the person was not here at all
 * @returns the line, where it is to be put at the end of the log
 */
export function divide(time, isAway) {
  if (!isAway && !isUnseen()) {
    endDivider(); // the next absence is another one
    return null;
  }
  const isNew = !divider || !counts;
  if (isNew) forgetDivider();
  divider ??= new Divider(time);
  divider.count(time, isAway);
  counts = true;
  return isNew ? divider.element : null;
}

/** What comes from now on is not counted in the line that is there. */
export function endDivider() {
  counts = false;
}

export function forgetDivider() {
  if (divider?.element.isConnected) remove(divider.element);
  divider = null;
  counts = false;
}

/** Takes the line away if no message is left below it. */
export function dropDivider() {
  if (divider && !firstBelow(divider)) forgetDivider();
}

/** Puts the line back that went with what is above it, once the first message below it is drawn again. */
export function placeDivider() {
  if (!divider || divider.element.isConnected) return;
  const below = elementOf(firstBelow(divider)?.id ?? null);
  if (!below) return;
  divider.draw();
  insertBefore(below, divider.element);
}

/** @param {Divider} divider */
const firstBelow = ({ since }) =>
  getState(selectHMSMessages).find(({ type, time }) => type === "chat" && time >= since);
