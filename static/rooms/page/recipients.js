// Whom a message is for: everyone, those with a role, or one person, which the page then says all the time.

import { getState, selectAvailableRoleNames, selectRemotePeers, subscribe } from "../core.js";
import { arrange, eachFrame, make, onClick, part, setParts, setText } from "./dom.js";
import { persons } from "./persons.js";
import { roleText } from "./roles.js";
import { fill } from "./text.js";
import { gettext } from "./translation.js";
import { drawName, nameText, who } from "./who.js";

/** @import { Someone } from "./types.js" */

const NAME_SHOWN = 16; // characters: the tag after them is not cut off

const to = part("to");
const everyone = to.options[0];
/** @type {Map<string, HTMLOptionElement>} */
const options = new Map(); // value → its option: an open list keeps what it shows
/** @type {Someone | null} */
let chosen = null; // the person that was chosen, also when that one has left

/** @param {() => void} changed called when the person chose */
export function startRecipients(changed) {
  const drawTo = eachFrame(() => drawRecipients());
  subscribe(drawTo, selectRemotePeers);
  subscribe(drawTo, selectAvailableRoleNames);
  /** @param {string} value */
  const take = (value) => {
    choose(value);
    changed();
    part("message").focus();
  };
  to.addEventListener("change", () => take(to.value));
  onClick(part("to-all"), () => take(""));
}

/** Whom the message is for: everyone, where `kind` is empty. */
export function recipient() {
  const [kind, id] = split(to.value);
  return { kind, id, left: chosen && kind === "peer" && to.selectedOptions[0].disabled ? chosen : null };
}

/** What to hand to restoreRecipient() after a reload; null for everyone. */
export const recipientKept = () => (to.value ? { to: to.value, person: chosen } : null);

/** @param {{ to: string, person: Someone | null }} kept */
export function restoreRecipient(kept) {
  chosen = kept.person;
  drawRecipients(kept.to);
  choose(kept.to);
}

/**
 * Chooses whom a message is for: empty for everyone, `peer:` or `role:` and an id.
 * @param {string} value
 */
export function chooseTo(value) {
  drawRecipients();
  choose(value);
}

/** @type {(value: string) => ["" | "peer" | "role", string]} */
function split(value) {
  const at = value.indexOf(":");
  const kind = value.slice(0, Math.max(at, 0));
  return kind === "peer" || kind === "role" ? [kind, value.slice(at + 1)] : ["", ""];
}

/** @param {string} value */
function choose(value) {
  to.value = value;
  const [kind, id] = split(value);
  const peer = kind === "peer" ? getState(selectRemotePeers).find((one) => one.id === id) : null;
  if (peer) chosen = { id, name: peer.name, person: peer.person };
  else if (kind !== "peer") chosen = null;
  showPrivacy();
}

function drawRecipients(value = to.value) {
  const present = persons(getState(selectRemotePeers));
  const roles = getState(selectAvailableRoleNames).map(roleOption);
  const people = present.map((peer) => personOption(peer, false));
  // What was chosen is not changed silently: a private message would go to everyone.
  const [kind, id] = split(value);
  const one = chosen;
  const gone = one && !present.some((peer) => peer.id === one.id) ? [personOption(one, true)] : [];
  if (kind === "role" && !roles.includes(optionFor(value))) roles.push(roleOption(id));
  arrange(to, [
    everyone,
    ...group(gettext("Everyone with the role"), roles),
    ...group(gettext("One person"), people),
    ...group(gettext("Left meanwhile"), gone),
  ]);
  const shown = new Set([...roles, ...people, ...gone]);
  for (const [held, option] of options) if (!shown.has(option)) options.delete(held);
  to.value = value;
  showPrivacy();
}

/** @param {string} value */
function optionFor(value) {
  const option = options.get(value) ?? make("option", { value });
  options.set(value, option);
  return option;
}

/** @param {string} role */
function roleOption(role) {
  const option = optionFor(`role:${role}`);
  setText(option, roleText(role));
  return option;
}

/** @type {(peer: Someone, isGone: boolean) => HTMLOptionElement} */
function personOption(peer, isGone) {
  const option = optionFor(`peer:${peer.id}`);
  option.disabled = isGone;
  drawName(option, peer, () => setText(option, nameText(peer, NAME_SHOWN)));
  return option;
}

/** @type {Map<string, HTMLOptGroupElement>} */
const groups = new Map(); // label → its element

/** @type {(label: string, members: HTMLOptionElement[]) => HTMLOptGroupElement[]} */
function group(label, members) {
  const element = groups.get(label) ?? make("optgroup", { label });
  groups.set(label, element);
  arrange(element, members);
  return members.length ? [element] : [];
}

let named = ""; // whom the chip names

function showPrivacy() {
  part("to-chip").hidden = !to.value;
  part("composer").classList.toggle("private", Boolean(to.value));
  const next = JSON.stringify([to.value, chosen]);
  if (next === named) return;
  named = next;
  const [kind, id] = split(to.value);
  if (kind === "role")
    setParts(part("to-name"), fill(gettext("Only the role {role}"), { role: make("bdi", {}, roleText(id)) }));
  else if (chosen) setParts(part("to-name"), fill(gettext("Only {name}"), { name: who(chosen) }));
  else setParts(part("to-name"), []); // it describes the message box, seen or not
}
