// A sound and a notification of the browser for what is said while nobody looks at the page, and what turns them on.

import { getState, subscribe } from "../../core.js";
import { selectMessageByMessageID } from "../../hms.js";
import { isOn, NOTICE, SOUND } from "../alerts.js";
import { lasting } from "../memory.js";
import { visible } from "../text.js";
import { toast } from "../toasts.js";
import { gettext } from "../translation.js";
import { nameText, senderOf } from "../who.js";

/** @import { HMSMessage } from "../../hms.js" */
/** @import { MenuItem } from "../types.js" */

const TONES = [660, 880]; // Hz
const TONE = 0.12; // s
const LOUDNESS = 0.08; // of 1
const SHOWN = 200; // characters

/** @type {AudioContext | undefined} */
let audio;
/** @type {{ notification: Notification, message: HMSMessage } | undefined} */
let shown;

/** @type {(key: string, on: boolean) => void} */
const turn = (key, on) => (on ? lasting.set(key, "on") : lasting.remove(key));

export function startAlerts() {
  subscribe(closeIfChanged, ({ messages }) => messages, Object.is);
}

/** What was deleted since, or says something else now, is not to be read in the browser's notification either. */
function closeIfChanged() {
  const { id = "", message } = shown?.message ?? {};
  if (getState(selectMessageByMessageID(id))?.message !== message) close();
}

function close() {
  shown?.notification.close();
  shown = undefined;
}

/** @returns {MenuItem[]} the switches */
export function alertActions() {
  const sound = { label: gettext("Sound for new messages"), checked: isOn(SOUND), action: turnSound };
  const notice = { label: gettext("Notify me of new messages"), checked: isOn(NOTICE), action: turnNotice };
  return "Notification" in window ? [sound, notice] : [sound];
}

function turnSound() {
  turn(SOUND, !isOn(SOUND));
  if (isOn(SOUND)) play();
}

async function turnNotice() {
  if (isOn(NOTICE)) return turn(NOTICE, false);
  const isAllowed = (await Notification.requestPermission()) === "granted";
  turn(NOTICE, isAllowed);
  toast(
    isAllowed
      ? gettext("You will be notified of new messages while this page is hidden.")
      : gettext("The browser does not allow notifications of this page. Allow them in its settings first."),
  );
}

/** @param {HMSMessage} message */
export function alertTo(message) {
  // While this was loaded it may have been changed, or deleted.
  if (getState(selectMessageByMessageID(message.id))?.message !== message.message) return;
  if (isOn(SOUND)) play();
  if (isOn(NOTICE)) notify(message);
}

function play() {
  audio ??= new AudioContext();
  audio.resume();
  const volume = new GainNode(audio, { gain: LOUDNESS });
  volume.connect(audio.destination);
  TONES.forEach((frequency, place) => {
    const tone = new OscillatorNode(/** @type {AudioContext} */ (audio), { frequency });
    tone.connect(volume);
    const at = Number(audio?.currentTime) + place * TONE;
    tone.start(at);
    tone.stop(at + TONE);
  });
}

/** @param {HMSMessage} message */
function notify(message) {
  const sender = senderOf(message);
  const title = visible(sender ? nameText(sender) : gettext("The room"));
  try {
    close(); // one at a time
    const next = new Notification(title, { body: visible(message.message).slice(0, SHOWN) });
    shown = { notification: next, message };
    next.addEventListener("click", () => {
      window.focus();
      next.close();
    });
  } catch {
    turn(NOTICE, false); // some browsers on telephones have the name of it alone
  }
}
