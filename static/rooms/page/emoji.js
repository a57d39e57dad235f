// A small list of emoji to choose from: text, as any other character.

import { make } from "./dom.js";
import { closePopup, togglePopup } from "./menu.js";
import { gettext } from "./translation.js";

const COLUMNS = 8;

/** @type {[sign: string, name: string][]} */
const EMOJI = [
  ["👍", gettext("Thumbs up")],
  ["👎", gettext("Thumbs down")],
  ["👏", gettext("Applause")],
  ["🙏", gettext("Thank you")],
  ["👋", gettext("Waving hand")],
  ["🙌", gettext("Raised hands")],
  ["💪", gettext("Strength")],
  ["🤝", gettext("Handshake")],
  ["😀", gettext("Smile")],
  ["😂", gettext("Tears of joy")],
  ["😉", gettext("Wink")],
  ["😍", gettext("In love")],
  ["😎", gettext("Cool")],
  ["🤔", gettext("Thinking")],
  ["😮", gettext("Surprise")],
  ["😅", gettext("Relief")],
  ["😢", gettext("Sad")],
  ["😡", gettext("Angry")],
  ["😴", gettext("Asleep")],
  ["🙄", gettext("Rolling eyes")],
  ["🤷", gettext("Shrug")],
  ["❤️", gettext("Heart")],
  ["🔥", gettext("Fire")],
  ["🎉", gettext("Party")],
  ["✅", gettext("Done")],
  ["❌", gettext("No")],
  ["❓", gettext("Question")],
  ["❗", gettext("Exclamation")],
  ["👀", gettext("Eyes")],
  ["💡", gettext("Idea")],
  ["🚀", gettext("Rocket")],
  ["☕", gettext("Coffee")],
];

/** Those that stand ready to react with. */
export const QUICK_EMOJI = EMOJI.filter(([sign]) => ["👍", "❤️", "😂"].includes(sign));

/**
 * Opens the list at a button; closes it if it is open.
 * @param {HTMLElement} button
 * @param {(sign: string) => void} choose
 */
export function toggleEmoji(button, choose) {
  const build = () =>
    make("div", { class: "menu emoji", role: "dialog", "aria-label": gettext("Emoji") }, ...EMOJI.map(item));
  /** @param {typeof EMOJI[number]} emoji */
  const item = ([sign, name]) => {
    const made = make("button", { class: "menu-item", type: "button", "aria-label": name, title: name }, sign);
    made.addEventListener("click", () => {
      closePopup({ refocus: true });
      choose(sign);
    });
    return made;
  };
  togglePopup(button, build, COLUMNS);
}
