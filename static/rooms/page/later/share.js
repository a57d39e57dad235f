// The links into the room, one for each role that one may hand out, and new ones for those that got into wrong hands.

import { onNotification } from "../../core.js";
import { hmsActions } from "../../hms.js";
import { arrange, make, pageData, part, setText } from "../dom.js";
import { copyLink } from "../link.js";
import { roleText } from "../roles.js";
import { fill, filled } from "../text.js";
import { attempt, toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { confirm } from "./dialogs.js";
import { powersOf } from "./powers.js";

/** @import { HMSRoomCode } from "../../hms.js" */

/** @typedef {{ element: HTMLElement, update: (code: string | null) => void }} Row */

const { invite = "" } = pageData();

/** @type {Map<string, Row>} */
const rows = new Map(); // role → what is shown of it

/** @param {string} code */
const linkOf = (code) => new URL(`../${code}/`, invite).href;

/**
 * The link with which one enters with a role, empty if one may not know it.
 * @param {string} role
 */
export async function currentLink(role) {
  const codes = await hmsActions.getRoomCodes().catch(() => []);
  const { code } = codes.find((one) => one.role === role) ?? {};
  return code ? linkOf(code) : "";
}

export function startShare() {
  onNotification(() => part("share").open && draw(), "ROOM_CODE_CHANGED");
}

export async function openShare() {
  rows.clear();
  part("share-links").replaceChildren();
  part("share").showModal();
  await draw();
}

async function draw() {
  const codes = await attempt(() => hmsActions.getRoomCodes(), gettext("The links could not be read. {why}"));
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
  const label = make(
    "label",
    { htmlFor: id },
    ...fill(gettext("Link for {role}"), { role: make("bdi", {}, roleText(role)) }),
  );
  const end = make("bdi", { class: "link-end", dir: "ltr" });
  const link = make("input", { id, readOnly: true, dir: "ltr" });
  const copying = button(() => copyLink(link.value));
  const renewing = button(() => renew(role, Boolean(link.value)));
  const hint = make("p", { class: "hint" }, gettext("Give this only to people who may run the room."));
  link.addEventListener("focus", () => link.select());
  hint.hidden = !powersOf(role).length;
  name(copying, gettext("Copy"), filled(gettext("Copy the link for {role}"), { role: roleText(role) }));
  /** @param {string | null} code */
  const update = (code) => {
    link.value = code ? linkOf(code) : "";
    setText(end, code ?? "");
    link.placeholder = gettext("No link yet");
    copying.hidden = !code;
    if (code) name(renewing, gettext("New link"), filled(gettext("New link for {role}"), { role: roleText(role) }));
    else name(renewing, gettext("Make a link"), filled(gettext("Make a link for {role}"), { role: roleText(role) }));
  };
  const head = make("div", { class: "link-head" }, label, end);
  const line = make("div", { class: "with-button" }, link, copying, renewing);
  return { element: make("li", { class: "field" }, head, line, hint), update };
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
      title: fill(gettext("A new link for {role}?"), { role: make("bdi", {}, roleText(role)) }),
      text: gettext("The present link stops working at once: nobody new enters by it. Who is inside stays."),
      action: gettext("Make a new link"),
      danger: true,
    }));
  if (!sure) return;
  await attempt(async () => {
    await hmsActions.replaceRoomCode(role);
    toast(gettext("There is a new link. Send it to whom you want here."), undefined, { kind: "link", isOwn: true });
    await draw();
  }, gettext("No new link. {why}"));
}
