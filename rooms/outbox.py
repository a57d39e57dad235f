"""Frames on their way to one socket: bounded, in order, and never waited for by anybody else."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from django.conf import settings

from rooms import metrics

log = logging.getLogger("rooms.outbox")

Send = Callable[[dict[str, Any]], Awaitable[None]]

TOO_SLOW = 4008


class Batch:
    """Text frames for one or many sockets, made ready once for all of them."""

    __slots__ = ("_wire", "texts")

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._wire: bytes | None = None

    @property
    def size(self) -> int:
        """About how long the frames are."""
        return sum(map(len, self.texts))

    @property
    def wire(self) -> bytes:
        """The frames as a server sends them on the wire, RFC 6455 §5.2: unfragmented, unmasked."""
        if self._wire is None:
            self._wire = b"".join([_framed(text.encode()) for text in self.texts])
        return self._wire


def _framed(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Outbox:
    """Where a socket's frames go. One that leaves too much unsent, or for too long, is given up.

    ``give_up`` cuts the connection, or if the server offers no way to do so ends its application.
    """

    def __init__(self, give_up: Callable[[], None]) -> None:
        self._give_up = give_up
        self.closing = False
        self.written = 0
        self._due = 0
        self._due_at = 0.0

    def write(self, batch: Batch) -> None:
        """Send frames after those before. Never waits; on a closing socket it does nothing."""
        raise NotImplementedError

    def close(self, code: int) -> None:
        """Close the socket after what was written."""
        raise NotImplementedError

    @property
    def unsent(self) -> int:
        """Bytes that the operating system has not taken yet."""
        raise NotImplementedError

    def check(self, now: float) -> None:
        """Give the socket up if what was unsent MAX_UNSENT_SECONDS ago still is. Call it about once a second."""
        unsent = self.unsent
        if self.written - unsent >= self._due:
            self._due, self._due_at = self.written, now
        elif now - self._due_at > settings.MAX_UNSENT_SECONDS:
            self.abandon("seconds")

    def abandon(self, limit: str) -> None:
        """Close a socket whose peer does not read; it may come back and resume."""
        if not self.closing:
            context = {"limit": limit, "unsent": self.unsent}
            log.warning("a socket does not read and is given up", extra={"context": context})
            metrics.OUTBOX_CLOSES.labels(limit).inc()
            self.closing = True
            self._give_up()


class AsgiOutbox(Outbox):
    """The outbox of any ASGI server: a queue, and a task that lives while the queue is not empty."""

    def __init__(self, send: Send, give_up: Callable[[], None]) -> None:
        super().__init__(give_up)
        self._send = send
        self._queue: deque[str] = deque()
        self._task: asyncio.Task[None] | None = None
        self._close_code = 0
        self._unsent = 0

    @property
    def unsent(self) -> int:
        return self._unsent

    def write(self, batch: Batch) -> None:
        if self.closing:
            return
        self._queue.extend(batch.texts)
        self.written += batch.size
        self._unsent += batch.size
        if self._unsent > settings.MAX_UNSENT_BYTES:
            self.abandon("bytes")
        else:
            self._work()

    def close(self, code: int) -> None:
        if not self.closing:
            self.closing, self._close_code = True, code
            self._work()

    def _work(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())

    def abandon(self, limit: str) -> None:
        super().abandon(limit)
        self._queue.clear()
        if self._task:
            self._task.cancel()

    async def _drain(self) -> None:
        try:
            while self._queue:
                text = self._queue.popleft()
                await self._send({"type": "websocket.send", "text": text})
                self._unsent -= len(text)
            if self._close_code:
                await self._send({"type": "websocket.close", "code": self._close_code})
        except Exception:
            # Servers raise errors of their own for a socket that is gone; its consumer hears of that separately.
            log.debug("a frame could not be sent", exc_info=True)
            self.closing = True
            self._queue.clear()
        finally:
            self._task = None
