// Writing a message, and to whom.

import { hmsActions, hmsStore, selectAvailableRoleNames, selectPermissions, selectRemotePeers } from "../hms.js";
import { arrange, eachFrame, make, part, setText } from "./dom.js";
import { here } from "./memory.js";
import { persons } from "./persons.js";
import { toast } from "./toasts.js";
import { drawName, nameText, who } from "./who.js";

/** @import { Someone } from "./types.js" */

const LEFT_SHOWN = 200; // characters before the limit from which on it is counted

const NAME_SHOWN = 16; // characters: the tag after them is not cut off

const text = part("message");
const to = part("to");
const everyone = to.options[0];
/** @type {Map<string, HTMLOptionElement>} */
const options = new Map(); // value → its option: an open list keeps what it shows
const byTouch = matchMedia("(pointer: coarse)"); // keys on the glass: no Shift beside Enter, a button to send
let key = ""; // of the draft
/** @type {Someone | null} */
let chosen = null; // the person that was chosen, also when that one has left

/** @type {(maxLength: number, code: string) => void} */
export function startComposer(maxLength, code) {
  key = `draft:${code}`;
  const drawTo = eachFrame(() => drawRecipients());
  hmsStore.subscribe(drawTo, selectRemotePeers);
  hmsStore.subscribe(drawTo, selectAvailableRoleNames);
  hmsStore.subscribe((permissions) => {
    const mayWrite = permissions?.sendMessages !== false;
    part("composer").hidden = !mayWrite;
    part("read-only").hidden = mayWrite;
  }, selectPermissions);

  part("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send(maxLength);
  });
  listenToTyping(maxLength);
  to.addEventListener("change", () => {
    choose(to.value);
    keep();
  });
  restore(maxLength);
}

/** @param {number} maxLength */
function listenToTyping(maxLength) {
  text.enterKeyHint = byTouch.matches ? "enter" : "send";
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || byTouch.matches) return;
    // Chosen from an input method: Safari says so only by the key code.
    if (event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send(maxLength);
  });
  text.addEventListener("input", () => {
    keep();
    fit(maxLength);
  });
}

/**
 * Chooses one person as the recipient and puts the cursor into the message.
 * @param {{ id: string }} peer
 */
export function writeTo(peer) {
  drawRecipients();
  choose(`peer:${peer.id}`);
  keep();
  text.focus();
}

/** @param {number} maxLength */
function send(maxLength) {
  const message = text.value;
  if (!message.trim()) return;
  if (lengthOf(message) > maxLength) {
    toast(`A message has at most ${maxLength} characters.`);
    return;
  }
  const [kind, id] = split(to.value);
  if (chosen && kind === "peer" && to.selectedOptions[0].disabled) {
    toast([who(chosen), " has left. Choose who gets the message."]);
    to.focus();
    return;
  }
  sendTo(kind, id, message).catch(() => {}); // stays in the log as not sent, with a button to retry
  text.value = "";
  keep();
  fit(maxLength);
  text.focus();
}

/** @type {(kind: string, id: string, message: string) => Promise<void>} */
function sendTo(kind, id, message) {
  if (kind === "peer") return hmsActions.sendDirectMessage(message, id);
  if (kind === "role") return hmsActions.sendGroupMessage(message, [id]);
  return hmsActions.sendBroadcastMessage(message);
}

/** @type {(value: string) => ["" | "peer" | "role", string]} */
function split(value) {
  const at = value.indexOf(":");
  const kind = value.slice(0, Math.max(at, 0));
  return kind === "peer" || kind === "role" ? [kind, value.slice(at + 1)] : ["", ""];
}

/** @param {string} message */
const lengthOf = (message) => [...message].length;

/** @param {number} maxLength */
function fit(maxLength) {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  const left = maxLength - lengthOf(text.value);
  part("left").textContent = left > LEFT_SHOWN ? "" : `${left} characters left.`;
  part("left").classList.toggle("over", left < 0);
}

// --- The draft: over a reload, with whom it is for ---

function keep() {
  if (!text.value && !to.value) here.remove(key);
  else here.set(key, JSON.stringify({ text: text.value, to: to.value, person: chosen }));
}

/** @param {number} maxLength */
function restore(maxLength) {
  const kept = here.get(key);
  if (!kept) return;
  const draft = JSON.parse(kept);
  text.value = draft.text;
  chosen = draft.person;
  drawRecipients(draft.to);
  choose(draft.to);
  fit(maxLength);
}

// --- Whom it is for ---

/** @param {string} value */
function choose(value) {
  to.value = value;
  const [kind, id] = split(value);
  const peer = kind === "peer" ? hmsStore.getState(selectRemotePeers).find((one) => one.id === id) : null;
  if (peer) chosen = { id, name: peer.name, person: peer.person };
  else if (kind !== "peer") chosen = null;
  showPrivacy();
}

function drawRecipients(value = to.value) {
  const present = persons(hmsStore.getState(selectRemotePeers));
  const roles = hmsStore.getState(selectAvailableRoleNames).map(roleOption);
  const people = present.map((peer) => personOption(peer, false));
  // What was chosen is not changed silently: a private message would go to everyone.
  const [kind, id] = split(value);
  const one = chosen;
  const gone = one && !present.some((peer) => peer.id === one.id) ? [personOption(one, true)] : [];
  if (kind === "role" && !roles.includes(optionFor(value))) roles.push(roleOption(id));
  arrange(to, [
    everyone,
    ...group("Everyone with the role", roles),
    ...group("One person", people),
    ...group("Left meanwhile", gone),
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
  setText(option, role);
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

function showPrivacy() {
  part("to-hint").hidden = !to.value;
  part("composer").classList.toggle("private", Boolean(to.value));
}
