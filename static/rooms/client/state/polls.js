// What is known of polls: changes of the state, see state.js.

import { flag, list, moment, number, record, records, text, texts } from "./shapes.js";

/** @import { HMSPollOption, HMSPollQuestion } from "../../hms.js" */
/** @import { HeardChange, OwnChange, Poll, State, Wire } from "./types.js" */

/**
 * A poll over what was known of it; what is not said stays.
 * @type {(id: string, wire: Wire, held?: Poll) => Poll}
 */
const pollFrom = (id, wire, held) => ({
  ...held,
  id,
  title: text(wire.title) ?? held?.title ?? "",
  type: text(wire.type) ?? held?.type ?? "poll",
  state: text(wire.state) ?? held?.state,
  duration: number(wire.duration) ?? held?.duration,
  anonymous: flag(wire.anonymous) ?? held?.anonymous,
  mode: text(wire.mode) ?? held?.mode,
  rolesThatCanVote: texts(wire.vote) ?? held?.rolesThatCanVote,
  rolesThatCanViewResponses: texts(wire.responses) ?? held?.rolesThatCanViewResponses,
  createdBy: text(wire.created_by) ?? held?.createdBy,
  startedBy: text(wire.started_by) ?? held?.startedBy,
  stoppedBy: text(wire.stopped_by) ?? held?.stoppedBy,
  createdAt: moment(wire.created_at) ?? held?.createdAt,
  startedAt: moment(wire.started_at) ?? held?.startedAt,
  stoppedAt: moment(wire.stopped_at) ?? held?.stoppedAt,
});

/** @type {(state: State, infos: unknown, fields?: Partial<Poll>) => State} */
function withPolls(state, infos, fields = {}) {
  const polls = new Map(state.polls);
  for (const info of records(infos)) {
    const id = text(info.poll_id);
    if (id !== undefined) polls.set(id, { ...withParts(pollFrom(id, info, polls.get(id)), info), ...fields });
  }
  return { ...state, polls };
}

/**
 * What else is said of a poll: its questions, what this person answered, and what came of it.
 * @type {(poll: Poll, wire: Wire) => Poll}
 */
function withParts(poll, { questions, own_responses: own, result }) {
  let known = poll;
  if (Array.isArray(questions)) known = withQuestions(known, questions);
  if (Array.isArray(own)) known = withOwnResponses(known, own);
  return result ? withResult(known, record(result)) : known;
}

/** @type {(state: State, id: unknown, change: (poll: Poll) => Poll) => State} */
function changePoll(state, id, change) {
  const poll = state.polls.get(text(id) ?? "");
  return poll ? { ...state, polls: new Map(state.polls).set(poll.id, change(poll)) } : state;
}

/** @type {(poll: Poll, questions: unknown[]) => Poll} */
function withQuestions(poll, questions) {
  const held = new Map(poll.questions?.map((question) => [question.index, question]));
  return { ...poll, questions: records(questions).map((wire) => questionFrom(wire, held)) };
}

/**
 * A question as its author wrote it, with what was known of its answers.
 * @type {(wire: Wire, held: Map<number, HMSPollQuestion>) => HMSPollQuestion}
 */
function questionFrom(wire, held) {
  const question = /** @type {HMSPollQuestion} */ (/** @type {unknown} */ (record(wire.question)));
  const { responses, result, options: counted } = held.get(question.index) ?? {};
  const options = records(wire.options).map((option, at) => ({
    .../** @type {HMSPollOption} */ (/** @type {unknown} */ (option)),
    ...(result && { voteCount: counted?.[at]?.voteCount ?? 0 }),
  }));
  const known = { ...question, options, answer: /** @type {HMSPollQuestion["answer"]} */ (wire.answer) };
  return { ...known, ...(responses && { responses }), ...(result && { result }) };
}

/** @type {(poll: Poll, result: Wire) => Poll} */
function withResult(poll, result) {
  const counts = new Map(records(result.questions).map((entry) => [entry.question, entry]));
  const questions = poll.questions?.map((question) => {
    const counted = counts.get(question.index);
    if (!counted) return question;
    const votes = list(counted.options);
    const options = question.options.map((option, at) => ({ ...option, voteCount: number(votes[at]) ?? 0 }));
    const { correct, skipped, total } = counted;
    const found = { correctResponses: number(correct), skippedCount: number(skipped), totalResponses: number(total) };
    return { ...question, options, result: found };
  });
  const { user_count: users, max_user: most, total_response: total } = result;
  const found = { totalUsers: number(users), maxUsers: number(most), totalResponses: number(total) };
  return { ...poll, questions, result: found };
}

/** @type {(poll: Poll, responses: unknown[]) => Poll} */
function withOwnResponses(poll, responses) {
  const questions = poll.questions?.map(({ responses: before, ...question }) => {
    const given = records(responses).filter(({ response }) => record(response).question === question.index);
    if (!given.length) return question;
    /** @type {(wire: Wire) => NonNullable<HMSPollQuestion["responses"]>[number]} */
    const own = ({ response, peer, final }) => ({
      ...record(response),
      questionIndex: question.index,
      peer,
      responseFinal: final,
    });
    return { ...question, responses: given.map(own) };
  });
  return { ...poll, questions };
}

/** @satisfies {Record<string, HeardChange>} */
export const POLLS_HEARD = {
  "on-poll-start": (state, params) => withPolls(state, params.polls, { state: "started" }),

  "on-poll-stop": (state, params) => withPolls(state, params.polls, { state: "stopped" }),

  "on-poll-stats": (state, params) =>
    records(params.polls).reduce(
      (held, stats) => changePoll(held, stats.poll_id, (poll) => withResult(poll, stats)),
      state,
    ),
};

/** @satisfies {{ [Method in "polls-read" | "polls-gone"]: OwnChange<Method> }} */
export const POLLS_OWN = {
  "polls-read": (state, { polls }) => withPolls(state, polls),

  "polls-gone": (state, { ids }) => {
    const polls = new Map(state.polls);
    for (const id of ids) polls.delete(id);
    return { ...state, polls };
  },
};
