"""What a browser loads for a page: a bundle of script and one of style where collectstatic has made them."""

import asyncio
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

REQUESTS, BYTES = 3, 120 * 1024  # of script and style: in all, and before the room is loaded, before compression
WORDS = 32 * 1024  # bytes of a language other than English, in the page itself


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

    async def bytes(self, *without: str) -> int:
        """Of these files, before compression, but for some bundles."""
        files = zip(self.names(), self.files(), strict=True)
        return sum([len(await answer.body()) for name, answer in files if name not in without])

    async def until_idle(self) -> None:
        """Wait for the room's script."""
        async with asyncio.timeout(60):
            while "room" not in self.names():
                await asyncio.sleep(0.05)


async def test_a_page_loads_few_files_of_this_server_alone(visitors, production):
    alice = await visitors.person("Alice")
    loaded = Loaded(alice)
    await alice.page.goto(visitors.url, wait_until="networkidle")
    assert 0 < len(loaded.files()) <= REQUESTS
    link = await alice.make_room()
    bob = await visitors.person("Bob")
    loaded_by_guest = Loaded(bob)
    await bob.page.goto(link)
    await loaded_by_guest.until_idle()  # before one goes in
    size = await loaded_by_guest.bytes("room")
    assert size <= BYTES, f"{size} bytes of script and style to enter the page, at most {BYTES}"
    await bob.join()
    await alice.say("hello")
    await bob.sees("hello")
    await bob.act_on_message("hello", "Pin for everyone")
    await expect(alice.part("pin-text")).to_have_text("Alice: hello")
    await bob.page.wait_for_load_state("networkidle")

    assert loaded_by_guest.names() == ["pages", "main", "room"]
    assert len(loaded_by_guest.files()) <= REQUESTS
    assert loaded.hosts == loaded_by_guest.hosts == {f"127.0.0.1:{production.port}"}
    for file in loaded_by_guest.files():
        headers = await file.all_headers()
        assert headers["content-encoding"] == "gzip"
        assert "immutable" in headers["cache-control"]


async def test_all_that_opens_is_there_before_the_connection_is_lost(visitors):
    visitors.forgive(r"net::ERR_|Failed to load resource")
    alice, bob = await visitors.meet("Alice", "Bob")
    await bob.say("hello")
    await bob.act_on_message("hello", "Pin for everyone")
    await bob.message("hello").get_by_role("button", name="React with Thumbs up").click()
    await expect(alice.message("hello").locator(".reaction")).to_be_visible()
    await expect(alice.part("pins")).to_be_visible()
    await alice.page.wait_for_load_state("networkidle")
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


async def test_a_room_that_could_not_be_loaded_is_loaded_when_one_joins_again(visitors):
    visitors.forgive(r"net::ERR_|Failed to load resource")
    alice, bob = [await visitors.person(name) for name in ("Alice", "Bob")]
    link = await alice.make_room()
    script = re.compile(r"/room\.")
    await bob.page.route(script, lambda route: route.abort())
    async with bob.page.expect_event("requestfailed", lambda request: script.search(request.url) is not None):
        await bob.page.goto(link)
    await bob.page.get_by_label("Your name").fill("Bob")
    await bob.page.get_by_role("button", name="Join the room").click()
    await expect(bob.part("lobby-problem")).to_have_text(
        "You could not join. The server cannot be reached. Check your connection and try again."
    )
    await bob.page.unroute(script)
    await bob.page.get_by_role("button", name="Join the room").click()
    await bob.is_inside()
    await bob.say("hello")
    await alice.sees("hello")


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
    loaded = Loaded(bob)
    await bob.page.goto(link, wait_until="commit")
    await bob.part("lobby-name").press_sequentially("Bo")
    await bob.part("lobby-join").focus()
    await loaded.until_idle()
    await expect(bob.part("lobby-name")).to_have_value("Bo")
    await expect(bob.part("lobby-join")).to_be_visible()


async def test_words_of_a_language_are_few_and_in_the_page_itself(visitors):
    alice = await visitors.person("Alice", locale="ar")
    loaded = Loaded(alice)
    await alice.page.goto(visitors.url)
    await alice.page.locator("form[action$='new'] button").click()
    await loaded.until_idle()
    assert len(loaded.files()) <= 2 + REQUESTS  # those of the start page, too
    words = await alice.page.locator("[data-part=words]").text_content()
    assert words
    assert 0 < len(words.encode()) < WORDS
    await expect(alice.part("lobby-join")).to_have_text("دخول الغرفة")


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
        "/static/rooms/hms.js",
        "/static/rooms/styles/base.css",
    } <= {urlsplit(file.url).path for file in loaded.files()}
