"""One deployment of the real server: one process, or several on the same database."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, Self

from tests.support.server import RawPeer, RunningServer

QUICK = {
    "PEER_GRACE": 8,
    "LEASE_TTL": 4,
    "HEARTBEAT_INTERVAL": 0.5,
    "REAPER_INTERVAL": 0.25,
    "POSITION_CHECK_INTERVAL": 0.5,
    "RATE_LIMIT": 0,
    "CONNECT_RATE": 0,
}
"""Presence by the second; no rate limits."""

ENTERING = 5
"""Seconds for which a token is good that is to run out in a test: by then its owner is inside."""

MAKE_ROOMS = """
import json
from rooms.creation.rooms import create_room
print(json.dumps([create_room().id for _ in range({count})]))
"""


class Cluster:
    """Further keywords are settings by the name of their environment variable, over those of QUICK."""

    def __init__(
        self, count: int, *, server: str, database_url: str = "", redis_url: str = "", **settings: Any
    ) -> None:
        self.processes = [
            RunningServer(server=server, database_url=database_url, redis_url=redis_url, **QUICK | settings)
            for _ in range(count)
        ]
        self.fast_path = settings.get("FAST_PATH") != "off"
        self._spare: Iterator[str] = iter(())
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for process in self.processes:
            self._stack.enter_context(process)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def first(self) -> RunningServer:
        return self.processes[0]

    @property
    def last(self) -> RunningServer:
        """Another process than the first, if there is one."""
        return self.processes[-1]

    def room(self) -> str:
        """The id of a room that nobody has used."""
        room_id = next(self._spare, None)
        if room_id is None:
            # A command takes a second, so it makes some for later.
            printed = self.first.manage("shell", "--no-imports", "-c", MAKE_ROOMS.format(count=50))
            self._spare = iter(json.loads(printed.splitlines()[-1]))
            room_id = next(self._spare)
        return room_id

    async def query(self, expression: str, **names: Any) -> Any:
        """What a Python expression about the models gives, as JSON, evaluated beside the first process."""
        code = f"import json\nfrom rooms.models import *\nprint(json.dumps(eval({expression!r}, globals(), {names!r})))"
        # In a thread, for the peers' sockets must go on answering pings.
        printed = await asyncio.to_thread(self.first.manage, "shell", "--no-imports", "-c", code)
        return json.loads(printed.splitlines()[-1])

    async def peers(self, room_id: str, count: int, *, role: str = "guest", prefix: str = "peer") -> list[RawPeer]:
        """Joined peers of as many users, dealt out to the processes in turn."""

        async def enter(number: int) -> RawPeer:
            process = self.processes[number % len(self.processes)]
            peer = RawPeer(process.ws_url, process.sign(room_id, role, f"{prefix}-{number}"))
            await peer.connect()
            await peer.join(f"Peer {number}")
            await peer.wait_for("peer-list")
            return peer

        return list(await asyncio.gather(*(enter(number) for number in range(count))))

    async def peer(
        self, room_id: str, user: str = "alice", role: str = "guest", *, at: RunningServer | None = None, **claims: Any
    ) -> RawPeer:
        """A joined peer, on the first process if no other is named."""
        process = at or self.first
        peer = await process.peer(process.sign(room_id, role, user, **claims), user.title())
        await peer.wait_for("peer-list")
        return peer


async def again(old: RawPeer, *, at: RunningServer | None = None) -> RawPeer:
    """A new socket of the same peer, perhaps at another process; it has not joined."""
    peer = RawPeer(at.ws_url if at else old.ws_url, old.token, peer_id=old.peer_id)
    await peer.connect()
    return peer


async def leave_all(peers: Iterable[RawPeer]) -> None:
    await asyncio.gather(*(peer.leave() for peer in peers if peer.open))
