// Writing a message, and to whom.

import { hmsActions, hmsStore, selectAvailableRoleNames, selectPermissions, selectRemotePeers } from "../hms.js";
import { eachFrame, make, part } from "./dom.js";
import { toast } from "./toasts.js";

const LEFT_SHOWN = 200; // characters before the limit from which on it is counted

const text = part("message");
const to = part("to");
const names = new Map(); // peer id → name, also of those who left while chosen

export function startComposer(maxLength) {
  const drawTo = eachFrame(drawRecipients);
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
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send(maxLength);
  });
  text.addEventListener("input", () => fit(maxLength));
  to.addEventListener("change", showPrivacy);
}

/** Chooses one person as the recipient and puts the cursor into the message. */
export function writeTo(peerId) {
  drawRecipients();
  to.value = `peer:${peerId}`;
  showPrivacy();
  text.focus();
}

function send(maxLength) {
  const message = text.value;
  if (!message.trim()) return;
  if (lengthOf(message) > maxLength) {
    toast(`A message has at most ${maxLength} characters.`);
    return;
  }
  const [kind, id] = split(to.value);
  if (kind === "peer" && to.selectedOptions[0].disabled) {
    toast(`${names.get(id)} has left. Choose who gets the message.`);
    to.focus();
    return;
  }
  const sending = {
    "": () => hmsActions.sendBroadcastMessage(message),
    peer: () => hmsActions.sendDirectMessage(message, id),
    role: () => hmsActions.sendGroupMessage(message, [id]),
  }[kind]();
  sending.catch(() => {}); // stays in the log as not sent, with a button to retry
  text.value = "";
  fit(maxLength);
  text.focus();
}

function split(value) {
  const at = value.indexOf(":");
  return at < 0 ? ["", ""] : [value.slice(0, at), value.slice(at + 1)];
}

const lengthOf = (message) => [...message].length;

function fit(maxLength) {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  const left = maxLength - lengthOf(text.value);
  part("left").textContent = left > LEFT_SHOWN ? "" : `${left} characters left.`;
  part("left").classList.toggle("over", left < 0);
}

function drawRecipients() {
  const chosen = to.value;
  const [kind, id] = split(chosen);
  const peers = hmsStore.getState(selectRemotePeers);
  for (const peer of peers) names.set(peer.id, peer.name);
  const options = [make("option", { value: "" }, "Everyone")];
  const roles = hmsStore.getState(selectAvailableRoleNames);
  options.push(
    group(
      "Everyone with the role",
      roles.map((role) => make("option", { value: `role:${role}` }, role)),
    ),
  );
  const people = peers.map((peer) => make("option", { value: `peer:${peer.id}` }, peer.name));
  if (kind === "peer" && !peers.some((peer) => peer.id === id)) {
    people.push(make("option", { value: chosen, disabled: true }, `${names.get(id)} (left)`));
  }
  if (people.length) options.push(group("One person", people));
  to.replaceChildren(...options);
  to.value = chosen;
  showPrivacy();
}

const group = (label, options) => make("optgroup", { label }, ...options);

function showPrivacy() {
  part("to-hint").hidden = !to.value;
  part("composer").classList.toggle("private", Boolean(to.value));
}
