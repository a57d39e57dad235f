"""Frames on their way to one socket: bounded, in order, and never waited for by anybody else."""

import asyncio
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from rooms import metrics

log = logging.getLogger("rooms.outbox")

Send = Callable[[dict[str, Any]], Awaitable[None]]

TOO_SLOW = 4008

GONE = (OSError, RuntimeError)
"""What a transport may raise when it is written to after its connection was lost."""


def framed(text: str) -> bytes:
    """A text frame as a server sends it, RFC 6455 §5.2: unfragmented, unmasked."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def texts_in(wire: bytes) -> list[str]:
    """The texts of frames that ``framed`` made, for servers that make their own frames."""
    texts, start = [], 0
    while start < len(wire):
        size, start = wire[start + 1], start + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, start = int.from_bytes(wire[start : start + width], "big"), start + width
        texts.append(wire[start : start + size].decode())
        start += size
    return texts


class Outbox:
    """Where a socket's frames go. One that leaves too much unsent, or for too long, is given up.

    ``write`` takes frames as ``framed`` makes them, several joined or one. It never waits, and does nothing on a
    closing socket; it is a plain attribute because it is called for every frame of every member, and may raise one of
    GONE. ``give_up`` cuts the connection, or if the server offers no way to do so ends its application.
    """

    __slots__ = ("_due", "_due_at", "_give_up", "_limit", "closing", "write")
    write: Callable[[bytes], object]

    def __init__(self, give_up: Callable[[], None]) -> None:
        self._give_up = give_up
        self.closing = False
        self._due = 0
        self._due_at: float | None = None  # not looked at yet
        self._limit = settings.MAX_UNSENT_BYTES

    def put(self, wire: bytes) -> None:
        """Write to a socket that may be gone already, which its consumer hears of separately."""
        try:
            self.write(wire)
        except GONE:
            pass

    def allow(self, size: int) -> None:
        """Let so many bytes more be unsent: a state may be longer than what a peer may fall behind."""
        self._limit += size

    def close(self, code: int) -> None:
        """Close the socket after what was written."""
        raise NotImplementedError

    @property
    def unsent(self) -> int:
        """Bytes that the operating system has not taken yet."""
        raise NotImplementedError

    def check(self, written: int, now: float) -> None:
        """Give the socket up if what was unsent MAX_UNSENT_SECONDS ago still is. Called about once a second.

        ``written`` is how many bytes were ever written to it, but for some of the first.
        """
        if self._due_at is None or written - self.unsent >= self._due:
            self._due, self._due_at = written, now
        elif now - self._due_at > settings.MAX_UNSENT_SECONDS:
            self.abandon("seconds")

    def abandon(self, limit: str) -> None:
        """Close a socket whose peer does not read; it may come back and resume."""
        if not self.closing:
            context = {"limit": limit, "unsent": self.unsent}
            log.warning("a socket does not read and is given up", extra={"context": context})
            metrics.OUTBOX_CLOSES.labels(limit).inc()
            self.closing = True
            self.write = nowhere
            self._give_up()


def nowhere(wire: bytes) -> None:
    """What ``write`` is once a socket is closing."""


class AsgiOutbox(Outbox):
    """The outbox of any ASGI server: a queue, and a task that lives while the queue is not empty."""

    __slots__ = ("_close_code", "_queue", "_send", "_task", "_unsent")

    def __init__(self, send: Send, give_up: Callable[[], None]) -> None:
        super().__init__(give_up)
        self.write = self._enqueue
        self._send = send
        self._queue: deque[bytes] = deque()
        self._task: asyncio.Task[None] | None = None
        self._close_code = 0
        self._unsent = 0

    @property
    def unsent(self) -> int:
        return self._unsent

    def _enqueue(self, wire: bytes) -> None:
        if self.closing:
            return
        self._queue.append(wire)
        self._unsent += len(wire)
        if self._unsent > self._limit:
            self.abandon("bytes")
        else:
            self._work()

    def close(self, code: int) -> None:
        if not self.closing:
            self.closing, self._close_code, self.write = True, code, nowhere
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
                wire = self._queue.popleft()
                for text in texts_in(wire):
                    await self._send({"type": "websocket.send", "text": text})
                self._unsent -= len(wire)
            if self._close_code:
                await _close(self._send, self._close_code)
        except Exception:
            # Servers raise errors of their own for a socket that is gone; its consumer hears of that separately.
            log.debug("a frame could not be sent", exc_info=True)
            self.closing, self.write = True, nowhere
            self._queue.clear()
            self._give_up()
        finally:
            self._task = None


async def _close(send: Send, code: int) -> None:
    """Close a socket. What daphne offers for it refuses the codes of servers, such as 1012."""
    protocol: Any = send.args[0] if isinstance(send, functools.partial) and len(send.args) == 1 else None
    if type(protocol).__module__ == "daphne.ws_protocol" and hasattr(protocol, "sendCloseFrame"):
        protocol.sendCloseFrame(code=code)
    else:
        await send({"type": "websocket.close", "code": code})
