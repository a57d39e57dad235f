// The start page: the rooms that this browser was in, with how many are inside.

import { part } from "./dom.js";
import { forgetRooms, recentRooms } from "./recent.js";

async function showRecent() {
  const codes = recentRooms();
  if (!codes.length) return;
  const query = new URLSearchParams(codes.map((code) => ["code", code]));
  const answer = await fetch(`${part("recent").dataset.url}?${query}`);
  if (!answer.ok) return;
  part("recent-list").innerHTML = await answer.text(); // a piece of this page, as the server writes it
  part("recent").hidden = part("recent-list").childElementCount === 0;
}

part("recent-forget").addEventListener("click", () => {
  forgetRooms();
  part("recent").hidden = true;
});
addEventListener("pageshow", () => showRecent().catch(() => {})); // the page does without
