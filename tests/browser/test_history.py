"""What was said before somebody came, or further up than the log goes."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import WebSocketRoute, expect

from tests.browser.person import People, Person
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DAY = 24 * 60 * 60 * 1000

# What a screen reader would be told of the log, in an attribute of the page.
LISTEN = """
addEventListener("DOMContentLoaded", () => {
  const log = document.querySelector("[data-part=log]");
  new MutationObserver((changes) => {
    const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
    const told = added.filter((node) => node instanceof Element && !node.closest("[aria-live=off]"));
    for (const { textContent } of told) document.documentElement.dataset.told ??= textContent;
  }).observe(log, { childList: true, subtree: true });
});
"""

# How far a message in sight moved at most from one painted frame to the next, as `farthest`.
PLACES = """() => {
  globalThis.farthest = 0;
  globalThis.places = new Map();
  const scroller = document.querySelector("[data-part=scroller]");
  const painted = new MessageChannel(); // heard after the frame
  painted.port1.onmessage = () => {
    const sight = scroller.getBoundingClientRect();
    const now = new Map();
    for (const message of scroller.querySelectorAll(".log .message")) {
      const { top, bottom } = message.getBoundingClientRect();
      if (bottom > sight.top && top < sight.bottom) now.set(message.dataset.id, top);
    }
    for (const [id, top] of now) farthest = Math.max(farthest, Math.abs(top - (places.get(id) ?? top)));
    places = now;
    requestAnimationFrame(next);
  };
  const next = () => painted.port2.postMessage("");
  requestAnimationFrame(next);
}"""

# To where older messages are read, which is the only movement that is meant.
SCROLL_UP = "(element) => { element.scrollTo(0, 200); places.clear(); }"


@pytest.fixture(scope="module")
def quick_server():
    with RunningServer(RATE_LIMIT=0) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def bob(people: People, quick_server: RunningServer) -> AsyncIterator[Person]:
    """A host on a server that takes many messages at once."""
    people.url = quick_server.url
    yield await people.person("Bob")


async def talk(person: Person, count: int) -> None:
    """So many messages, from "no 0" on."""
    say = "hmsActions.sendBroadcastMessage(`no ${at} .`)"
    await person.hms(f"(async () => {{ for (let at = 0; at < value; at += 1) await {say}; }})()", count)


def numbers(start: int, end: int) -> list[str]:
    return [f"no {number} ." for number in range(start, end)]


async def test_who_joins_sees_what_was_said_last_and_more_by_scrolling_up(people, bob):
    link = await bob.make_room()
    await talk(bob, 130)
    held = asyncio.Event()

    async def late(socket: WebSocketRoute, frame: str) -> None:
        told = json.loads(frame)
        if isinstance(told.get("result"), dict) and "messages" in told["result"]:
            await held.wait()
            for message in told["result"]["messages"]:
                message["timestamp"] -= DAY * (int(message["info"]["message"].split()[1]) < 100)
        socket.send(json.dumps(told))

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server().on_message(lambda frame: asyncio.ensure_future(late(socket, str(frame))))

    alice = await people.person("Alice")
    await alice.page.add_init_script(LISTEN)
    await alice.page.route_web_socket(re.compile("/v2/ws"), through)
    await alice.enter(link)
    await expect(alice.part("skeleton")).to_be_visible()
    await expect(alice.part("empty")).to_be_hidden()
    carol = await (await people.person("Carol")).enter(link)
    await expect(alice.part("people-count")).to_have_text("3")
    held.set()
    await alice.sees(*numbers(80, 130))
    await expect(alice.part("log").locator(".block > *").last).to_have_text("Carol joined")
    await carol.leave()
    await expect(alice.part("log").locator(".block > *").last).to_have_text("Carol joined · Carol left")
    await alice.page.evaluate("delete document.documentElement.dataset.told")  # which is news
    await expect(alice.part("skeleton")).to_be_hidden()
    await expect(alice.message("no 129 .")).to_be_in_viewport(ratio=1)
    await expect(alice.part("log").locator(".day")).to_have_text(["Yesterday", "Today"])
    await expect(alice.part("log").locator(".new")).to_have_count(0)

    await alice.page.evaluate(PLACES)
    await alice.part("scroller").evaluate(SCROLL_UP)
    await alice.sees(*numbers(30, 130))
    assert await alice.page.evaluate("farthest") <= 1  # px
    await expect(alice.part("log").locator(".day")).to_have_text(["Yesterday", "Today"])
    await expect(alice.part("chip")).to_be_hidden()
    page = alice.page.locator("html")
    await expect(page).not_to_have_attribute("data-told", re.compile("."))

    await alice.part("scroller").evaluate("(element) => element.scrollTo(0, 0)")
    await expect(alice.part("older-note")).to_have_text(
        re.compile(r"^You joined at \d+:\d+.*\. Earlier messages are not shown\.$")
    )
    await alice.part("scroller").evaluate("(element) => element.scrollTo(0, element.scrollHeight)")
    await expect(alice.part("log")).not_to_have_attribute("aria-live", "off")
    await bob.say("and now")
    await alice.sees(*numbers(30, 130), "and now")
    await expect(page).to_have_attribute("data-told", re.compile("and now"))


async def test_more_is_shown_by_a_button_with_keys_alone(people, bob):
    link = await bob.make_room()
    await talk(bob, 60)
    alice = await people.person("Alice", viewport={"width": 1200, "height": 2400})  # nothing to scroll
    await alice.enter(link)
    await alice.sees(*numbers(10, 60))
    await alice.part("to").focus()
    keys = alice.page.keyboard
    await keys.press("Shift+Tab")
    await expect(alice.message("no 59 .")).to_be_focused()
    await keys.press("Shift+Tab")
    await expect(alice.part("older-show")).to_be_focused()
    await keys.press("Enter")
    await alice.sees(*numbers(0, 60))
    await expect(alice.part("announcer")).to_have_text("10 earlier messages")
    await expect(alice.part("older-show")).to_be_hidden()
    await expect(alice.part("older-note")).to_be_hidden()  # that was all
    await expect(alice.part("scroller")).to_be_focused()


async def test_a_pin_leads_to_its_message_also_where_that_has_to_be_read_first(people, bob):
    link = await bob.make_room()
    await talk(bob, 90)
    await bob.act_on_message("no 5 .", "Pin for everyone")
    alice = await people.person("Alice", has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    await alice.enter(link)
    await alice.sees(*numbers(40, 90))
    await alice.part("pin").tap()
    await expect(alice.message("no 5 .")).to_be_focused()
    await expect(alice.message("no 5 .")).to_be_in_viewport()
    await alice.sees(*numbers(0, 90))


async def test_a_pin_from_before_what_is_shown_moves_nothing_and_is_said_to_be_that(people, bob):
    link = await bob.make_room()
    await bob.hms("hmsActions.setRoom({ history: 60 })")
    await talk(bob, 70)
    await bob.hms("hmsActions.pinMessage(hmsStore.getState().messages.allIDs[5])")
    alice = await (await people.person("Alice")).enter(link)
    await alice.sees(*numbers(20, 70))
    await expect(alice.part("pin-by")).to_contain_text("Pinned by Bob, said at")
    show = alice.part("all-pins").get_by_role("button", name="Show in the chat")
    await alice.part("pin-list").click()
    await show.click()
    await expect(alice.part("toasts")).to_have_text("This message is from before what is shown to you.")
    await expect(alice.message("no 69 .")).to_be_in_viewport(ratio=1)
    await alice.part("pin-list").click()
    await expect(alice.part("all-pins")).to_be_visible()
    await expect(show).to_have_count(0)


async def test_a_room_that_keeps_nothing_for_newcomers_says_so(people, bob, quick_server):
    link = await bob.make_room()
    name = await bob.hms("hmsStore.getState().room.id")
    quick_server.manage("room", "set", name, "--history", "0")
    alice = await (await people.person("Alice")).enter(link)
    await expect(alice.part("empty")).to_contain_text("No messages here")
    await expect(alice.part("older-note")).to_be_hidden()
    await bob.say("hello")
    await bob.act_on_message("hello", "Pin for everyone")
    carol = await (await people.person("Carol")).enter(link)
    note = re.compile(r"^You joined at .* Earlier messages are not shown\.$")
    await expect(carol.part("older-note")).to_have_text(note)
    await expect(carol.part("empty")).to_be_hidden()
    await carol.part("pin").click()
    await expect(carol.part("all-pins")).to_be_visible()  # where it can be read, whole
    await expect(carol.part("all-pins").get_by_role("button", name="Show in the chat")).to_have_count(0)
