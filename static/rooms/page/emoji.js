// A small list of emoji to choose from: text, as any other character.

import { make } from "./dom.js";
import { closePopup, togglePopup } from "./menu.js";

const COLUMNS = 8;

/** @type {[sign: string, name: string][]} */
const EMOJI = [
  ["👍", "Thumbs up"],
  ["👎", "Thumbs down"],
  ["👏", "Applause"],
  ["🙏", "Thank you"],
  ["👋", "Waving hand"],
  ["🙌", "Raised hands"],
  ["💪", "Strength"],
  ["🤝", "Handshake"],
  ["😀", "Smile"],
  ["😂", "Tears of joy"],
  ["😉", "Wink"],
  ["😍", "In love"],
  ["😎", "Cool"],
  ["🤔", "Thinking"],
  ["😮", "Surprise"],
  ["😅", "Relief"],
  ["😢", "Sad"],
  ["😡", "Angry"],
  ["😴", "Asleep"],
  ["🙄", "Rolling eyes"],
  ["🤷", "Shrug"],
  ["❤️", "Heart"],
  ["🔥", "Fire"],
  ["🎉", "Party"],
  ["✅", "Done"],
  ["❌", "No"],
  ["❓", "Question"],
  ["❗", "Exclamation"],
  ["👀", "Eyes"],
  ["💡", "Idea"],
  ["🚀", "Rocket"],
  ["☕", "Coffee"],
];

/** Those that stand ready to react with. */
export const QUICK_EMOJI = EMOJI.filter(([sign]) => ["👍", "❤️", "😂"].includes(sign));

/**
 * Opens the list at a button; closes it if it is open.
 * @param {HTMLElement} button
 * @param {(sign: string) => void} choose
 */
export function toggleEmoji(button, choose) {
  const build = () => make("div", { class: "menu emoji", role: "dialog", "aria-label": "Emoji" }, ...EMOJI.map(item));
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
