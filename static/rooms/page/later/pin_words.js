// What is shown of a pin.

import { make } from "../dom.js";
import { fill, shortTime } from "../text.js";
import { gettext } from "../translation.js";
import { who } from "../who.js";

/** @import { Pin, Said } from "../types.js" */

/**
 * Who pinned it, and when it was said.
 * @type {(pin: Pin) => Said[]}
 */
export function bylineOf(pin) {
  if (!pin.id) return [gettext("A note of somebody in the room")];
  const name = pin.pinner && who(pin.pinner);
  const said = new Date(Number(pin.timestamp));
  const time = said.getTime() > 0 && shortTime(said);
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
