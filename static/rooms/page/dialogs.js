// Questions that need an answer first.

import { part, setParts, setText } from "./dom.js";

let turn = Promise.resolve(); // the question on the screen: one that comes meanwhile waits for its end

// Not buttons of the form: Enter in a field would press the first of those.
for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/**
 * Whether the person agrees to `action` (the label of the button). `title` and `text` are parts, texts and nodes.
 * With `wanted`, the label of a field, the answer is what stands in the field, or null.
 */
export function confirm(question) {
  const asked = turn.then(() => ask(question));
  turn = asked;
  return asked;
}

async function ask({ title, text, action, wanted = "" }) {
  setParts(part("confirm-title"), [title].flat());
  setParts(part("confirm-text"), [text].flat());
  setText(part("confirm-yes"), action);
  setText(part("confirm-label"), wanted);
  part("confirm-field").hidden = !wanted;
  part("confirm-wanted").value = "";
  const agrees = (await answer(part("confirm"))) === "yes";
  if (!wanted) return agrees;
  return agrees ? part("confirm-wanted").value.trim() : null;
}

/** A new {name, status}, or null. */
export async function askAboutSelf({ name, status }) {
  part("self-name").value = name;
  part("self-status").value = status;
  if ((await answer(part("self"))) !== "save") return null;
  return { name: part("self-name").value.trim(), status: part("self-status").value.trim() };
}

function answer(dialog) {
  const before = document.activeElement;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        if (before?.isConnected) before.focus();
        resolve(dialog.returnValue);
      },
      { once: true },
    );
  });
}
