"""One WebSocket, whatever is said over it: accepted, read until it is gone, written to, closed."""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

from rooms.observe import metrics
from rooms.sockets.fastpath import open_outbox
from rooms.wire.close_codes import BUG, TOO_MANY_REFUSALS

log = logging.getLogger("rooms.sockets")

MAX_REFUSALS = 100
REFUSALS_WINDOW = 10.0
"""A socket that is refused so often within so many seconds is closed."""

FAREWELL = 1.0
"""Seconds that a client has to close the socket itself once it was told to: it ends more cleanly so."""


class SocketConsumer(AsyncWebsocketConsumer):
    """See the module. Has a receive loop of its own: no channel of the layer, no thread hop for each event.

    A subclass says what happens when the socket opens (``_enter``, with the parameters of its address), with each frame
    (``_receive``, with its text, None if it has none) and at the end (``_part``).
    """

    # Thousands wait idle: what most of them never need stands here, and not in each.
    abandoned = closed = reading = False
    closed_with = 0  # the code that the client gave
    refusals: Sequence[float] = ()

    async def _enter(self, query: Mapping[str, str]) -> None:
        raise NotImplementedError

    def _receive(self, text: str | None) -> None:
        raise NotImplementedError

    def _part(self) -> None:
        raise NotImplementedError

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        query = scope["query_string"].decode("latin-1")
        del scope  # long, and held as long as this runs
        await receive()  # websocket.connect
        self.conn_id = secrets.token_hex(8)
        await send({"type": "websocket.accept"})
        self.outbox = open_outbox(send, self._abandon, self._take, self._flooded)
        self.loop = asyncio.get_running_loop()
        self.task = asyncio.current_task()
        metrics.SOCKETS.inc()
        try:
            await self._enter({name: values[0] for name, values in parse_qs(query).items()})
            del query
            await self._read(receive)
        except asyncio.CancelledError:
            if not self.abandoned:
                raise
        except Exception:
            self._fail("a connection failed")
        finally:
            self.closed = True
            self._part()
            self.outbox.part()
            metrics.SOCKETS.dec()

    async def _read(self, receive: Any) -> None:
        self.reading = True
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.closed_with = message.get("code") or 0
                return
            self._receive(message.get("text"))

    def _take(self, text: str) -> bool:
        """Take a frame that did not pass the server's queue. Not while frames may wait there, nor after the end."""
        if not self.reading or self.closed:
            return False
        try:
            self._receive(text)
        except Exception:
            self._fail("a frame failed")
        return True

    # --- The end --------------------------------------------------------------------------------

    def _abandon(self) -> None:
        """End this application, so that the server lets go of the connection."""
        self.abandoned = True
        if self.task:
            self.task.cancel()

    def close_socket(self, code: int) -> None:
        """Close the socket after what was sent; it gets nothing more, and nothing more is taken from it."""
        self.closed = True
        self.outbox.close(code)

    def _fail(self, what: str) -> None:
        log.exception(what, extra={"context": self._context()})
        self.close_socket(BUG)

    def _context(self, **more: Any) -> dict[str, Any]:
        """What a log line about this socket carries."""
        return {"conn": self.conn_id, **more}

    def _count_refusal(self) -> None:
        now = time.monotonic()
        self.refusals = [*(at for at in self.refusals if now - at < REFUSALS_WINDOW), now]
        if len(self.refusals) >= MAX_REFUSALS and not self.outbox.closing:
            self._flooded()

    def _flooded(self) -> None:
        """The client sends more than it may in any case: close its socket, also if it does not."""
        if not self.outbox.closing:
            log.info("a socket was refused too often", extra={"context": self._context()})
            self.close_socket(TOO_MANY_REFUSALS)
        self.loop.call_later(FAREWELL, self.outbox.cut)
