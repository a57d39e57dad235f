"""What each system speaks, as frames for the load generator: how a peer joins, what a message looks like.

Rooms whose name begins with `n` announce each join to those present; their peers have names that the generator
recognises. A frame holds a blank marker where the generator writes a sequence number and the time.
"""

import base64
import dataclasses
import http.client
import json
import os
import time
from collections.abc import Mapping, Sequence

from harness.places import HOST

TEXT, BINARY = 1, 2
FILLER = "lorem ipsum dolor sit"  # with its marker, 48 characters of chat


def blank_marker(kind: str) -> str:
    """Room for a marker of the given kind: see load/generator.h."""
    return f"@@{kind}{0:024x}"


def peer_name(index: int, room: str) -> str:
    """The name a peer joins with; in a room that announces joins, one that the generator can find."""
    return f"@@J{index:08x}{0:016x}" if room.startswith("n") else f"p{index:05d}"


def compact(value: object) -> bytes:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


@dataclasses.dataclass(frozen=True)
class Frame:
    """A message to send."""

    payload: bytes
    opcode: int = TEXT


@dataclasses.dataclass(frozen=True)
class Step:
    """Send a frame (nothing if empty), then wait for a frame that contains `answer` (none if empty)."""

    frame: Frame
    answer: bytes


class Protocol:
    """One system's frames; a new instance for each server started."""

    echoes = True  # the sender of a message receives it too
    lists_present = False  # who joins is told of those present, so every peer learns of every other
    application_ping: tuple[bytes, bytes] | None = None

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = ports

    def port(self, index: int) -> int:
        return self.ports[index % len(self.ports)]

    def prepare(self, peers: Sequence[tuple[int, str]]) -> float:
        """Do what must be done over HTTP before the sockets of (index, room) open; seconds that count as joining."""
        return 0.0

    def asks(self, index: int, room: str) -> list[bytes]:
        """The HTTP requests of the system's own client, one after the other on one connection, before its socket."""
        return []

    def path(self, index: int, room: str) -> str:
        raise NotImplementedError

    def join(self, index: int, room: str, *, observing: Sequence[str] = ()) -> list[Step]:
        """The steps to be in the room; and, where keys are observed, to be told of these."""
        raise NotImplementedError

    def message(self, index: int, room: str, *, padding: int = 0) -> Frame:
        raise NotImplementedError

    def metadata(self, index: int, room: str) -> Frame:
        raise NotImplementedError

    def upgrade(self, index: int, room: str) -> bytes:
        """The handshake's request. No compression is offered: all systems then send plain frames."""
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Origin": f"http://{HOST}:{self.port(index)}",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
        }
        return self.request(index, "GET", self.path(index, room), headers)

    def request(self, index: int, method: str, path: str, headers: Mapping[str, str], body: str = "") -> bytes:
        """An HTTP request of a peer."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{self.port(index)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", body]).encode()

    def deliveries(self, peers: int) -> int:
        """How many of a room's peers receive one message."""
        return peers if self.echoes else peers - 1

    def copies(self, deliveries: int) -> int:
        """The same, with the acknowledgement that the sender gets in place of an echo."""
        return deliveries if self.echoes else deliveries + 1

    def sightings(self, peers: int) -> int:
        """How often one peer must learn of another when so many join a room one after the other."""
        pairs = peers * (peers - 1)
        return pairs if self.lists_present else pairs // 2


class PlainJson(Protocol):
    """JSON-RPC as peers/channels_chat.py and peers/picows_chat.py speak it."""

    def path(self, index: int, room: str) -> str:
        return "/ws/"

    def join(self, index: int, room: str, *, observing: Sequence[str] = ()) -> list[Step]:
        params = {"room": room, "name": peer_name(index, room)}
        return [Step(self._frame("join", params, id=1), b'"result"')]

    def message(self, index: int, room: str, *, padding: int = 0) -> Frame:
        return self._frame("send", {"text": FILLER + "x" * padding + blank_marker("B")})

    def metadata(self, index: int, room: str) -> Frame:
        return self._frame("set", {"key": "topic", "value": FILLER + blank_marker("M")})

    def _frame(self, method: str, params: dict[str, str], **more: object) -> Frame:
        return Frame(compact({"jsonrpc": "2.0", "method": method, "params": params, **more}))


class SocketIo(PlainJson):
    """Events in Socket.IO's packets, over a websocket from the start."""

    application_ping = (b"2", b"3")

    def path(self, index: int, room: str) -> str:
        return "/socket.io/?EIO=4&transport=websocket"

    def join(self, index: int, room: str, *, observing: Sequence[str] = ()) -> list[Step]:
        event = compact(["join", {"room": room, "name": peer_name(index, room)}])
        return [
            Step(Frame(b""), b'0{"sid"'),
            Step(Frame(b"40"), b'40{"sid"'),
            Step(Frame(b"421" + event), b"431["),
        ]

    def _frame(self, method: str, params: dict[str, str], **more: object) -> Frame:
        return Frame(b"42" + compact([method, params]))


class PollingSocketIo(SocketIo):
    """As its client is shipped: a session is opened and connected by HTTP, then goes over to a websocket.

    The client sends its packets and waits for the server's on two connections, and has one more wait under way when it
    goes over; here one request follows the other, which is less to do for the server.
    """

    SESSION = "~" * 20  # see load/generator.h

    def asks(self, index: int, room: str) -> list[bytes]:
        path = "/socket.io/?EIO=4&transport=polling"
        known, connect = f"{path}&sid={self.SESSION}", "40"
        content = {"Content-Type": "text/plain;charset=UTF-8", "Content-Length": str(len(connect))}
        return [
            self.request(index, "GET", path, {}),
            self.request(index, "POST", known, content, connect),
            self.request(index, "GET", known, {}),
        ]

    def path(self, index: int, room: str) -> str:
        return f"{super().path(index, room)}&sid={self.SESSION}"

    def join(self, index: int, room: str, *, observing: Sequence[str] = ()) -> list[Step]:
        probe, upgrade, joining = Frame(b"2probe"), Frame(b"5"), super().join(index, room)[-1]
        return [Step(probe, b"3probe"), Step(upgrade, b""), joining]


class StoringSocketIo(SocketIo):
    """Messages go to the others; to the sender they are acknowledged, under an id of its own."""

    echoes = False

    def message(self, index: int, room: str, *, padding: int = 0) -> Frame:
        text = FILLER + "x" * padding + blank_marker("B")
        return Frame(b"421" + compact(["send", {"text": text, "id": blank_marker("A")}]))


class Colyseus(Protocol):
    """MessagePack; a seat is reserved over HTTP before the socket opens; metadata is room state."""

    lists_present = True

    def prepare(self, peers: Sequence[tuple[int, str]]) -> float:
        start = time.perf_counter()
        self._seats: dict[int, str] = {}
        connection = http.client.HTTPConnection(HOST, self.ports[0])
        for index, room in peers:
            body = json.dumps({"room": room, "name": peer_name(index, room)})
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/matchmake/joinOrCreate/chat", body, headers)
            seat = json.loads(connection.getresponse().read())
            place = seat.get("room", seat)
            self._seats[index] = f"/{place['processId']}/{place['roomId']}?sessionId={seat['sessionId']}"
        connection.close()
        return time.perf_counter() - start

    def path(self, index: int, room: str) -> str:
        return self._seats[index]

    def join(self, index: int, room: str, *, observing: Sequence[str] = ()) -> list[Step]:
        joined = b"\x0a"
        return [Step(Frame(b"", BINARY), joined), Step(Frame(joined, BINARY), b"")]

    def message(self, index: int, room: str, *, padding: int = 0) -> Frame:
        return self._frame(b"send", FILLER + "x" * padding + blank_marker("B"))

    def metadata(self, index: int, room: str) -> Frame:
        return self._frame(b"set", FILLER + blank_marker("M"))

    def _frame(self, name: bytes, text: str) -> Frame:
        room_data, short_string, string_8 = 13, 0xA0, 0xD9
        header = bytes([room_data, short_string | len(name)]) + name + bytes([string_8, len(text)])
        return Frame(header + text.encode(), BINARY)
