"""Shorter ways between a socket and its consumer than ASGI's.

Ready-made frames go straight to the server's transport, and complete small text frames come in without passing its
parser. Both lean on attributes that uvicorn and daphne do not promise, so these are pinned, and a short way is taken
only if a look at the connection finds exactly what is known. Otherwise frames go the ASGI way, which is slower and
right.
"""

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings

from rooms.sockets.mailbox import Mailbox
from rooms.sockets.outbox import AsgiOutbox, Outbox, Send, is_a, nowhere
from rooms.sockets.splitter import LEFT_BURST, LEFT_RATE, FrameSplitter
from rooms.wire.rates import Bucket

log = logging.getLogger("rooms.fastpath")


def open_outbox(
    send: Send, abandon: Callable[[], None], take: Callable[[str], bool], flooded: Callable[[], None]
) -> Outbox:
    """The fastest outbox there is for a socket that was just accepted.

    ``abandon`` ends the socket's application, for a server whose connection cannot be cut otherwise. ``take`` gets the
    text of frames that need not pass the server's parser; while it returns False they do. ``flooded`` is called when
    the client sends so many others that no more are read.
    """
    outbox: Outbox | None = None
    if settings.FAST_PATH:
        outbox = _uvicorn(send, take, flooded) or _daphne(send, take, flooded)
    outbox = outbox or AsgiOutbox(send, abandon)
    _tell_once(type(outbox).__name__)
    return outbox


class _Reader(FrameSplitter):
    """Reads a connection's bytes: frames go to ``take`` as long as none waits in the server's own queue."""

    __slots__ = ("_queue", "_take")

    def __init__(
        self, take: Callable[[str], bool], queue: Any, leave: Callable[[bytes], None], flooded: Callable[[], None]
    ) -> None:
        super().__init__(leave, flooded, Bucket(LEFT_RATE if settings.RATE_LIMIT else 0, LEFT_BURST))
        self._take = take
        self._queue = queue

    def take_text(self, payload: bytes) -> bool:
        # A frame stays there until its consumer has its turn, and takes it at once: so none is overtaken.
        if not self._queue.empty():
            return False
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return False  # the server closes the socket as it should be
        return self._take(text)


@functools.cache
def _tell_once(name: str) -> None:
    log.info("frames are written by %s", name)


class _TransportOutbox(Outbox):
    """Writes frames to a transport; closes the socket the ASGI way."""

    __slots__ = ("_send",)

    def __init__(self, send: Send, give_up: Callable[[], None]) -> None:
        super().__init__(give_up)
        self._send = send

    def close(self, code: int) -> None:
        if not self.closing:
            self.closing, self.write = True, nowhere
            # Needs no queue of its own: the transport keeps the order.
            AsgiOutbox(self._send, self._give_up).close(code)


# --- uvicorn ------------------------------------------------------------------------------------


class UvicornOutbox(_TransportOutbox):
    """Lets the transport itself tell when too much is unsent, so that a write is the transport's own."""

    __slots__ = ("_transport",)

    def __init__(self, send: Send, protocol: Any) -> None:
        transport = protocol.transport
        super().__init__(send, transport.abort)
        self.write = transport.write
        self._transport = transport
        transport.set_write_buffer_limits(high=self._limit)
        protocol.pause_writing = self._overflow

    def _overflow(self) -> None:
        self.abandon("bytes")

    def _set_limit(self, limit: int) -> None:
        super()._set_limit(limit)
        self._transport.set_write_buffer_limits(high=limit)

    @property
    def unsent(self) -> int:
        size: int = self._transport.get_write_buffer_size()
        return size


def _uvicorn(send: Send, take: Callable[[str], bool], flooded: Callable[[], None]) -> UvicornOutbox | None:
    protocol: Any = getattr(send, "__self__", None)
    known = (
        is_a(protocol, "WebSocketsSansIOProtocol", "uvicorn.protocols.websockets.websockets_sansio_impl")
        and getattr(protocol, "handshake_complete", None) is True
        and getattr(protocol, "close_sent", None) is False
        and all(callable(getattr(protocol, name, None)) for name in ("pause_writing", "data_received"))
        and isinstance(getattr(protocol, "queue", None), (asyncio.Queue, Mailbox))
        and all(
            callable(getattr(getattr(protocol, "transport", None), name, None))
            for name in ("write", "abort", "get_write_buffer_size", "set_write_buffer_limits", "set_protocol")
        )
    )
    if not known:
        return None
    reader = _Reader(take, protocol.queue, protocol.data_received, flooded)
    protocol.reader, protocol.data_received = reader, reader.feed
    protocol.transport.set_protocol(protocol)  # some event loops hold on to the method
    return UvicornOutbox(send, protocol)


# --- daphne -------------------------------------------------------------------------------------


class DaphneOutbox(_TransportOutbox):
    """Twisted never writes at once; while nothing is queued, the socket can be asked directly."""

    __slots__ = ("_transport",)

    def __init__(self, send: Send, protocol: Any) -> None:
        transport = protocol.transport
        super().__init__(send, transport.abortConnection)
        self._transport = transport
        self.write = self._writer(protocol, transport)

    @property
    def unsent(self) -> int:
        transport = self._transport
        size: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
        return size

    def _writer(self, protocol: Any, transport: Any) -> Callable[[bytes], None]:
        # Called for each frame of each member: a closure finds what it needs in half the time of a method, and does
        # not ask whether the connection is lost, which the socket tells.
        opened, send = protocol.STATE_OPEN, transport.socket.send

        def write(wire: bytes) -> None:
            if protocol.state != opened:
                return  # the close frame was sent; nothing may follow it
            if transport.dataBuffer or transport._tempDataLen:
                transport.write(wire)
                if self.unsent > self._limit:
                    self.abandon("bytes")
                return
            try:
                sent = send(wire)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                return  # the reactor will find the same and close the connection
            if sent < len(wire):
                transport.write(wire[sent:])

        return write


def _daphne(send: Send, take: Callable[[str], bool], flooded: Callable[[], None]) -> DaphneOutbox | None:
    if not isinstance(send, functools.partial) or len(send.args) != 1:
        return None
    protocol = send.args[0]
    transport: Any = getattr(protocol, "transport", None)
    known = (
        is_a(protocol, "WebSocketProtocol", "daphne.ws_protocol")
        and getattr(protocol, "state", None) == getattr(protocol, "STATE_OPEN", "") != ""
        and callable(getattr(protocol, "dataReceived", None))
        and isinstance(getattr(protocol, "application_queue", None), (asyncio.Queue, Mailbox))
        # A TLS transport encrypts what is written: its socket must not be written to.
        and type(transport).__name__ == "Server"
        and type(transport).__module__ == "twisted.internet.tcp"
        and not getattr(transport, "TLS", True)
        and isinstance(getattr(transport, "dataBuffer", None), bytes)
        and isinstance(getattr(transport, "offset", None), int)
        and isinstance(getattr(transport, "_tempDataLen", None), int)
        and callable(getattr(getattr(transport, "socket", None), "send", None))
        and callable(getattr(transport, "abortConnection", None))
    )
    if not known:
        return None
    protocol.dataReceived = _Reader(take, protocol.application_queue, protocol.dataReceived, flooded).feed
    return DaphneOutbox(send, protocol)
