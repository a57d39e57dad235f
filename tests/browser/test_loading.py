"""What a browser loads for a page: a bundle of script and one of style where collectstatic has made them."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from django.core.management import call_command
from django.test import override_settings
from playwright.async_api import Response, expect

from tests.browser.person import People, Person
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

REQUESTS = 3  # for script and style, whatever is opened
BYTES = 120_000  # of both before compression, until something is opened
WORDS = 32 * 1024  # bytes of a language other than English, in the page itself

LATER = re.compile(r"/later\.")


@pytest.fixture(scope="module")
def production(tmp_path_factory) -> Iterator[RunningServer]:
    """A server as it is deployed, with bundles."""
    folder = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=folder):
        call_command("collectstatic", interactive=False, verbosity=0)
    with RunningServer(server="uvicorn", HMSROOM_DEV=0, STATIC_ROOT=folder) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def visitors(chromium, production) -> AsyncIterator[People]:
    met = People(chromium, production.url)
    yield met
    await met.close()
    assert met.complaints == []


class Loaded:
    """What somebody's browser asks for."""

    def __init__(self, person: Person) -> None:
        self._answers: list[Response] = []
        self._asked: list[str] = []
        person.page.on("request", lambda one: self._asked.append(f"{one.method} {one.url}"))
        person.page.on("response", lambda answer: self._answers.append(answer))

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(answer.url).netloc for answer in self._answers}

    def files(self) -> list[Response]:
        """Script and style so far."""
        return [answer for answer in self._answers if answer.request.resource_type in ("script", "stylesheet")]

    def names(self) -> list[str]:
        """Bundles so far."""
        return [urlsplit(answer.url).path.rsplit("/", 1)[1].split(".")[0] for answer in self.files()]

    def tries(self, address: re.Pattern[str]) -> int:
        """How often something was to be loaded."""
        return len([one for one in self._asked if one.startswith("GET") and address.search(one)])

    async def bytes(self) -> int:
        """Of these files, before compression."""
        return sum([len(await answer.body()) for answer in self.files()])


async def held_back_anew(person):
    """The page is loaded once more without what comes later; the event by which that comes."""
    await person.page.reload()
    await person.is_inside()
    await person.page.unroute_all()
    return await person.hold_back(LATER)


@pytest.mark.parametrize("language", ["en", "de", "es", "ar"])
async def test_few_files_of_this_server_alone_are_loaded_in_any_language(visitors, production, language):
    alice, bob = [await visitors.person(name, locale=language) for name in ("Alice", "Bob")]
    start, loaded = Loaded(alice), Loaded(bob)
    await alice.page.goto(visitors.url, wait_until="networkidle")
    assert start.names() == ["start", "start"]
    await alice.page.locator("form[action$='new'] button").click()
    await alice.page.wait_for_url("**/r/**")
    link = await alice.part("invite-link").input_value()
    for person in (alice, bob):
        await person.page.goto(link)
        await person.part("lobby-name").fill(person.name)
        await person.part("lobby-join").click()
        await person.is_inside()
    await bob.part("message").fill("hello")
    await bob.part("message").press("Enter")
    await alice.message("hello").hover()
    await alice.message("hello").locator(".toolbar button").first.click()  # a reaction
    await alice.message("hello").locator(".reply").click()
    await alice.part("message").fill("answer")
    await alice.part("message").press("Enter")
    await expect(bob.messages()).to_have_count(2)
    await expect(bob.part("log").locator(".reaction")).to_be_visible()
    await bob.page.wait_for_load_state("networkidle")
    assert loaded.names() == ["room", "main"]
    size = await loaded.bytes()
    assert size <= BYTES, f"{size} bytes of script and style to talk in a room, at most {BYTES}"

    await open_all(bob)
    assert loaded.names() == ["room", "main", "later"]
    assert len(loaded.files()) <= REQUESTS
    assert loaded.hosts == start.hosts == {f"127.0.0.1:{production.port}"}
    for file in loaded.files():
        headers = await file.all_headers()
        assert headers["content-encoding"] == "gzip"
        assert "immutable" in headers["cache-control"]


async def test_a_reload_loads_no_more_than_the_first_time(visitors):
    alice = await visitors.person("Alice")
    await alice.make_room()
    await alice.say("hello")
    await alice.sees("hello")
    loaded = Loaded(alice)
    await alice.page.reload()
    await alice.sees("hello")
    await alice.say("again")
    await alice.sees("hello", "again")
    await alice.page.wait_for_load_state("networkidle")
    assert loaded.names() == ["room", "main"]


async def open_all(person: Person) -> None:
    """Each thing in the room's menu, and the emoji."""
    await person.part("more").click()
    items = person.page.get_by_role("menuitem")
    await expect(items.first).to_be_focused()
    count = await items.count()
    await person.page.keyboard.press("Escape")
    dialogs = 0
    for place in range(count):
        await person.part("more").click()
        await items.nth(place).click()
        if await person.page.locator("dialog[open]").count():
            dialogs += 1
            await person.page.keyboard.press("Escape")
    assert dialogs >= 2
    await person.part("emoji").click()
    await expect(person.page.get_by_role("dialog").get_by_role("button").first).to_be_focused()
    await person.page.keyboard.press("Escape")


async def test_words_of_a_language_are_few_and_in_the_page_itself(visitors):
    alice = await visitors.person("Alice", locale="ar")
    loaded = Loaded(alice)
    await alice.page.goto(visitors.url)
    await alice.page.locator("form[action$='new'] button").click()
    await alice.page.wait_for_load_state("networkidle")
    assert loaded.names() == ["start", "start", "room", "main"]
    words = await alice.page.locator("[data-part=words]").text_content()
    assert words
    assert 0 < len(words.encode()) < WORDS
    await expect(alice.part("lobby-join")).to_have_text("دخول الغرفة")


async def test_all_that_opens_is_there_without_a_connection_once_something_was_opened(visitors):
    visitors.forgive(r"net::ERR_|Failed to load resource")
    alice, bob = await visitors.meet("Alice", "Bob")
    await bob.say("hello")
    await bob.act_on_message("hello", "Pin for everyone")
    await bob.message("hello").hover()
    await bob.message("hello").get_by_role("button", name="React with Thumbs up").click()
    await expect(alice.message("hello").locator(".reaction")).to_be_visible()
    await expect(alice.part("pins")).to_be_visible()
    await alice.part("more").click()
    await expect(alice.page.get_by_role("menu")).to_be_visible()
    await alice.page.keyboard.press("Escape")
    await alice.page.context.set_offline(True)
    await expect(alice.part("banner-text")).to_contain_text("You are offline")

    opening = [
        *(alice.choose(alice.part("more"), item) for item in MENU),
        alice.part("copy-invite").click(),
        alice.part("pin-list").click(),
        alice.act_on("(you)", "Change name or status"),
        alice.act_on("Bob", "Make host"),
        alice.act_on("Bob", "Remove from the room"),
        *(alice.act_on_message("hello", item) for item in ("Who reacted", "Delete")),
        alice.part("leave").click(),
    ]
    for opens in opening:
        await opens
        await expect(alice.page.locator("dialog[open]")).to_be_visible()
        await alice.page.keyboard.press("Escape")
        await expect(alice.page.locator("dialog[open]")).to_have_count(0)
    await alice.part("emoji").click()
    await expect(alice.page.get_by_role("button", name="Rocket")).to_be_visible()


MENU = (
    "Language",
    "Save the transcript",
    "Make a poll",
    "Room settings",
    "Clear the chat",
    "End the room for everyone",
)


async def test_what_cannot_be_loaded_says_so_and_is_tried_again_by_keys(visitors):
    visitors.forgive(r"net::ERR_|Failed to load resource")
    alice = await visitors.person("Alice")
    await alice.make_room()
    await alice.page.route(LATER, lambda route: route.abort())
    await alice.part("leave").click()  # which would be asked about, as the last one
    await alice.is_told("You left the room")
    await alice.page.get_by_role("button", name="Join again").click()
    await alice.is_inside()
    await alice.say("first")
    await alice.message("first").focus()
    await alice.page.keyboard.press("Escape")
    await expect(alice.part("message")).to_be_focused()
    asked = Loaded(alice)
    await alice.part("message").press_sequentially("so @al", delay=50)
    await alice.page.keyboard.press("Tab")
    await expect(alice.part("message")).not_to_be_focused()
    assert asked.tries(LATER) <= 1
    await expect(alice.part("toasts").locator(".toast")).to_have_count(0)
    await alice.part("message").fill("")
    await alice.part("more").press("Enter")
    notice = alice.part("toasts").locator(".toast")
    await expect(notice).to_contain_text(
        "Not loaded. The server cannot be reached. Check your connection and try again."
    )
    await expect(alice.part("more")).to_be_focused()
    await alice.say("goes on")
    await alice.sees("first", "goes on")
    await alice.page.keyboard.press("Tab")
    again = notice.get_by_role("button", name="Try again")
    await expect(again).to_be_focused()
    first = await again.element_handle()
    await alice.part("more").evaluate("button => button.click()")
    await alice.page.wait_for_function("button => !button.isConnected", arg=first)
    await expect(again).to_be_focused()  # of the notice in its place
    await alice.page.unroute(LATER)
    await alice.page.keyboard.press("Enter")
    await expect(alice.page.get_by_role("menuitem").first).to_be_focused()
    await alice.page.keyboard.press("Escape")
    await expect(alice.part("more")).to_be_focused()


async def test_who_asks_twice_opens_once_and_who_goes_on_writing_is_not_called_away(visitors):
    alice = await visitors.person("Alice")
    await alice.make_room()
    may_load = await alice.hold_back(LATER)
    await alice.part("more").click()
    await expect(alice.part("more")).to_have_attribute("aria-busy", "true")
    await alice.part("message").press_sequentially("goes on")
    may_load.set()
    await expect(alice.part("more")).not_to_have_attribute("aria-busy", "true")
    await expect(alice.part("message")).to_be_focused()
    await expect(alice.page.get_by_role("menu")).to_have_count(0)

    may_load = await held_back_anew(alice)
    await alice.part("more").click()
    await alice.part("more").click()
    may_load.set()
    await expect(alice.page.get_by_role("menu")).to_have_count(1)
    await expect(alice.page.get_by_role("menuitem").first).to_be_focused()


async def test_keys_that_came_before_what_they_are_for_are_done_once_it_is_there(visitors):
    alice, bob = await visitors.meet("Alice", "Bob")
    for words in ("one", "two", "three"):
        await bob.say(words)
    await alice.sees("one", "two", "three")
    may_load = await alice.hold_back(LATER)
    await alice.message("three").focus()
    for key in ("ArrowUp", "ArrowUp", "Enter", "Enter", "ArrowDown"):
        await alice.page.keyboard.press(key)
    may_load.set()
    await expect(alice.page.get_by_role("menuitem").nth(1)).to_be_focused()
    await alice.page.keyboard.press("Escape")
    more = alice.message("one").get_by_role("button", name="Actions for the message of Bob")
    await expect(more).to_be_focused()

    may_load = await held_back_anew(alice)
    await alice.part("message").press_sequentially("so @bo")
    await alice.part("message").press("Enter")
    may_load.set()
    await expect(alice.part("message")).to_have_value("so @Bob ")

    may_load = await held_back_anew(alice)
    await alice.part("message").fill("")
    await alice.part("message").press_sequentially("so @bo")
    await alice.part("message").press("Enter")
    await alice.part("message").press_sequentially("th of you")
    may_load.set()
    await expect(alice.part("more")).not_to_have_attribute("aria-busy", "true")
    await alice.part("more").click()
    await expect(alice.page.get_by_role("menu")).to_be_visible()
    await expect(alice.part("message")).to_have_value("so @both of you")
    await alice.sees("one", "two", "three")


async def test_what_the_room_shows_and_how_a_stay_ended_is_told_once_it_can_be_loaded(visitors):
    visitors.forgive(r"net::ERR_|Failed to load resource")
    alice, bob = await visitors.meet("Alice", "Bob")
    await bob.page.route(LATER, lambda route: route.abort())
    await alice.say("hello")
    await alice.act_on_message("hello", "Pin for everyone")
    await expect(bob.part("toasts")).to_contain_text("Not loaded.")
    await bob.page.unroute(LATER)
    await bob.page.context.set_offline(True)
    await expect(bob.part("banner-text")).to_contain_text("You are offline")
    await bob.page.context.set_offline(False)
    await expect(bob.part("pins")).to_be_visible()

    may_load = await bob.hold_back(LATER)
    await bob.page.reload()
    await bob.is_inside()
    await alice.act_on("Bob", "Remove from the room")
    await alice.agree()
    await bob.is_told("You were removed from the room")
    await expect(bob.part("end-text")).not_to_contain_text("Alice")
    may_load.set()
    await expect(bob.part("end-text")).to_contain_text("By Alice.")


async def test_a_finger_that_loads_the_toolbar_has_it_once_it_is_there(visitors, production):
    alice = await visitors.person("Alice", has_touch=True)
    await alice.make_room()
    await alice.say("hello")
    await alice.sees("hello")
    may_load = await alice.hold_back(LATER)
    await alice.message("hello").locator(".text").dispatch_event("pointerdown", {"pointerType": "touch"})
    await alice.page.wait_for_timeout(600)
    await alice.message("hello").locator(".text").dispatch_event("pointerup", {"pointerType": "touch"})
    may_load.set()
    await expect(alice.message("hello").get_by_role("button", name="Reply")).to_be_visible()


async def test_a_page_whose_server_was_replaced_offers_to_reload_and_goes_on(visitors):
    visitors.forgive(r"Failed to load resource: the server responded with a status of 404")
    alice = await visitors.person("Alice")
    await alice.make_room()
    await alice.page.route(LATER, lambda route: route.fulfill(status=404))
    await alice.part("message").fill("half a thought")
    await alice.part("more").click()
    await expect(alice.part("toasts")).to_contain_text("There is a newer version of this page. Reload it to go on.")
    await alice.page.unroute(LATER)
    async with alice.page.expect_navigation():
        await alice.part("toasts").get_by_role("button", name="Reload").click()
    await alice.is_inside()
    await expect(alice.part("message")).to_have_value("half a thought")
    await alice.choose(alice.part("more"), "Save the transcript")
    await expect(alice.part("transcript")).to_be_visible()


async def test_what_opens_shows_at_once_as_it_is_to_look(visitors):
    alice = await visitors.person("Alice")
    await alice.make_room()
    await alice.page.evaluate(WATCH_FOR_UNSTYLED)
    await alice.choose(alice.part("more"), "Room settings")
    await expect(alice.part("settings")).to_be_visible()
    assert await alice.page.evaluate("unstyled") == []


WATCH_FOR_UNSTYLED = """
globalThis.unstyled = [];
const look = () => {
  for (const one of document.querySelectorAll(".menu, dialog[open]"))
    if (getComputedStyle(one).borderRadius === "0px") unstyled.push(one.className);
};
new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
"""


@pytest.mark.parametrize("by", ["Enter", "a click"])
async def test_who_joins_before_the_script_is_there_is_let_in_once_it_is(visitors, by):
    alice, bob = [await visitors.person(name) for name in ("Alice", "Bob")]
    link = await alice.make_room()
    may_load = await bob.hold_back(re.compile(r"/main\."))
    await bob.page.goto(link, wait_until="commit")
    join = bob.part("lobby-join")
    await join.click()  # without a name
    await bob.part("lobby-name").press_sequentially("Bob")
    if by == "Enter":
        await bob.part("lobby-name").press("Enter")
    else:
        await join.click()
    may_load.set()
    await bob.is_inside()
    await expect(alice.part("people-list").locator("bdi").filter(has_text="Bob")).to_have_count(1)
    assert bob.page.url == link
    assert await bob.page.evaluate("history.length") == 2  # the blank page, and this one


async def test_a_name_typed_before_the_script_is_there_waits_for_its_owner(visitors):
    alice, bob = [await visitors.person(name) for name in ("Alice", "Bob")]
    link = await alice.make_room()
    await bob.page.goto(link, wait_until="commit")
    await bob.part("lobby-name").press_sequentially("Bo")
    await bob.part("lobby-join").focus()
    await bob.page.wait_for_load_state("networkidle")
    await expect(bob.part("lobby-name")).to_have_value("Bo")
    await expect(bob.part("lobby-join")).to_be_visible()


async def test_the_modules_of_the_script_stay_where_other_sites_import_them(visitors):
    alice = await visitors.person("Alice")
    await alice.page.goto(visitors.url)
    names: Any = await alice.page.evaluate("import('/static/rooms/hms.js').then(Object.keys)")
    assert {"hmsActions", "hmsStore", "hmsNotifications"} <= {*names}


async def test_without_bundles_the_modules_are_loaded(people):
    alice = await people.person("Alice")
    loaded = Loaded(alice)
    await alice.make_room()
    assert {
        "/static/rooms/page/main.js",
        "/static/rooms/page/room.js",
        "/static/rooms/core.js",
        "/static/rooms/styles/base.css",
        "/static/rooms/styles/later.css",
    } <= {urlsplit(file.url).path for file in loaded.files()}
