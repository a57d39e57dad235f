"""One hostile client at its full allowed rate: what it costs the server's memory, and others."""

import asyncio
import json
import os
import sys
import time
import uuid
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import quantiles

import pytest

from tests.support.hostile import TOKEN, WAYS
from tests.support.sampling import sampled
from tests.support.server import ROOT, RawPeer, RunningServer

pytestmark = pytest.mark.faults

SHORT, LONG = 2.0, 60.0
"""Seconds for each method."""


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with RunningServer(server=request.param) as server:
        server.make_rooms(map(room_of, WAYS))
        yield server


def room_of(way: str) -> str:
    """A room of its own, for some methods close it."""
    return f"loud-{way.replace(' ', '-')}"


def memory(server: RunningServer) -> int:
    """Bytes of its memory that are in use."""
    return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * 4096


# --- Who is there too ---------------------------------------------------------------------------


class Bystanders:
    """Two peers of another room, one of which talks to the other."""

    def __init__(self, talker: RawPeer, listener: RawPeer) -> None:
        self._talker, self._listener = talker, listener
        self.delays: list[float] = []

    async def talk(self, seconds: float, *, a_second: float = 8.0) -> None:
        """Say something again and again; each must arrive."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        for number in range(int(seconds * a_second)):
            await asyncio.sleep(started + number / a_second - loop.time())
            said = str(uuid.uuid4())
            at = time.perf_counter()
            call = await self._talker.begin("broadcast", info={"message": said, "type": "chat"})
            await self._listener.wait_for(lambda event, said=said: said in json.dumps(event))
            self.delays.append(time.perf_counter() - at)
            await call
            self._listener.events.clear()
            self._talker.events.clear()

    def p99(self) -> float:
        delays, self.delays = self.delays, []
        return quantiles(delays, n=100)[98]


@pytest.fixture
async def bystanders(server: RunningServer) -> AsyncIterator[Bystanders]:
    room = server.room("quiet")
    peers = [await server.peer(server.sign(room, "guest", name), name) for name in ("alice", "bob")]
    yield Bystanders(*peers)
    for peer in peers:
        assert peer.open
        await peer.leave()


async def attack(server: RunningServer, bystanders: Bystanders, way: str, seconds: float) -> None:
    """Flood for so long, while bystanders talk. The server's memory grows by at most 20 MB."""
    command = [sys.executable, "-m", "tests.support.hostile", server.ws_url, way, str(seconds)]
    # In a process of its own, so that what it costs itself is not taken for what it costs others.
    environment = {**os.environ, TOKEN: server.sign(server.room(room_of(way)), "host", "mallory")}
    mallory = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE)
    assert mallory.stdin and mallory.stdout
    assert await mallory.stdout.readline() == b"ready\n"
    before = memory(server)
    mallory.stdin.write(b"\n")
    await bystanders.talk(seconds)
    grown = memory(server) - before
    assert await mallory.wait() == 0
    assert grown <= 20_000_000
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("server", ["uvicorn"], indirect=True)
@pytest.mark.parametrize("way", sampled(WAYS, list(WAYS)[::3]))
async def test_a_hostile_client_costs_bounded_memory_and_bystanders_lose_nothing(
    server: RunningServer, bystanders: Bystanders, way: str
):
    await attack(server, bystanders, way, SHORT)


@pytest.mark.soak
@pytest.mark.parametrize("server", ["daphne", "uvicorn"], indirect=True)
@pytest.mark.parametrize("way", WAYS)
async def test_a_hostile_client_slows_bystanders_little(server: RunningServer, bystanders: Bystanders, way: str):
    if server.server not in _alone:
        await bystanders.talk(LONG)
        _alone[server.server] = bystanders.p99()
    await attack(server, bystanders, way, LONG)
    p99 = bystanders.p99()
    print(f"{server.server}, {way}: p99 {1000 * p99:.1f} ms, {p99 / _alone[server.server]:.2f} of what it is alone")
    assert p99 <= 3 * _alone[server.server]


_alone: dict[str, float] = {}
"""Seconds of the bystanders' p99 without an attack, by server."""
