// Polls: answer the running ones, see what came of them.

import { hmsActions, hmsNotifications, hmsStore, selectPermissions, selectPolls } from "../hms.js";
import { eachFrame, make, part, setText } from "./dom.js";
import { isShown, openPanel } from "./panel.js";
import { counted } from "./text.js";
import { attempt, toast } from "./toasts.js";

const drawn = new Map(); // poll id → {poll, element}: a poll that did not change keeps what was ticked

export function startPolls() {
  hmsStore.subscribe(eachFrame(draw), selectPolls);
  hmsNotifications.onNotification(({ data: poll }) => {
    if (isShown("polls")) return;
    const remove = toast(`Poll: ${poll.title}`, { label: "Answer", action: () => openPanel("polls") });
    part("polls-toggle").addEventListener("click", remove, { once: true });
  }, "POLL_STARTED");
}

/** Reads the polls of a room just entered. */
export function resetPolls() {
  drawn.clear();
  draw();
  if (hmsStore.getState(selectPermissions)?.pollRead) {
    attempt(() => hmsActions.interactivityCenter.getPolls(), "Polls not read");
  }
}

function draw() {
  const polls = hmsStore.getState(selectPolls).filter(({ state, questions }) => state !== "created" && questions);
  polls.sort((a, b) =>
    a.state === b.state ? (b.startedAt ?? 0) - (a.startedAt ?? 0) : a.state === "started" ? -1 : 1,
  );
  const running = polls.filter(({ state }) => state === "started").length;
  part("polls-toggle").hidden = !polls.length;
  setText(part("polls-count"), running ? String(running) : "");
  part("polls-toggle").setAttribute("aria-label", `Polls, ${running} running`);
  for (const poll of polls) {
    if (drawn.get(poll.id)?.poll === poll) continue;
    drawn.set(poll.id, { poll, element: card(poll) });
  }
  const elements = polls.map(({ id }) => drawn.get(id).element);
  if (elements.length) part("polls").replaceChildren(...elements);
  else part("polls").replaceChildren(make("p", { class: "soft" }, "There are no polls."));
}

function card(poll) {
  const open = poll.state === "started" && poll.questions.some((question) => !question.responses?.length);
  const head = make(
    "header",
    {},
    make("h3", { dir: "auto" }, poll.title),
    make("p", { class: "soft" }, poll.state === "started" ? "Running" : "Ended", voters(poll)),
  );
  if (!open)
    return make("article", { class: "poll" }, head, ...poll.questions.map((question) => result(poll, question)));
  const form = make("form", { class: "poll" }, head);
  for (const question of poll.questions) form.append(asked(poll, question));
  form.append(make("button", { class: "button primary", type: "submit" }, "Send the answer"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(poll, new FormData(form));
  });
  return form;
}

const voters = ({ result: found }) =>
  found?.totalUsers ? ` · ${counted(found.totalUsers, "person", "people")} answered` : "";
const field = (question) => `question-${question.index}`;
const isChoice = ({ type }) => type === "single-choice" || type === "multiple-choice";

function asked(poll, question) {
  const box = make("fieldset", {}, make("legend", { dir: "auto" }, question.text));
  if (!isChoice(question)) {
    const tag = question.type === "long-answer" ? "textarea" : "input";
    box.append(make(tag, { name: field(question), "aria-label": question.text, maxLength: 1024, dir: "auto" }));
    return box;
  }
  const type = question.type === "single-choice" ? "radio" : "checkbox";
  for (const option of question.options ?? []) {
    const input = make("input", { type, name: field(question), value: String(option.index) });
    box.append(make("label", { class: "option" }, input, make("span", { dir: "auto" }, option.text)));
  }
  return box;
}

async function answer(poll, form) {
  const responses = poll.questions.map((question) => {
    const given = form.getAll(field(question)).filter((value) => value.trim());
    if (!given.length) return { questionIndex: question.index, skipped: true };
    if (!isChoice(question)) return { questionIndex: question.index, text: given[0] };
    const options = given.map(Number);
    return question.type === "single-choice"
      ? { questionIndex: question.index, option: options[0] }
      : { questionIndex: question.index, options };
  });
  if (responses.every(({ skipped }) => skipped)) {
    toast("Choose an answer first.");
    return;
  }
  await attempt(() => hmsActions.interactivityCenter.addResponsesToPoll(poll.id, responses), "Answer not sent");
}

function result(poll, question) {
  const own = question.responses?.[0] ?? {};
  const mine = new Set([own.option, ...(own.options ?? [])].filter(Boolean));
  const box = make("section", { class: "result" }, make("h4", { dir: "auto" }, question.text));
  if (!isChoice(question)) {
    box.append(make("p", { dir: "auto" }, own.text ? `You answered: ${own.text}` : "Not answered by you."));
    return box;
  }
  const total = (question.options ?? []).reduce((sum, option) => sum + (option.voteCount ?? 0), 0);
  for (const option of question.options ?? []) {
    const votes = option.voteCount ?? 0;
    const bar = make("progress", { max: Math.max(total, 1), value: votes, "aria-hidden": "true" });
    const said = make("span", { dir: "auto" }, option.text);
    const chosen = mine.has(option.index) ? make("b", { class: "mine" }, "your answer") : null;
    box.append(
      make(
        "div",
        { class: "bar-row" },
        said,
        chosen,
        make("span", { class: "votes" }, counted(votes, "vote", "votes")),
        bar,
      ),
    );
  }
  return box;
}
