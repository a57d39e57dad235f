// The links into the room, one for each role that one may hand out, and new ones for those that got into wrong hands.

import { hmsActions, hmsNotifications } from "../hms.js";
import { confirm } from "./dialogs.js";
import { arrange, make, part, setText } from "./dom.js";
import { copyLink, linkOf } from "./link.js";
import { powersOf } from "./powers.js";
import { fill, filled } from "./text.js";
import { attempt, toast } from "./toasts.js";

/** @import { HMSRoomCode } from "../hms.js" */

/** @typedef {{ element: HTMLElement, update: (code: string | null) => void }} Row */

/** @type {Map<string, Row>} */
const rows = new Map(); // role → what is shown of it

export function startShare() {
  hmsNotifications.onNotification(() => part("share").open && draw(), "ROOM_CODE_CHANGED");
}

export async function openShare() {
  rows.clear();
  part("share-links").replaceChildren();
  part("share").showModal();
  await draw();
}

async function draw() {
  const codes = await attempt(() => hmsActions.getRoomCodes(), "The links could not be read");
  if (!codes) return;
  arrange(part("share-links"), codes.map(elementOf));
}

/** @param {HMSRoomCode} of */
function elementOf({ role, code }) {
  const held = rows.get(role) ?? row(role);
  rows.set(role, held);
  held.update(code);
  return held.element;
}

/**
 * @param {string} role
 * @returns {Row}
 */
function row(role) {
  const id = `share-${rows.size}`;
  const label = make("label", { htmlFor: id }, ...fill("Link for {role}", { role: make("bdi", {}, role) }));
  const link = make("input", { id, readOnly: true });
  const copying = button(() => copyLink(link.value));
  const renewing = button(() => renew(role, Boolean(link.value)));
  const hint = make("p", { class: "hint" }, "Give this only to people who may run the room.");
  link.addEventListener("focus", () => link.select());
  hint.hidden = !powersOf(role).length;
  name(copying, "Copy", filled("Copy the link for {role}", { role }));
  /** @param {string | null} code */
  const update = (code) => {
    link.value = code ? linkOf(code) : "";
    link.placeholder = "No link yet";
    copying.hidden = !code;
    if (code) name(renewing, "New link", filled("New link for {role}", { role }));
    else name(renewing, "Make a link", filled("Make a link for {role}", { role }));
  };
  const line = make("div", { class: "with-button" }, link, copying, renewing);
  return { element: make("li", { class: "field" }, label, line, hint), update };
}

/** @param {() => void} action */
function button(action) {
  const made = make("button", { class: "button", type: "button" });
  made.addEventListener("click", action);
  return made;
}

/** @type {(button: HTMLElement, label: string, spoken: string) => void} */
function name(button, label, spoken) {
  setText(button, label);
  button.setAttribute("aria-label", spoken);
}

/** @type {(role: string, isThere: boolean) => Promise<void>} */
async function renew(role, isThere) {
  const sure =
    !isThere ||
    (await confirm({
      title: fill("A new link for {role}?", { role: make("bdi", {}, role) }),
      text: "The present link stops working at once: nobody new enters by it. Who is inside stays.",
      action: "Make a new link",
      danger: true,
    }));
  if (!sure) return;
  await attempt(async () => {
    await hmsActions.replaceRoomCode(role);
    toast("There is a new link. Send it to whom you want here.");
    await draw();
  }, "No new link");
}
