// A small list of emoji to choose from: text, as any other character.

import { make } from "../dom.js";
import { QUICK_EMOJI } from "../emoji.js";
import { gettext } from "../translation.js";
import { closePopup, togglePopup } from "./menu.js";

const COLUMNS = 8;
const [THUMB, TEARS, HEART] = QUICK_EMOJI;

/** @type {[sign: string, name: string][]} */
const EMOJI = [
  THUMB,
  ["👎", gettext("Thumbs down")],
  ["👏", gettext("Applause")],
  ["🙏", gettext("Thank you")],
  ["👋", gettext("Waving hand")],
  ["🙌", gettext("Raised hands")],
  ["💪", gettext("Strength")],
  ["🤝", gettext("Handshake")],
  ["😀", gettext("Smile")],
  TEARS,
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
  HEART,
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
