"""Tells the hubs of other processes that a session has moved on. It may fail: whoever missed it reads the journal."""

import asyncio
import logging
import zlib
from collections.abc import Callable, Container
from contextlib import suppress
from typing import Any

import orjson
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
"""Seconds that the layer may take to say that it is heard, and that a newcomer waits for that."""

_RETRY = 1.0
"""Seconds until another try to hear a layer that cannot be heard."""

_MAX_OUTGOING = 10_000
"""News that may wait for a layer that does not answer; others are left out, as if the layer had lost them."""

_MAX_TOGETHER = 256
_MAX_CHARS = 512 * 1024
"""What waits is published together, up to so much of it."""

_FAREWELL = 1.0
"""Seconds for which closing waits until what was published is sent."""

_GROUP = "rooms"


Passed = Callable[[str, str, Passing], None]
"""Takes a room's id, a session's, and what is told in it and kept nowhere."""


class Doorbell:
    """Publishes to the channel layers, and hears what others publish; what is of rooms that are not ``followed`` is
    let go unread.

    Each room has one of the layers, the same in every process: one that is away holds up its own rooms alone. They are
    those of REDIS_URL, in its order.
    The in-memory layer reaches no other process, so with it nothing is published.
    """

    def __init__(
        self, worker: str, followed: Container[str], heard: Callable[[str, Arrival], None], passed: Passed
    ) -> None:
        layers = [get_channel_layer(name) for name in settings.CHANNEL_LAYERS]
        others = [layer for layer in layers if type(layer) is not InMemoryChannelLayer]
        self.lines = [
            _Line(layer, f"{number} of {len(others)}", worker, followed, heard, passed)
            for number, layer in enumerate(others, 1)
        ]
        self.reaches_others = bool(self.lines)

    def start(self) -> None:
        for line in self.lines:
            line.start()

    async def close(self) -> None:
        await asyncio.gather(*(line.close() for line in self.lines))

    async def listen(self, room_id: str) -> None:
        """Return once what others publish of a room is heard, or after a while: then it is found a little later."""
        if self.lines:
            await self._line(room_id).listen()

    def publish(self, room_id: str, news: Arrival) -> None:
        """Tell the others; returns at once."""
        self._line(room_id).publish(room_id, news)

    def pass_on(self, room_id: str, session_id: str, passing: Passing) -> None:
        """Tell the others what is kept nowhere; returns at once."""
        self._line(room_id).pass_on(room_id, session_id, passing)

    def _line(self, room_id: str) -> "_Line":
        return self.lines[zlib.crc32(room_id.encode()) % len(self.lines)]


class _Line:
    """What goes through one channel layer.

    All processes are in one group, and what waits while something is being published goes together next: a client of
    Redis takes a third of a millisecond for each that it sends, and as much for each that it gets.
    """

    def __init__(
        self,
        layer: Any,
        which: str,
        worker: str,
        followed: Container[str],
        heard: Callable[[str, Arrival], None],
        passed: Passed,
    ) -> None:
        self._layer, self._which = layer, which
        self._worker = worker
        self._followed, self._heard, self._passed = followed, heard, passed
        self._hears = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._outgoing: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_MAX_OUTGOING)

    def start(self) -> None:
        self._tasks = [spawn(keep_doing(job)) for job in (self._listen, self._ring)]

    async def close(self) -> None:
        try:
            async with asyncio.timeout(_FAREWELL):
                await self._outgoing.join()
        except TimeoutError:
            pass  # the layer is away
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def listen(self) -> None:
        if self._hears.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._hears.wait()

    def publish(self, room_id: str, news: Arrival) -> None:
        events = [
            [e.seq, e.kind, e.body, e.audience.encode(), effects.encode(e.effect) if e.effect else {}]
            for e in news.events
        ]
        end = [news.end.reason, news.end.by] if news.end else None
        self._publish(room_id, session=news.session_id, seq=news.seq, events=events, end=end, history=news.history)

    def pass_on(self, room_id: str, session_id: str, passing: Passing) -> None:
        told = [passing.kind, dict(passing.params), passing.audience.encode()]
        self._publish(room_id, session=session_id, passing=told)

    def _publish(self, room_id: str, **said: Any) -> None:
        try:
            self._outgoing.put_nowait((room_id, orjson.dumps(said).decode()))
        except asyncio.QueueFull:
            metrics.DOORBELL_FAILURES.inc()

    async def _ring(self) -> None:
        news = [await self._outgoing.get()]
        size = len(news[0][1])
        while len(news) < _MAX_TOGETHER and size < _MAX_CHARS and not self._outgoing.empty():
            news.append(self._outgoing.get_nowait())
            size += len(news[-1][1])
        try:
            await self._layer.group_send(_GROUP, {"type": "doorbell", "from": self._worker, "news": news})
        except Exception as error:
            # The changes are committed; other processes see them at their next look at the database.
            metrics.DOORBELL_FAILURES.inc(len(news))
            self._warn("the doorbell failed", error, rooms=len({room_id for room_id, _ in news}))
        finally:
            for _ in news:
                self._outgoing.task_done()

    async def _listen(self) -> None:
        try:
            channel = await self._layer.new_channel()
            async with asyncio.timeout(_PATIENCE):
                await self._layer.group_add(_GROUP, channel)
            self._hears.set()
            while True:
                attempt(self._hear, await self._layer.receive(channel))
        except Exception as error:
            self._warn("the channel layer cannot be heard", error)
            await asyncio.sleep(_RETRY)
        finally:
            self._hears.clear()

    def _warn(self, what: str, error: Exception, **more: int) -> None:
        log.warning(what, extra={"context": {"redis": self._which, **more, "why": describe(error)}})

    def _hear(self, message: dict[str, Any]) -> None:
        # Its own news came straight from the writer.
        if message["from"] == self._worker:
            return
        for room_id, said in message["news"]:
            if room_id in self._followed:
                attempt(self._take, room_id, orjson.loads(said))

    def _take(self, room_id: str, said: dict[str, Any]) -> None:
        if passing := said.get("passing"):
            kind, params, audience = passing
            self._passed(room_id, said["session"], Passing(kind, params, Audience.decode(audience)))
            return
        events = [
            Numbered(seq, kind, body, Audience.decode(audience), effects.decode(effect))
            for seq, kind, body, audience, effect in said["events"]
        ]
        end = End(*said["end"]) if said["end"] else None
        self._heard(room_id, Arrival(said["session"], said["seq"], events, end, history=said["history"]))
