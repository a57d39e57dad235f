import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.app import Room, serving_pages
from tests.browser.person import People
from tests.support.browser import running_browser
from tests.support.server import RunningServer

# Complaints of a browser whose connection a test breaks.
BROKEN = re.compile("ERR_|closed before receiving a handshake")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with RunningServer() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def people(chromium: Browser, server: RunningServer) -> AsyncIterator[People]:
    """Brings people with a browser each; none of them may have met an error or broken the policy for content."""
    met = People(chromium, server.url)
    yield met
    await met.close()
    assert met.complaints == []


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    with serving_pages() as address:
        yield address


@pytest.fixture(scope="session")
def spare_rooms(server: RunningServer) -> Iterator[str]:
    """Ids of rooms that no test has used yet; one command makes them all."""
    script = "from rooms.creation.rooms import create_room\nprint(*(create_room().id for _ in range(50)))"
    return iter(server.manage("shell", "--no-imports", "-c", script).split())


@pytest_asyncio.fixture(loop_scope="session")
async def app_room(
    chromium: Browser, server: RunningServer, origin: str, spare_rooms: Iterator[str]
) -> AsyncIterator[Room]:
    room = Room(next(spare_rooms), chromium, server, origin)
    yield room
    await room.close()
    assert [text for text in room.complaints if not BROKEN.search(text)] == []
