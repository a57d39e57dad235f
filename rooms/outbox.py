"""Frames on their way to one socket: bounded, in order, and never waited for by anybody else."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from django.conf import settings

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


class Outbox(Protocol):
    """Where a socket's frames go. Over the limit of what may be unsent it closes the socket."""

    def write(self, batch: Batch) -> None: ...

    def close(self, code: int) -> None:
        """Close the socket after what was written."""
        ...

    @property
    def unsent(self) -> int:
        """Bytes, or a good guess, that the peer has not taken yet."""
        ...


class AsgiOutbox:
    """The outbox of any ASGI server: a queue, and a task that lives while the queue is not empty."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[str] = deque()
        self._task: asyncio.Task[None] | None = None
        self._close_code: int | None = None
        self.unsent = 0

    def write(self, batch: Batch) -> None:
        if self._close_code is not None:
            return
        for text in batch.texts:
            self._queue.append(text)
            self.unsent += len(text)
        if self.unsent > settings.MAX_UNSENT_BYTES:
            self._give_up("bytes")
        elif self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())

    def close(self, code: int) -> None:
        if self._close_code is None:
            self._close_code = code
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._drain())

    def _give_up(self, limit: str) -> None:
        log.warning("closing a socket that does not read", extra={"context": {"over": limit, "unsent": self.unsent}})
        self._queue.clear()
        self.unsent = 0
        if self._task:
            self._task.cancel()
            self._task = None
        self.close(TOO_SLOW)

    async def _drain(self) -> None:
        try:
            while self._queue:
                text = self._queue.popleft()
                async with asyncio.timeout(settings.MAX_UNSENT_SECONDS):
                    await self._send({"type": "websocket.send", "text": text})
                self.unsent -= len(text)
            self._task = None
            if self._close_code is not None:
                await self._send({"type": "websocket.close", "code": self._close_code})
        except TimeoutError:
            self._task = None
            self._give_up("seconds")
        except Exception:
            # Servers raise errors of their own for a socket that is gone; its consumer hears of it separately.
            self._queue.clear()
            self._close_code = self._close_code or TOO_SLOW
