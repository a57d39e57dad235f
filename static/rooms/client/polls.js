// Polls under the SDK's names: hmsActions.interactivityCenter.

import { list, record, records, text } from "./state/shapes.js";
import "./state/state.js"; // which knows of them
import { view } from "./state/view.js";

/** @import { HMSInteractivityCenter, HMSPoll, HMSPollParams } from "../hms.js" */
/** @import { HMSPollQuestionParams, HMSPollResponse } from "../hms.js" */
/** @import { Client } from "./client.js" */
/** @import { Poll } from "./state/types.js" */

const PAGE = 50; // questions and responses asked for at a time
const MOST = 100; // polls asked for at a time
/** @type {Record<string, string>} */
const MODES = { userName: "username", peerID: "peerid", customerID: "userid" };

/** @typedef {(type: "POLL_STARTED" | "POLL_STOPPED", id: string) => void} Tell */

/** @implements {HMSInteractivityCenter} */
export class Polls {
  #client;
  #tell;

  /**
   * @param {Client} client
   * @param {Tell} tell what to do when a poll (by its id) has started or stopped and its parts are in the store
   */
  constructor(client, tell) {
    this.#client = client;
    this.#tell = tell;
    /** @type {(method: string, type: Parameters<Tell>[0]) => void} */
    const then = (method, type) =>
      client.hearing.after(method, ({ polls }) => this.#readThen(polls, (id) => tell(type, id)));
    then("on-poll-start", "POLL_STARTED");
    then("on-poll-stop", "POLL_STOPPED"); // with the right answers, which may have been hidden until now
    client.hearing.after("resync", () => this.#attempt(() => this.#readAnew()));
    client.hearing.after("on-poll-response", ({ poll_id: id }) => this.#attempt(() => this.#readOwnResponses(id)));
    /** @param {Poll | undefined} seen */
    const isNew = (seen) => seen !== undefined && seen.state === undefined; // and what else runs, from before
    if (client.state.room.isConnected) this.#attempt(() => this.#readAnew(isNew)); // loaded only then
  }

  /**
   * Reads each of these polls, and goes on with it.
   * @param {unknown} polls
   * @param {(id: string) => void} next
   */
  #readThen(polls, next) {
    for (const { poll_id: found } of records(polls)) {
      const id = text(found);
      if (id !== undefined) this.#attempt(() => this.#read(id).then(() => next(id)));
    }
  }

  /** @param {HMSPollParams} poll */
  async createPoll({ id, title, type, duration, anonymous, visibility, locked, mode, ...rest }) {
    const { poll_id: pollId } = await this.#client.call("poll-info-set", {
      poll_id: id,
      title,
      type,
      duration,
      anonymous,
      visibility,
      locked,
      mode: MODES[mode ?? ""] ?? mode,
      vote: rest.rolesThatCanVote,
      responses: rest.rolesThatCanViewResponses,
    });
    if (rest.questions?.length) await this.addQuestionsToPoll(pollId, rest.questions);
    return pollId;
  }

  /**
   * @param {string} pollId
   * @param {HMSPollQuestionParams[]} questions
   */
  async addQuestionsToPoll(pollId, questions) {
    await this.#client.call("poll-questions-set", { poll_id: pollId, questions: questions.map(questionOnWire) });
  }

  /**
   * Starts a poll by its id, or makes and starts one.
   * @param {string | HMSPollParams} poll
   */
  async startPoll(poll) {
    const id = typeof poll === "string" ? poll : await this.createPoll(poll);
    await this.#client.call("poll-start", { poll_id: id }, { again: true });
  }

  /** @param {string} pollId */
  async stopPoll(pollId) {
    await this.#client.call("poll-stop", { poll_id: pollId }, { again: true });
  }

  /**
   * @param {string} pollId
   * @param {HMSPollResponse[]} responses
   */
  async addResponsesToPoll(pollId, responses) {
    const poll = this.#client.state.polls.get(pollId);
    if (!poll) throw new Error("Invalid poll ID - Poll not found");
    const given = responses.map((response) => responseOnWire(poll, response));
    await this.#client.call("poll-response", { poll_id: pollId, responses: given }, { again: true });
    await this.#readOwnResponses(pollId);
  }

  /**
   * Polls that were started, running ones and ended ones; read into the store.
   * @returns {Promise<HMSPoll[]>}
   */
  async getPolls() {
    const held = [...this.#client.state.polls.keys()];
    const found = new Set();
    let start;
    do {
      const { polls, last } = record(await this.#ask("poll-list", { count: MOST, full: true, start }));
      const shown = records(polls).filter(({ state }) => state !== "created");
      this.#client.change("polls-read", { polls: shown });
      for (const { poll_id: id, questions } of shown) {
        found.add(id);
        if (!questions) await this.#read(String(id)); // the server gives no more at a time
      }
      start = last;
    } while (start);
    this.#client.change("polls-gone", { ids: held.filter((id) => !found.has(id)) });
    return Object.values(view(this.#client.state).polls);
  }

  /**
   * Events may have been missed: what has begun or ended meanwhile is told as if it were now.
   * @param {(held: Poll | undefined) => boolean} isNew of what runs, by what was held of it
   */
  async #readAnew(isNew = (held) => held?.state !== "started") {
    const { state } = this.#client;
    const role = state.peers.get(state.room.localPeer)?.role ?? "";
    const { pollRead, pollWrite } = state.roles.get(role)?.permissions ?? {};
    if (!pollRead && !pollWrite) {
      this.#client.change("polls-gone", { ids: [...state.polls.keys()] });
      return;
    }
    for (const poll of await this.getPolls()) {
      const before = state.polls.get(poll.id);
      if (poll.state === "started" && isNew(before)) this.#tell("POLL_STARTED", poll.id);
      if (poll.state === "stopped" && before?.state === "started") this.#tell("POLL_STOPPED", poll.id);
    }
  }

  /** @param {() => Promise<void>} reading */
  #attempt(reading) {
    reading().catch((error) => this.#client.change("failed", { error }));
  }

  /** @param {string} id */
  async #read(id) {
    const [questions, responses, result] = await Promise.all([
      this.#all("poll-questions-get", { poll_id: id }, "questions"),
      this.#ownResponses(id),
      this.#ask("poll-result", { poll_id: id }),
    ]);
    this.#client.change("polls-read", { polls: [{ poll_id: id, questions, own_responses: responses, result }] });
  }

  /** @param {string} id */
  #ownResponses(id) {
    return this.#all("poll-responses", { poll_id: id, self: true }, "responses");
  }

  /** @param {string} id */
  async #readOwnResponses(id) {
    this.#client.change("polls-read", { polls: [{ poll_id: id, own_responses: await this.#ownResponses(id) }] });
  }

  /**
   * Everything of a list that comes in pages.
   * @param {string} method
   * @param {object} params
   * @param {string} name of the list in each answer
   */
  async #all(method, params, name) {
    const found = [];
    for (;;) {
      const answer = await this.#ask(method, { ...params, index: found.length, count: PAGE });
      const page = list(answer[name]);
      found.push(...page);
      if (answer.last !== false || !page.length) return found;
    }
  }

  /**
   * @param {string} method
   * @param {object} params
   */
  #ask(method, params) {
    return this.#client.call(method, params, { again: true });
  }
}

/** @type {(question: HMSPollQuestionParams, at: number) => object} */
const questionOnWire = ({ text, type, options = [], answer, skippable, weight, ...rest }, at) => ({
  question: { ...rest, index: rest.index ?? at + 1, text, type, skippable, weight },
  options: options.map((option, place) => ({ index: place + 1, text: option.text, weight: option.weight })),
  // Shown before the end only if asked for: else whoever is quick reads it off the wire.
  answer: { ...(answer ?? answerFrom(type, options)), hidden: answer?.hidden !== false },
});

/** @type {(type: string, options: NonNullable<HMSPollQuestionParams["options"]>) => object} */
function answerFrom(type, options) {
  const right = options.flatMap((option, at) => (option.isCorrectAnswer ? [at + 1] : []));
  if (!right.length) return {};
  return type === "single-choice" ? { option: right[0] } : { options: right };
}

/** @type {(poll: Poll, response: HMSPollResponse) => object} */
function responseOnWire(poll, { questionIndex, option, options, text, skipped = false }) {
  const question = poll.questions?.find(({ index }) => index === questionIndex);
  if (!question) throw new Error("Invalid question index - Question not found in poll");
  const said = { question: questionIndex, type: question.type, skipped };
  if (skipped) return said;
  if (question.type === "single-choice") return { ...said, option: option ?? options?.[0] };
  if (question.type === "multiple-choice") return { ...said, options: [...(options ?? [])].sort((a, b) => a - b) };
  return { ...said, text };
}
