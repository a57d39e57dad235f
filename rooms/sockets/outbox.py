"""Frames on their way to one socket: bounded, in order, and never waited for by anybody else."""

import asyncio
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from rooms.observe import metrics
from rooms.observe.background import spawn
from rooms.sockets.framing import frames_in

log = logging.getLogger("rooms.outbox")

Send = Callable[[dict[str, Any]], Awaitable[None]]

GONE = (OSError, RuntimeError)
"""What a transport may raise when it is written to after its connection was lost."""


class Tally:
    """Counts the bytes that are written to many outboxes at once."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0


class Outbox:
    """Where a socket's frames go. One that leaves too much unsent, or for too long, is given up.

    ``write`` takes frames as ``framed`` makes them, several joined or one. It never waits, and does nothing on a
    closing socket; it is a plain attribute because it is called for every frame of every member, and may raise one of
    GONE. ``give_up`` cuts the connection, or if the server offers no way to do so ends its application.

    The outbox alone counts what is written to it, over all that its socket goes through: by itself what comes through
    ``put``, and between ``follow`` and ``unfollow`` what a tally counts for many, but for what it is ``spared``.
    """

    __slots__ = ("_due", "_due_at", "_give_up", "_limit", "_own", "_state", "_state_due", "_tally", "closing", "write")
    write: Callable[[bytes], object]

    def __init__(self, give_up: Callable[[], None]) -> None:
        self._give_up = give_up
        self.closing = False
        self._own = 0
        self._tally: Tally | None = None
        self._due = 0
        self._due_at: float | None = None  # not looked at yet
        self._limit = settings.MAX_UNSENT_BYTES
        # The largest state that is under way: its bytes, and how many are written when it is.
        self._state = self._state_due = 0

    @property
    def written(self) -> int:
        """Bytes that were ever written."""
        return self._own + (self._tally.bytes if self._tally else 0)

    def follow(self, tally: Tally) -> None:
        """From now on whatever the tally counts is written here too, past ``put``."""
        self.unfollow()
        self._tally = tally
        # What it counted before was not written here.
        self._own -= tally.bytes

    def unfollow(self) -> None:
        if self._tally:
            self._own += self._tally.bytes
            self._tally = None

    def spared(self, size: int) -> None:
        """So many bytes that the tally counts are not written here."""
        self._own -= size

    def put(self, wire: bytes) -> None:
        """Write to a socket that may be gone already, which its consumer hears of separately."""
        self._own += len(wire)
        try:
            self.write(wire)
        except GONE:
            pass
        except Exception:
            log.exception("a frame could not be written")

    def put_state(self, wire: bytes) -> None:
        """Write what may be longer than what a peer may fall behind: until it is sent so many bytes more may wait.

        Of several that are under way the longest counts, so asking for states again and again allows no more.
        """
        if len(wire) >= self._state:
            self._state, self._state_due = len(wire), self.written + len(wire)
            self._set_limit(settings.MAX_UNSENT_BYTES + self._state)
        self.put(wire)

    def _set_limit(self, limit: int) -> None:
        self._limit = limit

    def close(self, code: int) -> None:
        """Close the socket after what was written."""
        raise NotImplementedError

    @property
    def unsent(self) -> int:
        """Bytes that the operating system has not taken yet."""
        raise NotImplementedError

    def check(self, now: float) -> None:
        """Give the socket up if what was unsent MAX_UNSENT_SECONDS ago still is. Called every few seconds."""
        unsent = self.unsent
        if not unsent and not self._state:
            self._due_at = None  # as nearly every socket at nearly every look
            return
        written = self.written
        sent = written - unsent
        if self._state and (not unsent or sent >= self._state_due):
            self._state = 0
            self._set_limit(settings.MAX_UNSENT_BYTES)
        # All that was written at the last look is gone: time begins anew.
        if self._due_at is None or not unsent or sent >= self._due:
            self._due, self._due_at = written, now
        elif now - self._due_at > settings.MAX_UNSENT_SECONDS:
            if self.closing:
                self.cut()  # nor does its peer read that it ends
            else:
                self.abandon("seconds")

    def part(self) -> None:
        """Nobody looks after the socket any more: what is unsent has MAX_UNSENT_SECONDS to go.

        A server that closes a connection waits for its client to take what is left, and may wait for ever.
        """
        if self.unsent:
            asyncio.get_running_loop().call_later(settings.MAX_UNSENT_SECONDS, self.cut)

    def cut(self) -> None:
        """Cut the connection, whatever is unsent."""
        self._give_up()

    def abandon(self, limit: str) -> None:
        """Close a socket whose peer does not read; it may come back and resume."""
        if not self.closing:
            context = {"limit": limit, "unsent": self.unsent}
            log.warning("a socket does not read and is given up", extra={"context": context})
            metrics.OUTBOX_CLOSES.labels(limit).inc()
            self.closing = True
            self.write = nowhere
            self.cut()


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
        # One task at most: two would mix up the order.
        if self._task is None:
            self._task = spawn(self._drain())

    def cut(self) -> None:
        super().cut()
        self._queue.clear()
        if self._task:
            self._task.cancel()

    async def _drain(self) -> None:
        try:
            while self._queue:
                wire = self._queue.popleft()
                for text, size in frames_in(wire):
                    await self._send({"type": "websocket.send", "text": text})
                    # Only now: until the server takes it, it is in our memory.
                    self._unsent -= size
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


def is_a(thing: object, name: str, module: str) -> bool:
    """Whether it is of a class of that name, of a module that need not be there."""
    return any((kind.__name__, kind.__module__) == (name, module) for kind in type(thing).__mro__)


async def _close(send: Send, code: int) -> None:
    """Close a socket. What daphne offers for it refuses the codes of servers, such as 1012."""
    protocol: Any = send.args[0] if isinstance(send, functools.partial) and len(send.args) == 1 else None
    if is_a(protocol, "WebSocketProtocol", "daphne.ws_protocol") and hasattr(protocol, "sendCloseFrame"):
        protocol.sendCloseFrame(code=code)
    else:
        await send({"type": "websocket.close", "code": code})
