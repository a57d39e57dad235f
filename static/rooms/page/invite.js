// The link for others.

import { part } from "./dom.js";
import { fill } from "./text.js";
import { toast } from "./toasts.js";

/** @param {string} link */
export function startInvite(link) {
  for (const name of ["copy-invite", "empty-copy", "lobby-copy"]) {
    part(name).addEventListener("click", () => copyInvite(link));
  }
  part("invite-link").addEventListener("focus", () => part("invite-link").select());
}

/** @param {string} link */
export async function copyInvite(link) {
  try {
    await navigator.clipboard.writeText(link);
    toast("Link copied. Send it to whom you want here.");
  } catch {
    toast(fill("Copy this link: {link}", { link }));
  }
}
