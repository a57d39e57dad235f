"""The channel layer between processes: it loses, repeats, delays and reorders what is published, and goes away."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import orjson
from channels.layers import InMemoryChannelLayer

if TYPE_CHECKING:
    from tests.simulation.processes import Process
    from tests.simulation.scheduler import Scheduler

_WAY = 0.003


class Bells:
    """See the module. ``lose``, ``repeat`` and ``late`` are how probable that is for each that should hear."""

    def __init__(self, scheduler: "Scheduler", *, embedded: bool) -> None:
        self.scheduler = scheduler
        self.embedded = embedded
        self.lose = self.repeat = self.late = 0.0
        self.down = False
        self.groups: dict[str, dict[str, Layer]] = {}
        self.made = 0

    def layer(self, process: "Process") -> Any:
        return InMemoryChannelLayer() if self.embedded else Layer(self, process)

    def forget(self, process: "Process") -> None:
        """Its connection is gone."""
        for channels in self.groups.values():
            for channel in [channel for channel, layer in channels.items() if layer is process.layer]:
                del channels[channel]

    def check(self) -> None:
        if self.down:
            raise ConnectionError("injected: no channel layer")


class Layer:
    """What a process has of it."""

    def __init__(self, bells: Bells, process: "Process") -> None:
        self._bells = bells
        self._process = process
        self._heard: deque[dict[str, Any]] = deque()
        self._waiter: asyncio.Future[None] | None = None

    async def new_channel(self) -> str:
        self._bells.check()
        self._bells.made += 1
        return f"channel.{self._bells.made}"

    async def group_add(self, group: str, channel: str) -> None:
        await asyncio.sleep(self._bells.scheduler.delay(_WAY))
        self._bells.check()
        self._bells.groups.setdefault(group, {})[channel] = self

    async def group_discard(self, group: str, channel: str) -> None:
        await asyncio.sleep(self._bells.scheduler.delay(_WAY))
        self._bells.check()
        self._bells.groups.get(group, {}).pop(channel, None)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        bells, scheduler = self._bells, self._bells.scheduler
        bells.check()
        text = orjson.dumps(message)
        for layer in bells.groups.get(group, {}).values():
            if scheduler.chance(bells.lose):
                scheduler.sometimes("a bell is lost")
                continue
            for _ in range(1 + scheduler.chance(bells.repeat)):
                late = scheduler.random.uniform(0, 6) if scheduler.chance(bells.late) else 0
                layer.ring(text, late)

    def ring(self, text: bytes, late: float) -> None:
        scheduler = self._bells.scheduler
        scheduler.after(scheduler.delay(_WAY) + late, lambda: self._put(text), self._process)

    def _put(self, text: bytes) -> None:
        self._heard.append(orjson.loads(text))
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def receive(self, channel: str) -> dict[str, Any]:
        while not self._heard:
            self._waiter = self._process.loop.create_future()
            await self._waiter
        self._bells.check()
        return self._heard.popleft()
