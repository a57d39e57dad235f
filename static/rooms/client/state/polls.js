// What is known of polls: changes of the state, see state.js.

import { list, moment, number, record, records, text, texts } from "./shapes.js";

/** A poll over what was known of it; what is not said stays. */
const pollFrom = (wire, held) => ({
  ...held,
  id: wire.poll_id,
  title: text(wire.title) ?? held?.title ?? "",
  type: text(wire.type) ?? held?.type ?? "poll",
  state: text(wire.state) ?? held?.state,
  duration: number(wire.duration) ?? held?.duration,
  anonymous: wire.anonymous ?? held?.anonymous,
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

const isPoll = (wire) => typeof wire.poll_id === "string";

function withPolls(state, infos, fields = {}) {
  const polls = new Map(state.polls);
  for (const info of records(infos).filter(isPoll)) {
    polls.set(info.poll_id, { ...withParts(pollFrom(info, polls.get(info.poll_id)), info), ...fields });
  }
  return { ...state, polls };
}

/** What else is said of a poll: its questions, what this person answered, and what came of it. */
function withParts(poll, { questions, own_responses: own, result }) {
  let known = poll;
  if (Array.isArray(questions)) known = withQuestions(known, questions);
  if (Array.isArray(own)) known = withOwnResponses(known, own);
  return result ? withResult(known, result) : known;
}

function changePoll(state, id, change) {
  const poll = state.polls.get(id);
  return poll ? { ...state, polls: new Map(state.polls).set(id, change(poll)) } : state;
}

function withQuestions(poll, questions) {
  const held = new Map(poll.questions?.map((question) => [question.index, question]));
  return {
    ...poll,
    questions: records(questions).map(({ question, options, answer }) => {
      const { responses, result, options: counted } = held.get(record(question).index) ?? {};
      const option = (wire, at) => (result ? { ...wire, voteCount: counted[at]?.voteCount ?? 0 } : wire);
      const known = { ...record(question), options: records(options).map(option), answer };
      return { ...known, ...(responses && { responses }), ...(result && { result }) };
    }),
  };
}

function withResult(poll, result) {
  const counts = new Map(records(result.questions).map((entry) => [entry.question, entry]));
  const questions = poll.questions?.map((question) => {
    const { correct, skipped, total, options: votes } = counts.get(question.index) ?? {};
    if (!counts.has(question.index)) return question;
    const options = question.options.map((option, at) => ({ ...option, voteCount: number(list(votes)[at]) ?? 0 }));
    const found = { correctResponses: number(correct), skippedCount: number(skipped), totalResponses: number(total) };
    return { ...question, options, result: found };
  });
  const { user_count: users, max_user: most, total_response: total } = result;
  const found = { totalUsers: number(users), maxUsers: number(most), totalResponses: number(total) };
  return { ...poll, questions, result: found };
}

function withOwnResponses(poll, responses) {
  const questions = poll.questions?.map(({ responses: before, ...question }) => {
    const given = records(responses).filter(({ response }) => response?.question === question.index);
    if (!given.length) return question;
    const own = ({ response, peer, final }) => ({
      ...response,
      questionIndex: response.question,
      peer,
      responseFinal: final,
    });
    return { ...question, responses: given.map(own) };
  });
  return { ...poll, questions };
}

export const POLL_CHANGES = {
  // From the server.

  "on-poll-start": (state, params) => withPolls(state, params.polls, { state: "started" }),

  "on-poll-stop": (state, params) => withPolls(state, params.polls, { state: "stopped" }),

  "on-poll-stats": (state, params) =>
    records(params.polls).reduce(
      (held, stats) => changePoll(held, stats.poll_id, (poll) => withResult(poll, stats)),
      state,
    ),

  // From this page.

  "polls-read": (state, { polls }) => withPolls(state, polls),

  "polls-gone": (state, { ids }) => {
    const polls = new Map(state.polls);
    for (const id of ids) polls.delete(id);
    return { ...state, polls };
  },
};
