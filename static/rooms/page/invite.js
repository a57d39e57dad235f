// The link for others.

import { part } from "./dom.js";
import { toast } from "./toasts.js";

/** @param {string} link */
export function startInvite(link) {
  for (const name of ["copy-invite", "empty-copy", "lobby-copy"]) {
    part(name).addEventListener("click", () => copy(link));
  }
  part("invite-link").addEventListener("focus", () => part("invite-link").select());
}

/** @param {string} link */
async function copy(link) {
  try {
    await navigator.clipboard.writeText(link);
    toast("Link copied. Send it to whom you want here.");
  } catch {
    toast(`Copy this link: ${link}`);
  }
}
