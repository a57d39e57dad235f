// The emoji that stand ready to react with: later/emoji.js has more.

import { gettext } from "./translation.js";

/** @type {[sign: string, name: string][]} */
export const QUICK_EMOJI = [
  ["👍", gettext("Thumbs up")],
  ["😂", gettext("Tears of joy")],
  ["❤️", gettext("Heart")],
];
