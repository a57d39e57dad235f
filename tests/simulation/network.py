"""The wires between clients and processes: frames keep their order and take their time; connections break."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.connecting import Connecting
    from tests.simulation.processes import Process

_WAY = 0.005
"""Seconds that a frame travels, about."""


class Socket:
    """A connection of a client to a process: an ASGI server's side of it, and the client's."""

    def __init__(self, process: "Process", client: "Connecting", query: str) -> None:
        self.process = process
        self.client = client
        self.query = query.encode()
        self.open = True  # as far as the client knows
        self._alive = True  # as far as the server knows
        self._scheduler = process.world.scheduler
        self._incoming: deque[dict[str, Any]] = deque([{"type": "websocket.connect"}])
        self._waiter: asyncio.Future[None] | None = None
        self._arrives_there = self._arrives_here = 0.0
        self.slow_until = 0.0
        self.parts = False  # whether the client asked to go, and so is to close it itself
        self._scheduler.after(self._scheduler.delay(_WAY), lambda: process.accept(self), process)

    # --- The client's side

    def say(self, text: str) -> None:
        self._towards_server({"type": "websocket.receive", "text": text})

    def drop(self) -> None:
        """Break: the client knows at once, the server when it does."""
        if self.open:
            self.open = False
            half_open = self._scheduler.chance(0.2)
            delay = self._scheduler.random.uniform(0, 12) if half_open else self._scheduler.delay(_WAY)
            self._arrives_there = max(self._arrives_there, self._scheduler.now + delay)
            self._towards_server({"type": "websocket.disconnect", "code": 1006})

    def _towards_server(self, message: dict[str, Any]) -> None:
        moment = self._arrives_there = max(self._arrives_there, self._scheduler.now + self._scheduler.delay(_WAY))
        self._scheduler.at(moment, lambda: self._put(message), self.process)

    # --- The server's side

    def _put(self, message: dict[str, Any]) -> None:
        if self._alive:
            self._alive = message["type"] != "websocket.disconnect"
            self._incoming.append(message)
            if self._waiter and not self._waiter.done():
                self._waiter.set_result(None)

    async def receive(self) -> dict[str, Any]:
        while not self._incoming:
            self._waiter = self.process.loop.create_future()
            await self._waiter
        return self._incoming.popleft()

    async def send(self, message: dict[str, Any]) -> None:
        if not self._alive:
            raise OSError("the client is gone")
        if self.slow_until > self._scheduler.now:
            await asyncio.sleep(self.slow_until - self._scheduler.now)
        if message["type"] == "websocket.close":
            self._towards_client(None, message.get("code", 1000))
        elif message["type"] == "websocket.send":
            self._towards_client(message["text"], 0)
        else:
            self._towards_client("", 0)

    def _towards_client(self, text: str | None, code: int) -> None:
        moment = self._arrives_here = max(self._arrives_here, self._scheduler.now + self._scheduler.delay(_WAY))
        self._scheduler.at(moment, lambda: self._arrive(text, code))

    def _arrive(self, text: str | None, code: int) -> None:
        if not self.open:
            return
        if text is None:
            self.open = False
            self._towards_server({"type": "websocket.disconnect", "code": code})
            self.client.closed(self, code)
        elif text:
            self.client.hear(self, text)
        else:
            self.client.opened(self)

    def application_ended(self) -> None:
        if self._alive:
            self._alive = False
            self._towards_client(None, 1006)

    def cut(self) -> None:
        """The process is dead."""
        self._towards_client(None, 1006)
