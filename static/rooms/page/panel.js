// The side panel: people or polls. Beside the chat on wide screens, a sheet over it on narrow ones.

import { onClick, part, setText } from "./dom.js";
import { gettext } from "./translation.js";

/** @typedef {"people" | "polls"} Kind */

/** @type {Record<Kind, string>} */
const KINDS = { people: gettext("People"), polls: gettext("Polls") };
const wide = matchMedia("(min-width: 60rem)");
/** What lies under a sheet. */
const COVERED = /** @type {const} */ (["bar", "banner", "chat"]);

const kinds = /** @type {Kind[]} */ (Object.keys(KINDS));
/** @type {Kind | null} */
let shown = null;
/** @type {HTMLElement | null} */
let opener = null;

export function startPanel() {
  for (const kind of kinds) {
    const toggle = part(`${kind}-toggle`);
    onClick(toggle, () => {
      opener = toggle;
      show(shown === kind ? null : kind);
    });
  }
  onClick(part("panel-close"), () => show(null));
  wide.addEventListener("change", resetPanel);
  part("panel").addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !wide.matches) show(null);
  });
}

/** Opens the people beside the chat where there is space. */
export function resetPanel() {
  opener = null;
  show(wide.matches ? "people" : null, { focus: false });
}

/** @param {Kind} kind */
export function openPanel(kind) {
  opener = part(`${kind}-toggle`);
  show(kind);
}

/** @param {Kind} kind */
export const isShown = (kind) => shown === kind;

/** Closes the panel where it covers the chat. */
export function closeSheet() {
  if (!wide.matches) show(null);
}

/** @param {boolean} isModal whether nothing else of the room can be reached */
function setModal(isModal) {
  for (const name of COVERED) part(name).inert = isModal;
  part("panel").setAttribute("role", isModal ? "dialog" : "complementary");
  part("panel").ariaModal = isModal ? "true" : null;
}

/** @param {Kind | null} kind */
function show(kind, { focus = true } = {}) {
  shown = kind;
  part("panel").hidden = !kind;
  part("stage").classList.toggle("with-panel", Boolean(kind));
  setModal(kind !== null && !wide.matches);
  for (const name of kinds) {
    part(name).hidden = name !== kind;
    part(`${name}-toggle`).setAttribute("aria-expanded", String(name === kind));
  }
  if (kind) setText(part("panel-title"), KINDS[kind]);
  if (!focus) return;
  if (kind) part("panel-title").focus();
  else opener?.focus();
}
