"""daphne, for clients that nobody knows: a request has a time limit and a length, and each gets an answer.

``manage.py serve`` starts this. daphne by itself takes a whole body before anybody is asked whether it may be so long,
and each byte gives a request another minute.
"""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any

# First of all: it chooses Twisted's event loop.
from daphne import server  # isort: skip
from daphne import ws_protocol
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from rooms.access import arrivals, unheard
from rooms.access.unread import Unread
from rooms.sockets.mailbox import Mailbox


class Request(WebRequest):
    """A request whose body is refused by its length: by what is declared if possible, else by what has come."""

    _size = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        # Twisted would read forms, which nobody here asks it for, and refuse them without a word.
        super().__init__(*args, **options, parsePOSTFormSubmission=False)

    def handleContentChunk(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > arrivals.max_body():
            self.channel.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif not self.channel.answered:
            super().handleContentChunk(data)

    def process(self) -> Any:
        if self.channel.answered:
            return None
        # A stranger says neither where the application is nor, beyond ASCII, which protocol is to be spoken: daphne
        # would believe the one and fail on the other.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        if not all(value.isascii() for value in self.requestHeaders.getRawHeaders(b"sec-websocket-protocol", [])):
            self.channel.answer(HTTPStatus.BAD_REQUEST)
            return None
        return super().process()

    def basic_error(self, status: int, *page: Any) -> None:
        self.channel.answer(HTTPStatus(status))


class Channel(HTTPChannel):
    """A connection on its way to a whole request."""

    MAX_LENGTH = arrivals.MAX_LINE
    totalHeadersSize = arrivals.MAX_HEAD
    maxHeaders = 128
    answered = False
    transport: Any

    def connectionMade(self) -> None:
        super().connectionMade()
        self._unread = Unread(partial(_unsent, self.transport), self.transport.abortConnection)
        self._arrival = arrivals.Arrival(self.callLater, self.answer)
        self._wait()

    def _wait(self) -> None:
        """Expect a request, but not for long."""
        self._arrival.expect(getattr(self.getPeer(), "host", ""))

    def answer(self, status: HTTPStatus, address: bytes = b"") -> None:
        """Answer without the application, and close."""
        if self.answered:
            return
        self._arrival.end()
        self.answered = True
        connection: Any = self.transport
        connection.write(unheard.answer(status, address or self._asked_for()))
        self.loseConnection()

    def _asked_for(self) -> bytes:
        """The address of the request that is on its way, or that is answered."""
        on_its_way: bytes = getattr(self, "_path", b"")
        return on_its_way or (self.requests[-1].uri if self.requests else b"")

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.answer(HTTPStatus.BAD_REQUEST)

    def dataReceived(self, data: bytes) -> None:
        if not self.answered:
            super().dataReceived(data)

    def lineLengthExceeded(self, line: bytes) -> None:
        if self.requests:
            self.answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        # The first line of all: nobody has read it yet.
        self.answer(HTTPStatus.REQUEST_URI_TOO_LONG, b"".join(line.split(b" ", 2)[1:2]))

    def headerReceived(self, line: bytes) -> bool:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and arrivals.is_too_long(value.strip(b" \t")):
            # Not left to int(), which takes 5,000 digits for an error of ours.
            self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return False
        received: bool = super().headerReceived(line)
        return received

    def allHeadersReceived(self) -> None:
        if not self.answered:
            super().allHeadersReceived()

    def allContentReceived(self) -> None:
        self._arrival.end()
        if not self.answered:
            super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        super().requestDone(request)
        # The connection stays open for another request, which has its own time.
        if self.persistent and not self.answered and not self._arrival.is_due:
            self._wait()

    def pauseProducing(self) -> None:
        """Twisted calls this when much waits to be sent, and of a connection that became a WebSocket too."""
        super().pauseProducing()
        if self.transport.protocol is self:
            self._unread.watch()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self._unread.end()

    def loseConnection(self) -> None:
        super().loseConnection()
        self._unread.watch()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._arrival.end()
        self._unread.end()
        super().connectionLost(reason)


def _unsent(transport: Any) -> int:
    return len(transport.dataBuffer) - transport.offset + transport._tempDataLen


class Factory(HTTPFactory):
    protocol = Channel

    def buildProtocol(self, addr: Any) -> Any:
        channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        return channel


class WebSocketProtocol(ws_protocol.WebSocketProtocol):
    """Lets go of what was said in the handshake, of which thousands of idle connections would hold three copies."""

    def onOpen(self) -> None:
        super().onOpen()
        nothing: dict[str, Any] = {}
        self.http_request_data, self.http_headers, self.http_request_params = b"", nothing, nothing
        self.request.headers = nothing
        self.clean_headers.clear()  # the application's scope has the same list
        if isinstance(channel := self.transport.producer, Channel):
            channel.requests.clear()


class Server(server.Server):
    """Starts the application of a socket with a queue that takes little memory."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] != "websocket":
            return super().create_application(protocol, scope)
        mailbox = Mailbox()
        scope.setdefault("asgi", {"version": "3.0"})
        running = self.application(scope=scope, receive=mailbox.get, send=partial(self.handle_reply, protocol))
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(running)
        return mailbox


# daphne offers no other way to say which of these it takes.
server.HTTPFactory = Factory
ws_protocol.WebSocketFactory.protocol = WebSocketProtocol
CommandLineInterface.server_class = Server


def run(arguments: list[str]) -> None:
    """Serve until a signal comes; the arguments are those of daphne's command."""
    CommandLineInterface().run(arguments)
