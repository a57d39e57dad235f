// Keeps a session's page as the room is for as long as somebody looks at it, and acts without leaving it.

import { morph } from "./morph.js";

const EVERY = 1500; // ms

/** @type {HTMLElement | null} */
const live = document.querySelector("#live");
/** @type {HTMLElement | null} */
const state = document.querySelector("#live-state");
const source = live?.dataset.source ?? "";
const sending = new WeakSet();
let version = "";
let stopped = false;
let timer = 0;
let fetching = false;
let freshest = 0; // the number of the newest request whose page is shown
let requests = 0;

/** @type {(text: string) => void} */
function say(text) {
  if (state && state.textContent !== text) state.textContent = text;
}

/** @type {(text: string) => void} */
function stop(text) {
  stopped = true;
  clearTimeout(timer);
  say(text);
}

/** What an answer means for the page, if it is not the page itself. @type {(answer: Response) => boolean} */
function isRefusal(answer) {
  if (answer.type === "opaqueredirect" || new URL(answer.url || location.href).pathname.endsWith("/login/")) {
    stop("You are logged out. This page does not change any more; log in and open it again.");
  } else if (answer.status === 403) {
    stop("You may not see this any more. This page does not change any more.");
  } else if (answer.status === 404) {
    stop("This session is not kept any more.");
  } else {
    return false;
  }
  return true;
}

/** @type {(html: string) => Document} */
const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

/** @type {(fresh: Element | null, request: number) => void} */
function show(fresh, request) {
  // An answer that comes late is of an earlier state.
  if (!live || !fresh || request < freshest) return;
  freshest = request;
  morph(live, fresh);
  if (live.querySelector("#over")) stop("");
}

async function refresh() {
  const request = ++requests;
  try {
    const headers = version ? { "If-None-Match": version } : undefined;
    const answer = await fetch(source, { headers, redirect: "manual" });
    if (isRefusal(answer)) return;
    if (answer.status !== 304) {
      if (!answer.ok) throw new Error(`answered ${answer.status}`);
      const fresh = document.createElement("div");
      // As the page has it, so that only what differs is changed.
      for (const { name, value } of live?.attributes ?? []) fresh.setAttribute(name, value);
      fresh.append("\n", ...parsed(await answer.text()).body.childNodes);
      show(fresh, request);
      version = answer.headers.get("ETag") ?? "";
    }
    say("");
  } catch {
    say("The server does not answer. This page shows how it was before; it goes on by itself.");
  }
}

async function follow() {
  if (stopped || fetching) return;
  clearTimeout(timer);
  if (document.visibilityState === "visible") {
    fetching = true;
    await refresh();
    fetching = false;
  }
  if (!stopped) timer = setTimeout(follow, EVERY);
}

/** Send a form, and show what became of it. @type {(form: HTMLFormElement, button: HTMLElement | null) => Promise<void>} */
async function send(form, button) {
  const request = ++requests;
  sending.add(form);
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form, button) });
    const page = parsed(await answer.text());
    if (answer.status === 403) tell(message("error", "You may not do this, or the page is too old: load it again."));
    else if (isRefusal(answer)) return;
    else if (!answer.ok) tell(message("error", `The server answered ${answer.status}: ask again.`));
    else {
      const told = page.querySelector(".messagelist");
      if (told) tell(told);
      if (told?.querySelector(".success")) {
        form.closest("details")?.removeAttribute("open");
        form.reset();
      }
      show(page.querySelector("#live"), request);
      version = "";
    }
  } catch {
    tell(
      message("error", "The server does not answer: whether it was done is not known. Look before you do it again."),
    );
  } finally {
    sending.delete(form);
  }
}

/** @type {(kind: string, text: string) => HTMLElement} */
function message(kind, text) {
  const list = document.createElement("ul");
  const item = document.createElement("li");
  list.className = "messagelist";
  item.className = kind;
  item.textContent = text;
  list.append(item);
  return list;
}

/** @type {(list: Element) => void} */
function tell(list) {
  document.querySelector(".messagelist")?.remove();
  list.setAttribute("role", "alert");
  document.querySelector("#content")?.before(list);
  list.scrollIntoView({ block: "nearest" });
}

live?.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  event.preventDefault();
  if (!sending.has(form)) send(form, event.submitter);
});
document.addEventListener("visibilitychange", follow);
timer = setTimeout(follow, EVERY);
