"""What a browser loads for a page: a bundle of script and one of style where collectstatic has made them."""

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

REQUESTS, BYTES = 3, 182 * 1024  # of script and style for a page, before compression
WORDS = 32 * 1024  # bytes of a catalogue


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

    async def bytes(self) -> int:
        return sum([len(await answer.body()) for answer in self.files()])


async def test_a_page_loads_few_files_of_this_server_alone(visitors, production):
    alice = await visitors.person("Alice")
    loaded = Loaded(alice)
    await alice.page.goto(visitors.url, wait_until="networkidle")
    assert 0 < len(loaded.files()) <= REQUESTS
    link = await alice.make_room()
    bob = await visitors.person("Bob")
    loaded_by_guest = Loaded(bob)
    await bob.enter(link)
    await alice.say("hello")
    await bob.sees("hello")
    await bob.act_on_message("hello", "Pin for everyone")
    await expect(alice.part("pin-text")).to_have_text("Alice: hello")
    await bob.page.wait_for_load_state("networkidle")

    assert [urlsplit(file.url).path.split(".")[0] for file in loaded_by_guest.files()] == [
        "/static/rooms/bundle/pages",
        "/static/rooms/bundle/main",
    ]
    assert await loaded_by_guest.bytes() <= BYTES
    assert loaded.hosts == loaded_by_guest.hosts == {f"127.0.0.1:{production.port}"}
    for file in loaded_by_guest.files():
        headers = await file.all_headers()
        assert headers["content-encoding"] == "gzip"
        assert "immutable" in headers["cache-control"]


async def test_another_language_takes_one_small_script_more(visitors):
    alice = await visitors.person("Alice", locale="ar")
    loaded = Loaded(alice)
    await alice.page.goto(visitors.url)
    await alice.page.locator("form[action$='new'] button").click()
    await alice.page.wait_for_load_state("networkidle")
    [words] = [file for file in loaded.files() if "/catalogue/" in file.url]
    headers = await words.all_headers()
    assert (headers["content-encoding"], "immutable" in headers["cache-control"]) == ("gzip", True)
    assert len(await words.body()) < WORDS
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
    assert {"/static/rooms/page/main.js", "/static/rooms/hms.js", "/static/rooms/styles/base.css"} <= {
        urlsplit(file.url).path for file in loaded.files()
    }
