// Links into the room.

import { getState, selectRoom } from "../core.js";
import { fill } from "./text.js";
import { toast } from "./toasts.js";
import { gettext } from "./translation.js";

/** @param {string} link */
export async function copyLink(link) {
  try {
    await navigator.clipboard.writeText(link);
    const { locked } = getState(selectRoom);
    toast(
      locked
        ? gettext("Link copied. The room is locked: unlock it before others can enter.")
        : gettext("Link copied. Send it to whom you want here."),
      undefined,
      { kind: "link", isOwn: true },
    );
  } catch {
    toast(fill(gettext("Copy this link: {link}"), { link }));
  }
}
