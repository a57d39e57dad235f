// Making a poll of one question, for whoever may: it is started at once.

import { hmsActions } from "../../hms.js";
import { needConnection } from "../connection.js";
import { part, setText } from "../dom.js";
import { openPanel } from "../panel.js";
import { filled } from "../text.js";
import { gettext } from "../translation.js";
import { inWords } from "./words.js";

/** @import { HMSPollQuestionParams } from "../../hms.js" */

const ANSWERS = { least: 2, most: 50 };
const MOST_CHARACTERS = 1024; // of an answer

export function startNewPoll() {
  part("new-poll-form").addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
}

export function openNewPoll() {
  tell("");
  part("new-poll").showModal();
}

/** @param {string} problem */
function tell(problem) {
  setText(part("new-poll-problem"), problem);
  part("new-poll-problem").hidden = !problem;
}

/** What there is to choose from: a line each, and none twice. */
const answers = () => [
  ...new Set(
    part("new-poll-answers")
      .value.split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
  ),
];

/** @param {string[]} texts */
function problemWith(texts) {
  if (texts.length < ANSWERS.least) return gettext("Write at least two answers, each on a line of its own.");
  if (texts.length > ANSWERS.most)
    return filled(gettext("A poll has at most {limit} answers."), { limit: ANSWERS.most });
  const isLong = texts.some((text) => [...text].length > MOST_CHARACTERS);
  return isLong
    ? filled(gettext("An answer has at most {limit} characters. Make it shorter."), { limit: MOST_CHARACTERS })
    : "";
}

async function begin() {
  const text = part("new-poll-question").value.trim();
  const texts = answers();
  const problem = text ? problemWith(texts) : gettext("Write something first.");
  tell(problem);
  if (problem) return;
  /** @type {HMSPollQuestionParams} */
  const question = {
    text,
    type: part("new-poll-several").checked ? "multiple-choice" : "single-choice",
    options: texts.map((text) => ({ text })),
  };
  part("new-poll-start").disabled = true;
  try {
    needConnection();
    await hmsActions.interactivityCenter.startPoll({ title: text, type: "poll", questions: [question] });
    part("new-poll-form").reset();
    part("new-poll").close();
    openPanel("polls");
  } catch (error) {
    tell(filled(gettext("Not started. {why}"), { why: inWords(error) }));
  } finally {
    part("new-poll-start").disabled = false;
  }
}
