// Refusals in words for people, and what to do about them. Pure.

import { roleText } from "../roles.js";
import { filled } from "../text.js";
import { gettext } from "../translation.js";
import { either, timeSpan } from "./text.js";

/** @import { HMSMetadataWriters } from "../../hms.js" */

const LIMIT = /at most (\d+)|longer than (\d+)/u;

/** @param {string} text */
const most = (text) => {
  const [, a, b] = LIMIT.exec(text) ?? [];
  return a ?? b;
};

/** What is too long: where the limit is known, and where not. */
const TOO_LONG = {
  message: [
    gettext("A message has at most {limit} characters. Make it shorter."),
    gettext("A message is too long. Make it shorter."),
  ],
  name: [
    gettext("A name has at most {limit} characters. Make it shorter."),
    gettext("A name is too long. Make it shorter."),
  ],
  reason: [
    gettext("A reason has at most {limit} characters. Make it shorter."),
    gettext("A reason is too long. Make it shorter."),
  ],
  title: [
    gettext("A title has at most {limit} characters. Make it shorter."),
    gettext("A title is too long. Make it shorter."),
  ],
  description: [
    gettext("A description has at most {limit} characters. Make it shorter."),
    gettext("A description is too long. Make it shorter."),
  ],
  answer: [
    gettext("An answer has at most {limit} characters. Make it shorter."),
    gettext("An answer is too long. Make it shorter."),
  ],
};

/** @type {(what: keyof typeof TOO_LONG, text: string) => string} */
const upTo = (what, text) => {
  const limit = most(text);
  const [known, unknown] = TOO_LONG[what];
  return limit ? filled(known, { limit: Number(limit) }) : unknown;
};

/** @type {Record<string, string>} */
const PERMISSIONS = {
  sendMessages: gettext("Your role can read along, but not write."),
  writeMetadata: gettext("Your role cannot pin messages or change what everybody sees."),
  raiseHand: gettext("Your role cannot raise a hand."),
  changeRole: gettext("Your role cannot change the roles of others."),
  removeOthers: gettext("Your role cannot remove others."),
  endRoom: gettext("Your role cannot end the room."),
  manageRoom: gettext("Your role cannot change the settings of the room."),
  pollRead: gettext("Your role cannot see polls."),
  pollWrite: gettext("Your role cannot make polls."),
};

/** Who may do something, by what it is. */
const MAY = {
  act: {
    owner: gettext("Only the person whom it belongs to can do this here."),
    server: gettext("Only whoever runs the server can do this here."),
    role: gettext("Your role cannot do this here."),
    roles: gettext("Only people with the role {roles} can do this here."),
    nobody: gettext("Nobody can do this here."),
  },
  pin: {
    owner: gettext("Only the person whom it belongs to can pin messages here."),
    server: gettext("Only whoever runs the server can pin messages here."),
    role: gettext("Your role cannot pin messages here."),
    roles: gettext("Only people with the role {roles} can pin messages here."),
    nobody: gettext("Nobody can pin messages here."),
  },
};

/**
 * Who may do something here, for somebody who may not, as a sentence.
 * @param {HMSMetadataWriters | undefined} who
 * @param {keyof typeof MAY} act
 */
export function whoMay(who, act) {
  const sentences = MAY[act];
  if (who === "owner" || who === "server") return sentences[who];
  if (who === undefined) return sentences.role;
  return Array.isArray(who) && who.length
    ? filled(sentences.roles, { roles: either(who.map((role) => roleText(role))) })
    : sentences.nobody;
}

/**
 * What a refusal begins with or holds, as "code message" → what it means. The first that fits is used.
 * @type {[RegExp, (said: string, found: string) => string][]}
 */
const WORDS = [
  [/: no such message/u, () => gettext("The message was deleted.")],
  [/cannot be stored/u, () => gettext("It holds a character that cannot be kept. Take it out and try again.")],
  [
    /lacks the permission (\w+)/u,
    (_, name) => (Object.hasOwn(PERMISSIONS, name) ? PERMISSIONS[name] : gettext("Your role cannot do this.")),
  ],
  [
    /the room is locked/u,
    () =>
      gettext("The room is locked: nobody new can enter now. Ask somebody inside to unlock it, or try again later."),
  ],
  [
    /slow mode: one message in (\d+) seconds, wait (\d+) more/u,
    (said) => {
      const [, every, left] = /in (\d+) seconds, wait (\d+)/u.exec(said) ?? [];
      return filled(gettext("Slow mode: one message in {every}. You can write again in {left}."), {
        every: timeSpan(Number(every)),
        left: timeSpan(Number(left)),
      });
    },
  ],
  [/the room is full/u, () => gettext("The room is full. Try again when somebody has left.")],
  [/takes no more of the role|admits nobody/u, () => gettext("Nobody more can have this role at the moment.")],
  [
    /opens the room no longer/u,
    () =>
      gettext(
        "This link is no longer good: it was replaced by another one, or switched off. Ask whoever invited you for a new one.",
      ),
  ],
  [/room not available|room is closed/u, () => gettext("The room is closed. Ask whoever runs it to open it again.")],
  [
    /removed from (?:this|the) session/u,
    () => gettext("You were removed. You can come back only when somebody lets you in again."),
  ],
  [/no such room code/u, () => gettext("No room has this code. Check the link, or ask for it again.")],
  [/^pins: no room$/u, () => gettext("Somebody pinned another message meanwhile, and there is no room for more.")],
  [/may not answer this poll/u, () => gettext("Your role cannot answer this poll.")],
  [/may not see what others answer/u, () => gettext("Your role cannot see what others answer.")],
  [
    /poll_id: the poll (?:is not running|was not started)|Invalid poll/u,
    () => gettext("This poll is not running any more."),
  ],
  [
    /the first answer stands|two for one question/u,
    () => gettext("You have answered already; the first answer counts."),
  ],
  [/cannot be skipped/u, () => gettext("Answer every question first.")],
  [/^\D*\d* ?responses.*text: expected|^\D*\d* ?responses.*Chars/u, (text) => upTo("answer", text)],
  [/responses|no option|question/iu, () => gettext("This answer does not fit the poll. Look at the poll again.")],
  [/poll_id|no such poll/u, () => gettext("This poll does not exist any more.")],
  [/requested_for|peer_id|no such peer|person:/u, () => gettext("This person is not here any more.")],
  [/peer: /u, () => gettext("Your place in the room belongs to somebody else now. Join again.")],
  [/message: (?:empty|expected|there is nothing to see)|blank/u, () => gettext("Write something first.")],
  [/(?:^|\s|\.)message: /u, (text) => upTo("message", text)],
  [
    /emoji: .* different ones/u,
    () => gettext("A message can have no more different reactions. Choose one that is there."),
  ],
  [/emoji: .* reactions/u, () => gettext("This message can have no more reactions.")],
  [/emoji: /u, () => gettext("Only one emoji can be a reaction.")],
  [/id: the message is another's/u, () => gettext("You can change only what you said yourself.")],
  [/(?:^|\s)name: (?:longer|\d+ char|at most|expected)/u, (text) => upTo("name", text)],
  [/(?:^|\s)name:/u, () => gettext("A name needs at least one letter or sign that can be seen.")],
  [/(?:^|\s)title:/u, (text) => upTo("title", text)],
  [/(?:^|\s)description:/u, (text) => upTo("description", text)],
  [/(?:^|\s)reason:/u, (text) => upTo("reason", text)],
  [/ lock .* is held by nobody$/u, () => gettext("This can be changed only in the app that it belongs to.")],
  [/ lock .* is held by/u, () => gettext("Somebody else is at work on this. Try again in a moment.")],
  [/key: .* may be \w+ by its owner|is not the caller's own/u, () => whoMay("owner", "act")],
  [/key: .* may be \w+ by the server/u, () => whoMay("server", "act")],
  [/key: .* may be \w+ by /u, () => whoMay("none", "act")],
  [
    /(?:^|\s)data: all keys|(?:^|\s)keys?:/u,
    () => gettext("The room holds as much as it can. Take something away first."),
  ],
  [/(?:^|\s)(?:data|text|body|frame):/u, () => gettext("This is too long. Make it shorter.")],
  [/message.*(?:gone|no such)|(?:^|\s)id:/u, () => gettext("This message is gone, or not for everyone.")],
  [/may do more than you may/u, () => gettext("This role may do more than yours. Ask somebody who has it.")],
  [/role:/u, () => gettext("This role does not exist any more.")],
  [/JSON: more than/u, () => gettext("This is too much. Make it simpler.")],
  [
    /insecure|mixed content|WebSocket/iu,
    () => gettext("The browser does not let this page connect to the room. Ask whoever runs the server."),
  ],
  [/origin:/u, () => gettext("This server does not take visits from this address. Ask whoever runs it.")],
  [
    /^(?:1003|1006)|cannot be reached|connection broke/u,
    () => gettext("The server cannot be reached. Check your connection and try again."),
  ],
  [/^offline$/u, () => gettext("You are offline. Try again when you are back.")],
  [/not delivered/u, () => gettext("It did not get through in time.")],
  [/^4?401|^4001|token/u, () => gettext("The right to be here has expired. Join again.")],
  [/^4002/u, () => gettext("You are in this room in another tab or window. Go on there, or join again here.")],
  [/^4003/u, () => gettext("You are not in the room any more. Ask somebody inside to let you in again.")],
  [/^4(?:09|12|22)/u, () => gettext("Somebody else changed it at the same time. Look again.")],
  [/^410|not in a room|not joined/u, () => gettext("You are not in the room any more. Join again.")],
  [/^429|^4029|too fast|requests a second/u, () => gettext("That was too much at once. Wait a moment and try again.")],
  [
    /^5\d\d|^1011|server answered 5|internal error/u,
    () => gettext("The server cannot do this just now. Try again in a moment."),
  ],
  [/^1012/u, () => gettext("The server starts anew. Wait a moment.")],
  [/^4008/u, () => gettext("Your connection is too slow for this room. Try again in a moment.")],
  [/^4?4(?:00|15)/u, () => gettext("The server does not understand this page. Reload it and try again.")],
  [/^4?403/u, () => gettext("You cannot do this here.")],
  [/^404/u, () => gettext("This does not exist any more.")],
  [/^413/u, () => gettext("This is too long. Make it shorter.")],
];

/**
 * What an error, or only its message, means to who meets it.
 * @param {any} error
 */
export function inWords(error) {
  const { code = "", message = "", data } = typeof error === "string" ? { message: error } : (error ?? {});
  if (data?.roles?.length) return whoMay(data.roles, "act");
  const said = `${code} ${message}`.trim();
  for (const [pattern, words] of WORDS) {
    const found = pattern.exec(said);
    if (found) return words(said, found[1]);
  }
  return gettext("That did not work. Try again.");
}
