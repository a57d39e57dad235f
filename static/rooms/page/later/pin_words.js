// What is shown of a pin.

import { getState } from "../../core.js";
import { selectMessageByMessageID } from "../../hms.js";
import { make } from "../dom.js";
import { fill, shortTime } from "../text.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";

/** @import { Pin, Said } from "../types.js" */

/** @param {Pin} pin */
const messageOf = ({ id }) => (id ? getState(selectMessageByMessageID(id)) : undefined);

/**
 * Who pinned it, and when it was said, which is known to who was here then.
 * @type {(pin: Pin) => Said[]}
 */
export function bylineOf(pin) {
  if (!pin.id) return [gettext("A note of somebody in the room")];
  const said = messageOf(pin)?.time;
  const name = pin.pinner && who(pin.pinner);
  const time = said && shortTime(said);
  if (name && time) return fill(gettext("Pinned by {name}, said at {time}"), { name, time });
  if (name) return fill(gettext("Pinned by {name}"), { name });
  return time ? fill(gettext("Said at {time}"), { time }) : [];
}

/**
 * What a pin shows: who said it, and what.
 * @type {(pin: Pin) => Said[]}
 */
export function contentOf({ text, author }) {
  const said = author?.name && text.startsWith(`${author.name}: `) ? text.slice(author.name.length + 2) : "";
  return said && author ? [who(author), ": ", make("bdi", {}, said)] : [make("bdi", {}, text)];
}
