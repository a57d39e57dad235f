"""Tells the hubs of other processes that a session has moved on. It may fail: whoever missed it reads the journal."""

import asyncio
import logging
import zlib
from collections.abc import Callable
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings

from rooms.delivery.order import Arrival
from rooms.observe import metrics
from rooms.observe.background import attempt, keep_doing, spawn
from rooms.observe.logs import describe
from rooms.wire import effects
from rooms.wire.events import Audience, End, Numbered
from rooms.wire.results import Passing

log = logging.getLogger("rooms.doorbell")

_PATIENCE = 2.0
"""Seconds that a newcomer waits for its room to be subscribed to."""

_RETRY = 1.0
"""Seconds between two tries to reach the channel layer."""

_MAX_OUTGOING = 10_000
"""Publications that may wait for a layer that does not answer; others are left out, as if the layer had lost them."""

_FAREWELL = 1.0
"""Seconds for which closing waits until what was published is sent."""


Passed = Callable[[str, str, Passing], None]
"""Takes a room's id, a session's, and what is told in it and kept nowhere."""


class Doorbell:
    """Publishes to the channel layers, and hears what others publish about the rooms that are subscribed to.

    Each room has one of the layers, the same in every process: one that is away holds up its own rooms alone.
    The in-memory layer reaches no other process, so with it nothing is published.
    """

    def __init__(self, worker: str, heard: Callable[[str, Arrival], None], passed: Passed) -> None:
        layers = [get_channel_layer(name) for name in settings.CHANNEL_LAYERS]
        others = [layer for layer in layers if type(layer) is not InMemoryChannelLayer]
        self.lines = [_Line(layer, worker, heard, passed) for layer in others]
        self.reaches_others = bool(self.lines)

    def start(self) -> None:
        for line in self.lines:
            line.start()

    async def close(self) -> None:
        await asyncio.gather(*(line.close() for line in self.lines))

    async def subscribe(self, room_id: str) -> None:
        if self.lines:
            await self._line(room_id).subscribe(room_id)

    async def unsubscribe(self, room_id: str) -> None:
        if self.lines:
            await self._line(room_id).unsubscribe(room_id)

    def publish(self, room_id: str, news: Arrival) -> None:
        """Tell the others; returns at once."""
        self._line(room_id).publish(room_id, news)

    def pass_on(self, room_id: str, session_id: str, passing: Passing) -> None:
        """Tell the others what is kept nowhere; returns at once."""
        self._line(room_id).pass_on(room_id, session_id, passing)

    def _line(self, room_id: str) -> "_Line":
        return self.lines[zlib.crc32(room_id.encode()) % len(self.lines)]


class _Line:
    """What goes through one channel layer."""

    def __init__(self, layer: Any, worker: str, heard: Callable[[str, Arrival], None], passed: Passed) -> None:
        self._layer = layer
        self._worker = worker
        self._heard, self._passed = heard, passed
        self._channel = ""
        self._rooms: set[str] = set()
        self._unheard: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._outgoing: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(_MAX_OUTGOING)

    def start(self) -> None:
        self._tasks = [spawn(keep_doing(job)) for job in (self._listen, self._ring)]
        self._tasks.append(spawn(keep_doing(self._try_again, every=lambda: _RETRY)))

    async def close(self) -> None:
        try:
            async with asyncio.timeout(_FAREWELL):
                await self._outgoing.join()
        except TimeoutError:
            pass  # the layer is away
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def subscribe(self, room_id: str) -> None:
        self._rooms.add(room_id)
        if self._channel:
            await self._add(room_id)

    async def _add(self, room_id: str) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._layer.group_add(_group(room_id), self._channel)
        except Exception as error:
            context = {"room": room_id, "why": describe(error)}
            log.warning("a room cannot be subscribed to", extra={"context": context})
            self._unheard.add(room_id)
        else:
            self._unheard.discard(room_id)

    async def _try_again(self) -> None:
        self._unheard &= self._rooms
        for room_id in list(self._unheard):
            await self._add(room_id)

    async def unsubscribe(self, room_id: str) -> None:
        self._rooms.discard(room_id)
        try:
            await self._layer.group_discard(_group(room_id), self._channel)
        except Exception as error:
            context = {"room": room_id, "why": describe(error)}
            log.warning("a room cannot be unsubscribed from", extra={"context": context})
        if room_id in self._rooms:
            await self._add(room_id)  # opened again meanwhile

    def publish(self, room_id: str, news: Arrival) -> None:
        events = [
            [e.seq, e.kind, e.body, e.audience.encode(), effects.encode(e.effect) if e.effect else {}]
            for e in news.events
        ]
        end = [news.end.reason, news.end.by] if news.end else None
        self._publish(room_id, session=news.session_id, seq=news.seq, events=events, end=end, history=news.history)

    def pass_on(self, room_id: str, session_id: str, passing: Passing) -> None:
        told = [passing.kind, dict(passing.params), passing.audience.encode()]
        # To a process of before these it looks like news of nothing.
        self._publish(room_id, session=session_id, seq=0, events=[], end=None, history="", passing=told)

    def _publish(self, room_id: str, **said: Any) -> None:
        message = {"type": "doorbell", "from": self._worker, "room": room_id, **said}
        try:
            self._outgoing.put_nowait((room_id, message))
        except asyncio.QueueFull:
            metrics.DOORBELL_FAILURES.inc()

    async def _ring(self) -> None:
        room_id, message = await self._outgoing.get()
        try:
            await self._layer.group_send(_group(room_id), message)
        except Exception as error:
            # The change is committed; other processes see it at their next look at the database.
            metrics.DOORBELL_FAILURES.inc()
            context = {"room": room_id, "why": describe(error)}
            log.warning("the doorbell failed", extra={"context": context})
        finally:
            self._outgoing.task_done()

    async def _listen(self) -> None:
        try:
            self._channel = await self._layer.new_channel()
            for room_id in list(self._rooms):
                await self._layer.group_add(_group(room_id), self._channel)
            while True:
                attempt(self._hear, await self._layer.receive(self._channel))
        except Exception as error:
            log.warning("the channel layer cannot be heard", extra={"context": {"why": describe(error)}})
            await asyncio.sleep(_RETRY)

    def _hear(self, message: dict[str, Any]) -> None:
        # Its own news came straight from the writer.
        if message["from"] == self._worker:
            return
        if passing := message.get("passing"):
            kind, params, audience = passing
            self._passed(message["room"], message["session"], Passing(kind, params, Audience.decode(audience)))
            return
        events = [
            Numbered(seq, kind, body, Audience.decode(audience), effects.decode(effect))
            for seq, kind, body, audience, effect in message["events"]
        ]
        end = End(*message["end"]) if message["end"] else None
        history = message.get("history", "")  # of a process that is older, none
        self._heard(message["room"], Arrival(message["session"], message["seq"], events, end, history=history))


def _group(room_id: str) -> str:
    return f"room.{room_id}"
