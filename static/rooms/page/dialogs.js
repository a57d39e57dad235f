// Questions that need an answer first.

import { part, setText } from "./dom.js";

/** Whether the person agrees to `action` (the label of the button). */
export async function confirm({ title, text, action }) {
  setText(part("confirm-title"), title);
  setText(part("confirm-text"), text);
  setText(part("confirm-yes"), action);
  return (await answer(part("confirm"))) === "yes";
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
