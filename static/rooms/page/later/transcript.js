// What was said, to keep: as a text, as JSON, or printed. As much as the room shows to this person.

import { getState } from "../../core.js";
import {
  hmsActions,
  selectHistory,
  selectHMSMessages,
  selectMessageByMessageID,
  selectPeerByID,
  selectRoom,
} from "../../hms.js";
import { make, part, setParts } from "../dom.js";
import { firstWords, withoutText } from "../log/quotes.js";
import { roleText } from "../roles.js";
import { filled, fullTime, together, visible } from "../text.js";
import { attempt } from "../toasts.js";
import { gettext } from "../translation.js";
import { nameText, senderOf } from "../who.js";
import { localTime } from "./text.js";

/** @import { HMSMessage } from "../../hms.js" */

const PAGES = 20; // of history that are read first
const PAGE = 100; // messages

export function startTranscript() {
  /** @type {[part: "transcript-text" | "transcript-json" | "transcript-print", action: () => void][]} */
  const actions = [
    ["transcript-text", () => save("txt", "text/plain", asText())],
    ["transcript-json", () => save("json", "application/json", asJSON())],
    ["transcript-print", print],
  ];
  for (const [name, action] of actions) part(name).addEventListener("click", () => withAll(action));
  addEventListener("afterprint", () => part("print").replaceChildren());
}

export function openTranscript() {
  part("transcript").showModal();
}

/**
 * Does something once all is read that the room shows.
 * @param {() => void} action
 */
async function withAll(action) {
  const isRead = await attempt(async () => {
    for (let page = 0; page < PAGES && getState(selectHistory).hasMore; page += 1) {
      await hmsActions.loadOlderMessages(PAGE);
    }
    return true;
  }, gettext("Not saved. {why}"));
  if (!isRead) return;
  part("transcript").close();
  action();
}

const messages = () => getState(selectHMSMessages).filter(({ type }) => type === "chat");
const title = () => part("title").textContent ?? "";

/** @param {HMSMessage} message */
const authorOf = (message) => {
  const sender = senderOf(message);
  return sender ? nameText(sender) : gettext("The room");
};

/**
 * For whom alone it was, as a remark; empty if for everybody.
 * @param {HMSMessage} message
 */
function privately({ recipientPeer, recipientRoles }) {
  if (recipientRoles?.length)
    return filled(gettext("(only to {names})"), { names: together(recipientRoles.map((role) => roleText(role))) });
  if (!recipientPeer) return "";
  const peer = getState(selectPeerByID(recipientPeer));
  return peer ? filled(gettext("(only to {names})"), { names: nameText(peer) }) : gettext("(private)");
}

/**
 * What a message answers, as a remark; empty if nothing.
 * @param {HMSMessage} message
 */
function answering({ replyTo }) {
  if (replyTo === undefined) return "";
  const answered = getState(selectMessageByMessageID(replyTo));
  const said = answered ? `${authorOf(answered)}: ${firstWords(answered)}` : withoutText(replyTo, false);
  return filled(gettext("(in reply to {said})"), { said });
}

/**
 * For whom it was and what it answers.
 * @param {HMSMessage} message
 */
const remarks = (message) => [privately(message), answering(message)].filter(Boolean).join(" ");

const BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/gu;

/** @param {HMSMessage} message */
const lineOf = (message) =>
  [
    `[${localTime(message.time).replace("T", " ")}]`,
    `${[authorOf(message), remarks(message)].filter(Boolean).join(" ")}:`,
    message.message.replace(BREAK, "\r\n    "), // indented: no line of it reads as what another said
  ]
    .map(visible)
    .join(" ");

const asText = () => [title(), "", ...messages().map(lineOf), ""].join("\r\n");

const asJSON = () => {
  const { id, sessionId } = getState(selectRoom);
  const said = messages().map((message) => ({
    id: message.id,
    time: localTime(message.time),
    author: senderOf(message) && { name: message.senderName, person: message.senderPerson, role: message.senderRole },
    message: message.message,
    ...(message.replyTo !== undefined && { reply_to: message.replyTo || null }), // null: it was deleted
    ...(message.editedAt && { edited: localTime(message.editedAt) }),
    ...(message.recipientPeer && { private: true }),
    ...(message.recipientRoles?.length && { roles: message.recipientRoles }),
    ...(message.reactions?.length && { reactions: message.reactions.map(({ emoji, count }) => ({ emoji, count })) }),
  }));
  return `${JSON.stringify({ room: id, title: getState(selectRoom).title, session: sessionId, messages: said }, null, 2)}\n`;
};

/** @type {(ending: string, type: string, content: string) => void} */
function save(ending, type, content) {
  const href = URL.createObjectURL(new Blob([content], { type: `${type};charset=utf-8` }));
  const [day] = localTime(new Date()).split("T");
  make("a", { href, download: `chat-${day}.${ending}` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

function print() {
  const lines = messages().map((message) => {
    const said = make("p", { dir: "auto" });
    const author = make("bdi", {}, authorOf(message));
    setParts(said, [
      make("b", {}, author),
      " ",
      make("small", {}, fullTime(message.time), " ", remarks(message)),
      make("br"),
      message.message,
    ]);
    return said;
  });
  part("print").replaceChildren(make("h1", { dir: "auto" }, title()), ...lines);
  window.print();
}
