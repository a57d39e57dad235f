// Polls: how many the room has, and that one began; answer the running ones, see what came of them.

import { getState, onNotification, subscribe } from "../../core.js";
import { hmsActions, selectPermissions, selectPolls } from "../../hms.js";
import { arrange, eachFrame, make, part, setHidden, setText } from "../dom.js";
import { isShown, openPanel } from "../panel.js";
import { fill, filled } from "../text.js";
import { attempt, toast } from "../toasts.js";
import { gettext, ngettext } from "../translation.js";

/** @import { HMSPoll, HMSPollQuestion, HMSPollResponse, HMSStore } from "../../hms.js" */

/** @typedef {HMSPoll & { questions: HMSPollQuestion[] }} ReadPoll one whose questions are here */
/** @typedef {{ poll: ReadPoll, element: HTMLFormElement, end: () => unknown }} Form */
/** @typedef {{ element: HTMLElement, update: (poll: ReadPoll) => void }} Card */

/** @type {Map<string, Card>} */
const drawn = new Map(); // poll id → its card: what somebody ticked and typed stays while others answer
const none = make("p", { class: "soft" }, gettext("There are no polls."));

export function startPolls() {
  const drawSoon = eachFrame(draw);
  subscribe(drawSoon, selectPolls);
  subscribe(drawSoon, selectPermissions);
  onNotification(({ data: poll }) => {
    if (!poll || isShown("polls")) return;
    const said = fill(gettext("Poll: {title}"), { title: make("bdi", {}, poll.title) });
    const remove = toast(said, { label: gettext("Answer"), action: () => openPanel("polls") });
    part("polls-toggle").addEventListener("click", remove, { once: true });
  }, "POLL_STARTED");
  draw();
}

/**
 * Those that were started and are read.
 * @param {HMSStore} store
 */
const selectShownPolls = (store) => selectPolls(store).filter(isShownPoll);

/**
 * @param {HMSPoll} poll
 * @returns {poll is ReadPoll}
 */
const isShownPoll = (poll) => poll.state !== "created" && poll.questions !== undefined;

function draw() {
  const polls = getState(selectShownPolls).sort(byTime);
  drawToggle(polls);
  const elements = polls.map((poll) => {
    const shown = drawn.get(poll.id) ?? card();
    drawn.set(poll.id, shown);
    shown.update(poll);
    return shown.element;
  });
  const shown = new Set(polls.map(({ id }) => id));
  for (const id of drawn.keys()) if (!shown.has(id)) drawn.delete(id);
  arrange(part("polls"), elements.length ? elements : [none]);
}

/** @param {ReadPoll[]} polls */
function drawToggle(polls) {
  const running = polls.filter(({ state }) => state === "started").length;
  part("polls-toggle").hidden = !polls.length;
  setText(part("polls-count"), running || "");
  part("polls-toggle").setAttribute("aria-label", filled(gettext("Polls, {running} running"), { running }));
}

/**
 * Running ones first, the newest of each first.
 * @type {(a: HMSPoll, b: HMSPoll) => number}
 */
function byTime(a, b) {
  if (a.state !== b.state) return a.state === "started" ? -1 : 1;
  return Number(b.startedAt ?? 0) - Number(a.startedAt ?? 0);
}

/**
 * A poll as an element. Its form is made once; what changes while somebody fills it in is what stands around it.
 * @returns {Card}
 */
function card() {
  const title = make("h3", { dir: "auto" });
  const state = make("p", { class: "soft" });
  const body = make("div", { class: "poll-body" });
  const stop = make("button", { class: "button small quiet", type: "button" }, gettext("End the poll"));
  stop.addEventListener("click", () => {
    const id = held?.id;
    if (id) attempt(() => hmsActions.interactivityCenter.stopPoll(id), gettext("Not ended. {why}"));
  });
  const element = make("article", { class: "poll", tabIndex: -1 }, make("header", {}, title, state), body, stop);
  /** @type {ReadPoll | null} */
  let held = null;
  /** @type {Form | null} */
  let form = null;

  /** @param {ReadPoll} poll */
  const update = (poll) => {
    setHidden(stop, poll.state !== "started" || !getState(selectPermissions)?.pollWrite, element);
    if (poll === held) return;
    held = poll;
    setText(title, poll.title);
    setText(state, [poll.state === "started" ? gettext("Running") : gettext("Ended"), voters(poll)].join(""));
    const isOpen = poll.state === "started" && poll.questions.some(({ responses }) => !responses?.length);
    if (isOpen) {
      if (form && sameQuestions(form.poll, poll)) return;
      form = formOf(poll);
      body.replaceChildren(form.element);
    } else {
      if (isAnswered(poll) || !isTouched(form?.element)) form = null;
      else form?.end();
      arrange(body, [...(form ? [form.element] : []), ...poll.questions.map((question) => result(poll, question))]);
    }
  };
  return { element, update };
}

/** @param {HMSPollQuestion} question */
const asks = ({ index, type, text, options }) => [
  index,
  type,
  text,
  listed(options).map((option) => [option.index, option.text]),
];
/** @type {(a: ReadPoll, b: ReadPoll) => boolean} */
const sameQuestions = (a, b) => JSON.stringify(a.questions.map(asks)) === JSON.stringify(b.questions.map(asks));

/**
 * `end` keeps what somebody is filling in, which cannot be sent any more.
 * @param {ReadPoll} poll
 * @returns {Form}
 */
function formOf(poll) {
  const send = make("button", { class: "button primary", type: "submit" }, gettext("Send the answer"));
  const element = make("form", {}, ...poll.questions.map((question) => asked(poll, question)), send);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    if (send.isConnected) answer(poll, new FormData(element));
  });
  const ended = make("p", { class: "soft", role: "status" }, gettext("The poll ended before this was sent."));
  return { poll, element, end: () => send.isConnected && send.replaceWith(ended) };
}

/** @param {ReadPoll} poll */
const isAnswered = ({ questions }) => questions.some(({ responses }) => responses?.length);
/** @param {HTMLFormElement | undefined} form */
const isTouched = (form) =>
  Boolean(
    form?.contains(document.activeElement) || [...new FormData(form).values()].some((value) => String(value).trim()),
  );

/** @type {<Value>(value: Value[] | undefined) => Value[]} */
const listed = (value) => (Array.isArray(value) ? value : []);
/** @param {HMSPoll} poll */
const voters = ({ result: found }) =>
  found?.totalUsers
    ? ` · ${filled(ngettext("{count} person answered", "{count} people answered", found.totalUsers), { count: found.totalUsers })}`
    : "";
/** @param {HMSPollQuestion} question */
const field = (question) => `question-${question.index}`;
/** @param {HMSPollQuestion} question */
const isChoice = ({ type }) => type === "single-choice" || type === "multiple-choice";

/**
 * How a question is headed: not seen where it is what the poll is called.
 * @type {(poll: HMSPoll, question: HMSPollQuestion) => { dir: string, class: string }}
 */
const heading = ({ title }, { text }) => ({ dir: "auto", class: text === title ? "unseen" : "" });

/** @type {(poll: HMSPoll, question: HMSPollQuestion) => HTMLElement} */
function asked(poll, question) {
  const box = make("fieldset", {}, make("legend", heading(poll, question), question.text));
  if (!isChoice(question)) {
    const tag = question.type === "long-answer" ? "textarea" : "input";
    box.append(make(tag, { name: field(question), "aria-label": question.text, maxLength: 1024, dir: "auto" }));
    return box;
  }
  const type = question.type === "single-choice" ? "radio" : "checkbox";
  for (const option of listed(question.options)) {
    const input = make("input", { type, name: field(question), value: String(option.index) });
    box.append(make("label", { class: "option" }, input, make("span", { dir: "auto" }, option.text)));
  }
  return box;
}

/** @type {(poll: ReadPoll, form: FormData) => Promise<void>} */
async function answer(poll, form) {
  const responses = poll.questions.map((question) => {
    const given = form
      .getAll(field(question))
      .map(String)
      .filter((value) => value.trim());
    if (!given.length) return { questionIndex: question.index, skipped: true };
    if (!isChoice(question)) return { questionIndex: question.index, text: given[0] };
    const options = given.map(Number);
    return question.type === "single-choice"
      ? { questionIndex: question.index, option: options[0] }
      : { questionIndex: question.index, options };
  });
  if (responses.every(({ skipped }) => skipped)) {
    toast(gettext("Choose an answer first."));
    return;
  }
  await attempt(
    () => hmsActions.interactivityCenter.addResponsesToPoll(poll.id, responses),
    gettext("Answer not sent. {why}"),
  );
}

/** @type {(poll: HMSPoll, question: HMSPollQuestion) => HTMLElement} */
function result(poll, question) {
  /** @type {Partial<HMSPollResponse>} */
  const own = question.responses?.[0] ?? {};
  const mine = new Set([own.option, ...listed(own.options)].filter(Boolean));
  const box = make("section", { class: "result" }, make("h4", heading(poll, question), question.text));
  if (!isChoice(question)) {
    box.append(
      make(
        "p",
        { dir: "auto" },
        own.text ? filled(gettext("You answered: {text}"), { text: own.text }) : gettext("Not answered by you."),
      ),
    );
    return box;
  }
  const total = listed(question.options).reduce((sum, option) => sum + (option.voteCount ?? 0), 0);
  for (const option of listed(question.options)) {
    const votes = option.voteCount ?? 0;
    const bar = make("progress", { max: Math.max(total, 1), value: votes, "aria-hidden": "true" });
    const said = make("span", { dir: "auto" }, option.text);
    const chosen = mine.has(option.index) ? make("b", { class: "mine" }, gettext("your answer")) : null;
    box.append(
      make(
        "div",
        { class: "bar-row" },
        said,
        chosen,
        make("span", { class: "votes" }, filled(ngettext("{count} vote", "{count} votes", votes), { count: votes })),
        bar,
      ),
    );
  }
  return box;
}
