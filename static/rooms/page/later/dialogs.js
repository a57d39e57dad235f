// Questions that need an answer first.

import { make, part, setParts, setText } from "../dom.js";
import { focusNear, placeOf } from "../focus.js";
import { gettext } from "../translation.js";

/** @import { Said } from "../types.js" */

/** @type {Promise<unknown>} */
let turn = Promise.resolve(); // the question on the screen: one that comes meanwhile waits for its end

// Not buttons of the form: Enter in a field would press the first of those.
for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog")?.close());
}

// What is required is not given by blanks: the browser says the same of them as of nothing.
addEventListener("change", ({ target }) => {
  const field = /** @type {HTMLInputElement} */ (target);
  if (field.required && !field.value.trim()) field.value = "";
});

/**
 * @typedef {object} Question
 * @property {string | Said[]} title
 * @property {string | Said[]} text
 * @property {string} action the label of the button that agrees
 * @property {string} [otherwise] the label of the button that does not
 * @property {boolean} [danger] whether something is lost by agreeing
 * @property {string} [wanted] the label of a field
 * @property {string[]} [points] a list below the text
 * @property {[string, Said][]} [values] what there is to choose from, each with its label
 */

/**
 * Whether the person agrees.
 * @param {Question} question
 */
export async function confirm(question) {
  return (await inTurn(question)) !== null;
}

/**
 * What stands in the field if the person agrees, or null.
 * @param {Question & { wanted: string }} question
 */
export function askFor(question) {
  return inTurn(question);
}

/** @param {Question} question */
function inTurn(question) {
  const asked = turn.then(() => ask(question));
  turn = asked;
  return asked;
}

/** @param {Question} question */
async function ask({
  title,
  text,
  action,
  otherwise = gettext("Cancel"),
  danger = false,
  wanted = "",
  points = [],
  values = [],
}) {
  setParts(part("confirm-title"), [title].flat());
  setParts(part("confirm-text"), [text].flat());
  part("confirm-points").replaceChildren(...points.map((words) => make("li", {}, words)));
  part("confirm-points").hidden = !points.length;
  const pairs = values.map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, value)));
  part("confirm-values").replaceChildren(...pairs);
  part("confirm-values").hidden = !values.length;
  setText(part("confirm-no"), otherwise);
  setText(part("confirm-yes"), action);
  part("confirm-yes").classList.toggle("danger", danger);
  part("confirm-yes").classList.toggle("primary", !danger);
  setText(part("confirm-label"), wanted);
  part("confirm-field").hidden = !wanted;
  part("confirm-wanted").value = "";
  const agrees = (await answer(part("confirm"))) === "yes";
  const given = part("confirm-wanted").value.trim();
  // Nothing stays in the page that may be deleted from the room.
  for (const name of ["title", "text", "points", "values"]) part(`confirm-${name}`).replaceChildren();
  part("confirm-wanted").value = "";
  return agrees ? given : null;
}

/**
 * A new {name, status}, or null.
 * @param {{ name: string, status: string }} held
 */
export async function askAboutSelf({ name, status }) {
  part("self-name").value = name;
  part("self-status").value = status;
  if ((await answer(part("self"))) !== "save") return null;
  return { name: part("self-name").value.trim(), status: part("self-status").value.trim() };
}

/**
 * Shows a dialog; by which of its buttons it was closed.
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<string>}
 */
export function answer(dialog) {
  const before = placeOf(document.activeElement);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        focusNear(before);
        resolve(dialog.returnValue);
      },
      { once: true },
    );
  });
}
