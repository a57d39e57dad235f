import functools
import http.server
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.person import People, Person
from tests.sdk.driver import Pages, Room, make_rooms
from tests.support.browser import running_browser
from tests.support.proxy import Proxy
from tests.support.server import RunningServer

HERE = Path(__file__).parent


class _Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of the bundled pages: loopback as the server, but another port."""
    built = tmp_path_factory.mktemp("pages")
    subprocess.run(["node", "build.mjs", str(built)], cwd=HERE, check=True)
    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, directory=str(built)))
    threading.Thread(target=files.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{files.server_port}"
    files.shutdown()
    files.server_close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def pages(browser: Browser, origin: str) -> Pages:
    return Pages(browser, origin)


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with RunningServer() as running:
        yield running


@pytest.fixture(scope="session")
def spare_rooms(server: RunningServer) -> Iterator[tuple[str, dict[str, str]]]:
    """Rooms that no test has used yet."""
    return iter(make_rooms(server, 200))


RoomIn = Callable[..., Room]


@pytest_asyncio.fixture(loop_scope="session")
async def room_in(pages: Pages) -> AsyncIterator[RoomIn]:
    """Makes what the driver needs of a room that exists: room_in(server, id, codes)."""
    rooms: list[Room] = []

    def room_in(running: RunningServer, room_id: str, codes: dict[str, str]) -> Room:
        rooms.append(Room(running, room_id, codes, pages))
        return rooms[-1]

    yield room_in
    for room in rooms:
        await room.close()


@pytest.fixture
def room(room_in: RoomIn, server: RunningServer, spare_rooms: Iterator[tuple[str, dict[str, str]]]) -> Room:
    """A room of the test's own on the shared server."""
    return room_in(server, *next(spare_rooms))


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(server: RunningServer) -> AsyncIterator[Proxy]:
    """Another way to the shared server, which the test may cut."""
    async with Proxy(server.port) as proxy:
        yield proxy


@pytest_asyncio.fixture(loop_scope="session")
async def bob(browser: Browser, room: Room) -> AsyncIterator[Person]:
    """A guest who is in the room by our page."""
    people = People(browser, room.server)
    person = await people.person("Bob")
    yield await person.enter(f"{room.server}/r/{room.codes['guest']}/")
    await people.close()
    assert people.complaints == []
