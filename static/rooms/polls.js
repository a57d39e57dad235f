// Polls under the SDK's names: hmsActions.interactivityCenter.

const PAGE = 50; // questions and responses asked for at a time
const MODES = { userName: "username", peerID: "peerid", customerID: "userid" };

export class Polls {
  #client;

  /** @param tell what to do when a poll (by its id) has started or stopped and its parts are in the store */
  constructor(client, tell) {
    this.#client = client;
    const then = (method, type, read) =>
      client.after(method, ({ polls }) => {
        for (const { poll_id: id } of polls) {
          read(id).then(
            () => tell(type, id),
            (error) => client.change("failed", { error }),
          );
        }
      });
    then("on-poll-start", "POLL_STARTED", (id) => this.#read(id));
    then("on-poll-stop", "POLL_STOPPED", (id) => this.#readResult(id));
  }

  async createPoll({ id, title, type, duration, anonymous, visibility, locked, mode, ...rest }) {
    const { poll_id: pollId } = await this.#client.call("poll-info-set", {
      poll_id: id,
      title,
      type,
      duration,
      anonymous,
      visibility,
      locked,
      mode: MODES[mode] ?? mode,
      vote: rest.rolesThatCanVote,
      responses: rest.rolesThatCanViewResponses,
    });
    if (rest.questions?.length) await this.addQuestionsToPoll(pollId, rest.questions);
    return pollId;
  }

  async addQuestionsToPoll(pollId, questions) {
    await this.#client.call("poll-questions-set", { poll_id: pollId, questions: questions.map(questionOnWire) });
  }

  /** Starts a poll by its id, or makes and starts one. */
  async startPoll(poll) {
    const id = typeof poll === "string" ? poll : await this.createPoll(poll);
    await this.#client.call("poll-start", { poll_id: id });
  }

  async stopPoll(pollId) {
    await this.#client.call("poll-stop", { poll_id: pollId });
  }

  async addResponsesToPoll(pollId, responses) {
    const poll = this.#client.state.polls.get(pollId);
    if (!poll) throw new Error("Invalid poll ID - Poll not found");
    await this.#client.call("poll-response", {
      poll_id: pollId,
      responses: responses.map((response) => responseOnWire(poll, response)),
    });
    await this.#readOwnResponses(pollId);
  }

  /** Polls that were started, running ones and ended ones; read into the store. */
  async getPolls() {
    for (const state of ["started", "stopped"]) {
      const { polls } = await this.#ask("poll-list", { state, count: PAGE });
      this.#client.change("polls-read", { polls });
      for (const { poll_id: id } of polls) {
        await this.#read(id);
        if (state === "stopped") await this.#readResult(id);
      }
    }
    return [...this.#client.state.polls.values()];
  }

  async #read(id) {
    await this.#readQuestions(id);
    await this.#readOwnResponses(id);
  }

  async #readQuestions(id) {
    const { questions } = await this.#ask("poll-questions-get", { poll_id: id, index: 0, count: PAGE });
    this.#client.change("poll-questions", { poll_id: id, questions });
  }

  async #readOwnResponses(id) {
    const { responses } = await this.#ask("poll-responses", { poll_id: id, index: 0, count: PAGE, self: true });
    const given = (responses ?? []).map(({ response, peer, final }) => ({ ...response, peer, responseFinal: final }));
    this.#client.change("poll-own-responses", { poll_id: id, responses: given });
  }

  async #readResult(id) {
    this.#client.change("poll-result", { poll_id: id, ...(await this.#ask("poll-result", { poll_id: id })) });
  }

  #ask(method, params) {
    return this.#client.call(method, params, { again: true });
  }
}

const questionOnWire = ({ text, type, options = [], answer, skippable, weight, ...rest }, at) => ({
  question: { ...rest, index: rest.index ?? at + 1, text, type, skippable, weight },
  options: options.map((option, place) => ({ index: place + 1, text: option.text, weight: option.weight })),
  answer: answer ?? answerFrom(type, options),
});

function answerFrom(type, options) {
  const right = options.flatMap((option, at) => (option.isCorrectAnswer ? [at + 1] : []));
  if (!right.length) return { hidden: false };
  return type === "single-choice" ? { hidden: false, option: right[0] } : { hidden: false, options: right };
}

function responseOnWire(poll, { questionIndex, option, options, text, skipped = false, duration = 0 }) {
  const question = poll.questions?.find(({ index }) => index === questionIndex);
  if (!question) throw new Error("Invalid question index - Question not found in poll");
  const said = { question: questionIndex, type: question.type, duration, skipped };
  if (skipped) return said;
  if (question.type === "single-choice") return { ...said, option: option ?? options?.[0] };
  if (question.type === "multiple-choice") return { ...said, options: [...(options ?? [])].sort((a, b) => a - b) };
  return { ...said, text };
}
