"""uvicorn, for clients that nobody knows: a request has a time limit and a length, and each gets an answer.

``manage.py serve`` names these to uvicorn, which by itself waits for ever for a request's end, keeps headers of any
length, and neither answers nor closes a connection whose handshake its WebSocket library refuses.
"""

import math
import time
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from rooms.access import arrivals, unheard
from rooms.access.unread import Unread
from rooms.sockets.mailbox import Mailbox
from rooms.sockets.splitter import FrameSplitter

_TOGETHER = 0.5
"""Seconds from one moment at which pings are sent to the next."""


class HttpProtocol(HttpToolsProtocol):
    """Reads requests; hands WebSockets on."""

    url = b""  # nothing has come yet
    _head_size = 0  # bytes of a request's head that have come
    _refused: HTTPStatus | None = None
    _unanswered: tuple[RequestResponseCycle, ...] = ()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # so that it tells of every byte that waits
        self._unread = Unread(transport.get_write_buffer_size, transport.abort)
        self._arrival = arrivals.Arrival(self.loop.call_later, self._answer)
        self._wait()

    def _wait(self) -> None:
        """Expect a request, but not for long. One that stays open afterwards has uvicorn's own limit."""
        self._arrival.expect(self.client[0] if self.client else "")

    def _answer(self, status: HTTPStatus) -> None:
        """Answer without the application, and close."""
        self._arrival.end()
        if not self.transport.is_closing():
            self.transport.write(unheard.answer(status, self.url))
            self.transport.close()
            self._disconnect()

    def _disconnect(self) -> None:
        """Tell all requests that nobody waits for their answers; uvicorn tells the last one only."""
        for cycle in self._unanswered:
            cycle.disconnected = True
            cycle.message_event.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrival.end()
        self._unread.end()
        self._disconnect()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread.end()

    def handle_websocket_upgrade(self) -> None:
        self._unread.end()
        self.transport.set_write_buffer_limits()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._arrival.is_due:
            self._head_size += len(data)
        # From here on as uvicorn does it, but for the answers.
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self._answer(self._refused or HTTPStatus.BAD_REQUEST)
        else:
            # Not what follows a whole head, which may be long.
            if self._arrival.is_due and self._head_size > arrivals.MAX_HEAD:
                self._answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _refuse(self, status: HTTPStatus) -> None:
        """Stop the parser, from one of its callbacks."""
        self._refused = status
        raise ValueError(status.phrase)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._sizes = 0
        # Another request of a connection that stayed open.
        if not self._arrival.is_due and not self.transport.is_closing():
            self._head_size = 0
            self._wait()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > arrivals.MAX_LINE:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG)
        if not url.isascii():
            self._refuse(HTTPStatus.BAD_REQUEST)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._sizes += len(name) + len(value)
        if self._sizes > arrivals.MAX_HEAD or len(value) > arrivals.MAX_LINE:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self._arrival.end()
        if len(self.pipeline) >= arrivals.MAX_PIPELINE:
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS)
        super().on_headers_complete()
        if self.cycle is not None:  # else a handshake
            waiting = (cycle for cycle in self._unanswered if not cycle.response_complete)
            self._unanswered = (*waiting, self.cycle)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Answers and closes also where the library refuses a handshake, and pings those alone who say nothing.

    ``reader`` is what takes the frames off the connection, once something does.
    """

    reader: FrameSplitter | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        queue: Any = Mailbox()
        self.queue = queue

    def start_keepalive(self) -> None:
        super().start_keepalive()
        # The handshake is over, and what was said in it is a fifth of what an idle socket would hold.
        handshake: Any = None
        self.request = self.response = handshake
        self.scope["headers"] = []

    def schedule_ping(self) -> None:
        self._ping_after(self.ping_interval or 0)

    def _ping_after(self, seconds: float) -> None:
        # At moments that all connections share: each time that a processor wakes costs it more than a ping.
        at = math.ceil((self.loop.time() + seconds) / _TOGETHER) * _TOGETHER
        self.ping_timer = self.loop.call_at(at, self.send_keepalive_ping)

    def send_keepalive_ping(self) -> None:
        silent_since = self.reader.heard_at if self.reader else -math.inf
        left = silent_since + (self.ping_interval or 0) - time.monotonic()
        if left > 0:
            # What a page says of its own accord, every few seconds, tells as much as its answer would.
            self._ping_after(left)
        else:
            super().send_keepalive_ping()

    def data_received(self, data: bytes) -> None:
        if self.handshake_initiated and not self.handshake_complete:
            self.transport.abort()  # nothing may come before the answer, RFC 6455 §4.1, and nothing counts it yet
            return
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated and not self.transport.is_closing():
            answer = b"".join(self.conn.data_to_send())
            self.transport.write(
                answer or b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
            self.transport.close()
