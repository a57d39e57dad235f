"""A back end on the published server SDK, in Node, beside a real server."""

import asyncio
import itertools
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import PATIENCE
from tests.support.server import ACCESS_KEY, APP_SECRET, RunningServer

HERE = Path(__file__).parent


class Refused(Exception):
    """What the SDK throws: the HTTP status, its text, and the server's message."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.code, self.message = error.get("code"), error["message"]


class BackEnd:
    """Calls the SDK's wrappers by their names. ``sent`` is how many requests the last call took."""

    def __init__(self, server: RunningServer, secret: str = APP_SECRET) -> None:
        command = ["node", "driver.mjs", f"http://127.0.0.1:{server.port}", ACCESS_KEY, secret]
        pipe = subprocess.PIPE
        self._node = subprocess.Popen(command, cwd=HERE, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self.sent = 0

    async def call(self, path: str, *args: Any) -> Any:
        """What the wrapper resolves to; of an iterable all that it yields. Raises Refused."""
        answer = await asyncio.to_thread(self._ask, {"path": path, "args": args})
        self.sent = answer["sent"]
        if "error" in answer:
            raise Refused(answer["error"])
        return answer.get("result")

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._node.stdin and self._node.stdout
        self._node.stdin.write(json.dumps(asked) + "\n")
        self._node.stdin.flush()
        # The SDK writes a log to the same place.
        line = next(line for line in self._node.stdout if line.startswith("= "))
        answer: dict[str, Any] = json.loads(line[2:])
        return answer

    def close(self) -> None:
        assert self._node.stdin
        self._node.stdin.close()
        self._node.wait(PATIENCE)


@dataclass
class Place:
    """A room of a test's own, and who may enter it."""

    server: RunningServer
    id: str

    async def enter(self, name: str, role: str = "guest") -> Any:
        """A peer that is in the room."""
        return await self.server.peer(self.server.sign(self.id, role, user=f"user-{name}"), name)


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with RunningServer(REST_RATE=0, POSITION_CHECK_INTERVAL=3600) as running:
        yield running


@pytest.fixture(scope="session")
def hms(server: RunningServer) -> Iterator[BackEnd]:
    back_end = BackEnd(server)
    yield back_end
    back_end.close()


_numbers = itertools.count(1)


@pytest.fixture
async def place(server: RunningServer, hms: BackEnd) -> Place:
    made = await hms.call("rooms.create", {"name": f"place-{next(_numbers)}"})
    return Place(server, made["id"])
