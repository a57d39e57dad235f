"""A channel layer that loses, repeats and reorders, for one process with several hubs."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.test import override_settings

from rooms.delivery import hub as hubs
from rooms.delivery.hub import Hub
from rooms.routing import websocket_application


class LossyLayer(InMemoryChannelLayer):
    """Of each publication it decides by chance what becomes of it; the same seed decides the same."""

    def __init__(self, *, seed: int = 0, lose: float = 0, repeat: float = 0, delay: float = 0, **config: Any) -> None:
        super().__init__(**config)
        self._chance = random.Random(seed)
        self._lose, self._repeat, self._delay = lose, repeat, delay
        self._tasks: set[asyncio.Task[None]] = set()
        self.lost = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self._chance.random() < self._lose:
            self.lost += 1
            return
        for _ in range(1 + (self._chance.random() < self._repeat)):
            late = self._chance.random() / 10 if self._chance.random() < self._delay else 0
            task = asyncio.create_task(self._send_later(group, message, late))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send_later(self, group: str, message: dict[str, Any], late: float) -> None:
        await asyncio.sleep(late)
        await super().group_send(group, message)


class BrokenLayer(InMemoryChannelLayer):
    """Takes no publication."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        raise ConnectionError("no channel layer")


_chosen: ContextVar[Hub] = ContextVar("hub")


class TwoHubs:
    """The application as two processes have it, each with a hub of its own: `one` and `two` take sockets."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.hubs = [Hub(), Hub()]
        self.one, self.two = [self._application(hub) for hub in self.hubs]

    def _application(self, hub: Hub) -> Any:
        inner = websocket_application()

        async def application(scope: Any, receive: Any, send: Any) -> None:
            _chosen.set(hub)
            await inner(scope, receive, send)

        return application


@asynccontextmanager
async def two_hubs(monkeypatch: Any, layer: str = "LossyLayer", **config: Any) -> AsyncIterator[TwoHubs]:
    """Two hubs that hear each other over a layer of this module."""
    with override_settings(CHANNEL_LAYERS={"default": {"BACKEND": f"tests.support.lossy.{layer}", "CONFIG": config}}):
        made = TwoHubs(get_channel_layer())
        monkeypatch.setattr(hubs, "get", _chosen.get)
        monkeypatch.setattr(hubs, "_hub", made.hubs[0])
        _chosen.set(made.hubs[0])
        try:
            yield made
        finally:
            for hub in made.hubs:
                await hub.close()
            monkeypatch.undo()
