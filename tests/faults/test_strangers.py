"""What strangers send to real servers: each gets an answer and costs next to nothing, and the log stays short."""

import asyncio
import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.processes import PATIENCE
from tests.support.server import RawPeer, RunningServer

pytestmark = pytest.mark.faults

HANDSHAKE_SECONDS = 2
HEAD = b"Host: 127.0.0.1\r\nConnection: close\r\n"
UPGRADE = (
    b"Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
MEGABYTE = b"x" * 1_000_000
CHUNK = b"%x\r\n%b\r\n" % (len(MEGABYTE), MEGABYTE)


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with RunningServer(server=request.param, HANDSHAKE_SECONDS=HANDSHAKE_SECONDS) as server:
        yield server


def memory(server: RunningServer) -> int:
    """Bytes of its memory that are in use."""
    pages = Path(f"/proc/{server.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


def send(server: RunningServer, *pieces: bytes) -> bytes:
    """Everything that the server answers until it closes the connection, which it does soon."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass  # it does not read to the end what it has refused
        answer = b""
        try:
            while more := connection.recv(65536):
                answer += more
        except ConnectionResetError:
            pass
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


TOO_LONG = {414, 431, 400}
HEADS = {
    "a long line": ([b"GET /v2/ws?a=" + b"a" * 9000 + b" HTTP/1.1\r\n" + UPGRADE + b"\r\n"], TOO_LONG),
    "a long header": ([b"GET /v2/ws HTTP/1.1\r\n" + UPGRADE + b"X: " + b"a" * 9000 + b"\r\n\r\n"], TOO_LONG),
    "many headers": ([b"GET /v2/ws HTTP/1.1\r\n" + UPGRADE + b"X: a\r\n" * 600 + b"\r\n"], TOO_LONG),
    "a header without end": ([b"GET / HTTP/1.1\r\nX: ", *[b"a" * 10_000] * 50], TOO_LONG),
    "headers without end": ([b"GET / HTTP/1.1\r\n", *[b"X: aaaaaaa\r\n" * 1000] * 50], TOO_LONG),
    "nothing": ([], {408}),
    "half a request": ([b"GET / HTTP/1.1\r\nHost: 127"], {408}),
    "half a body": ([b"POST /v2/token HTTP/1.1\r\n" + HEAD + b"Content-Length: 50\r\n\r\n{}"], {408}),
    "another protocol": ([b"\x16\x03\x01hello\r\n\r\n"], {400}),
    "no key": ([b"GET /v2/ws HTTP/1.1\r\n" + UPGRADE.replace(b"-Key", b"-Kex") + b"\r\n"], {400, 426}),
    "another path for sockets": ([b"GET /v2/nothing HTTP/1.1\r\n" + UPGRADE + b"\r\n"], {403}),
    "a path with NUL for sockets": ([b"GET /v2/ws%00 HTTP/1.1\r\n" + UPGRADE + b"\r\n"], {403}),
    "bytes in a socket's query": ([b"GET /v2/ws?a=\xff HTTP/1.1\r\n" + UPGRADE + b"\r\n"], {400}),
    "bytes in a subprotocol": (
        [b"GET /v2/ws?a= HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Protocol: \xff\r\n\r\n"],
        {400, 101},
    ),
    "another host": ([b"GET / HTTP/1.1\r\nConnection: close\r\nHost: " + b"e" * 7000 + b"\r\n\r\n"], {400}),
    "another host for sockets": (
        [b"GET /v2/ws HTTP/1.1\r\n" + UPGRADE.replace(b"127.0.0.1", b"evil") + b"\r\n"],
        {403},
    ),
    "a foreign page": ([b"GET /v2/ws HTTP/1.1\r\n" + UPGRADE + b"Origin: http://" + b"e" * 7000 + b"\r\n\r\n"], {403}),
    "NUL in a path": ([b"GET /r/%00/ HTTP/1.1\r\n" + HEAD + b"\r\n"], {400}),
    "bytes in a path": ([b"GET /r/%ff%fe/ HTTP/1.1\r\n" + HEAD + b"\r\n"], {400}),
    "NUL in a cookie": ([b"GET / HTTP/1.1\r\n" + HEAD + b'Cookie: sessionid="\\000"\r\n\r\n'], {400}),
    "a charset that is none": (
        [b"GET /?a=b HTTP/1.1\r\n" + HEAD + b"Content-Type: text/x; charset=hex\r\n\r\n"],
        {200},
    ),
    "5,000 digits of length": (
        [b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"],
        {400, 413},
    ),
    "a negative length": ([b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: -5\r\n\r\n"], {400, 413}),
    "two lengths": (
        [b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
        {400},
    ),
    "another authorization": (
        [b"GET /init HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer \xff \t \xfe\r\n\r\n"],
        {401},
    ),
}


@pytest.mark.parametrize("what", HEADS)
def test_what_is_no_proper_request_is_answered_and_costs_the_log_a_line_at_most(server: RunningServer, what: str):
    pieces, expected = HEADS[what]
    if expected == {400, 101}:
        pieces = [*pieces, b"\x88\x80\0\0\0\0"]  # the server's library takes it; close
    before = len(server.log())
    answer = send(server, *pieces)

    assert status(answer) in expected, answer[:300]
    written = server.log()[before:]
    assert "Traceback" not in written
    assert len(written) < 700


ASKED = {
    "a form": (
        [b"POST /v2/rooms HTTP/1.1\r\n" + HEAD + b"Content-Type: multipart/form-data; boundary=x\r\n"
         b"Content-Length: 2\r\n\r\n{}"],
        {401: "token: no Authorization: Bearer"},
    ),
    "a long body": (
        [b"POST /v2/rooms HTTP/1.1\r\n" + HEAD + b"Content-Length: 200000\r\n\r\n"],
        {413: "body: longer than 65536 bytes"},
    ),
    "a long body in chunks": (
        [b"POST /v2/rooms?a=b HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK],
        {413: "body: longer than 65536 bytes"},
    ),
    "half a body": (
        [b"POST /v2/rooms HTTP/1.1\r\n" + HEAD + b"Content-Length: 50\r\n\r\n{}"],
        {408: "request: not whole after 2 s"},
    ),
    "a long line": (
        [b"GET /v2/rooms?a=" + b"a" * 9000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n"],
        {414: "address: longer than 8192 bytes"},
    ),
    "a long header": (
        [b"GET /v2/rooms HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 9000 + b"\r\n\r\n"],
        {431: "headers: longer than 8192 bytes, or 32768 together"},
    ),
    "two lengths": (
        [b"POST /v2/rooms HTTP/1.1\r\n" + HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
        {400: "request: expected HTTP/1.1"},
    ),
    "a header with NUL": (
        [b"GET /v2/rooms HTTP/1.1\r\n" + HEAD + b"X: \0\r\n\r\n"],
        {400: "request: expected HTTP/1.1"},
    ),
    "a name of a header that is none": (
        [b"GET /v2/rooms HTTP/1.1\r\n" + HEAD + b"X(y): z\r\n\r\n"],
        {400: "request: expected HTTP/1.1"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ASKED)
def test_the_api_says_in_json_what_is_wrong_also_where_no_view_hears_of_it(server: RunningServer, what: str):
    pieces, expected = ASKED[what]
    head, _, body = send(server, *pieces).partition(b"\r\n\r\n")

    [(code, message)] = expected.items()
    assert status(head) == code
    assert json.loads(body) == {"code": code, "message": message, "details": [message]}
    assert b"application/json" in head


def test_the_api_answers_head_as_get_without_the_body(server: RunningServer):
    told, asked = (send(server, b"%b /init HTTP/1.1\r\n%b\r\n" % (method, HEAD)) for method in (b"GET", b"HEAD"))
    assert (status(told), status(asked)) == (401, 401)
    assert told.partition(b"\r\n\r\n")[2] and not asked.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("path", ["/nowhere", "/v2/token", "/rooms/new", "/admin/login/"])
@pytest.mark.parametrize("how", ["declared", "in chunks"])
def test_a_body_is_refused_before_it_is_taken(server: RunningServer, path: str, how: str):
    kind = b"Content-Length: 60000000" if how == "declared" else b"Transfer-Encoding: chunked"
    before = memory(server)
    answer = send(
        server,
        b"POST %b HTTP/1.1\r\n%b%b\r\n\r\n" % (path.encode(), HEAD, kind),
        *[MEGABYTE if how == "declared" else CHUNK] * 60,
    )
    assert status(answer) == 413
    assert memory(server) - before < 8_000_000


@pytest.mark.parametrize("how", ["it goes away", "it is refused"])
def test_a_connection_that_ends_before_its_answers_causes_no_traceback(server: RunningServer, how: str):
    before = len(server.log())
    request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
            if how == "it goes away":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(request * 3)
                time.sleep(0.001)
            else:
                connection.sendall(request * 50)
                connection.recv(65536)
    for _ in range(20):  # by when what was asked for there is long done
        assert server.request("GET", "/").status == 200
    assert "Traceback" not in server.log()[before:]


def test_connections_that_send_nothing_are_closed_and_keep_nobody_waiting(server: RunningServer):
    silent = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) for _ in range(200)]
    halves = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) for _ in range(50)]
    for connection in halves:
        connection.sendall(b"GET /v2/ws?token=" + b"a" * 7000)
    assert server.request("GET", "/healthz").status == 200
    for connection in [*silent, *halves]:
        with closing(connection):
            assert status(connection.recv(65536)) == 408


def test_an_address_has_so_many_connections_that_wait(tmp_path: Path):
    for kind in ("daphne", "uvicorn"):
        with RunningServer(server=kind, CONNECT_BURST=20, HANDSHAKE_SECONDS=5) as server:
            silent = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) for _ in range(20)]
            assert status(send(server, b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")) == 429
            for connection in silent:
                with closing(connection):
                    connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")
                    assert status(connection.recv(65536)) == 200
            assert server.request("GET", "/healthz").status == 200


async def test_a_flood_of_refusals_fills_no_log(server: RunningServer):
    before = len(server.log())
    handshake = b"GET /v2/ws HTTP/1.1\r\n" + UPGRADE + b"Origin: http://" + b"e" * 6000 + b"\r\n\r\n"
    other = b"GET /%b HTTP/1.1\r\nConnection: close\r\nHost: evil\r\n\r\n" % (b"n" * 6000)
    room = server.room("tea")
    token = server.sign("0" * 24)

    def flood() -> None:
        for _ in range(300):
            send(server, handshake)
            send(server, other)

    await asyncio.to_thread(flood)
    for _ in range(100):
        peer = RawPeer(server.ws_url, token)
        await peer.connect()
        assert await peer.wait_closed() in (4403, 4029)
    bad = RawPeer(server.ws_url, server.sign(room, user="mallory"))
    await bad.connect()
    await bad.join("Mallory")
    for number in range(200):
        await bad.send({"method": "x" * 2000, "id": number})
    assert await bad.wait_closed() == 4029
    written = server.log()[before:]
    assert "Traceback" not in written
    assert len(written) < 4 * 60 * 500  # four kinds


async def test_text_that_is_no_text_closes_its_socket_without_a_traceback(server: RunningServer):
    before = len(server.log())
    for fragmented in (False, True):
        peer = RawPeer(server.ws_url, server.sign(server.room("tea"), user="bytes"))
        await peer.connect()
        await peer.join("Bytes")
        with suppress(ConnectionClosed):  # perhaps before the second piece
            await peer.socket.send([b"\xff", b"\xfe"] if fragmented else b"\xff", text=True)
        assert await peer.wait_closed() in (1007, 1006)  # daphne cuts the connection
    assert "Traceback" not in server.log()[before:]


FRAMES = {
    "text": b"\x81\x81\0\0\0\0x",
    "binary": b"\x82\x80\0\0\0\0",
    "pings": b"\x89\x80\0\0\0\0",
    "pongs": b"\x8a\x80\0\0\0\0",
    "pieces": b"\x00\x80\0\0\0\0",
}


@pytest.fixture(scope="module")
def mallory(server: RunningServer) -> str:
    return server.sign(server.room("floods"), user="mallory")


def masked(frame: int, payload: bytes) -> bytes:
    """A frame of a client, of 126 bytes or more, whose mask is nought."""
    return bytes((frame, 0xFE)) + len(payload).to_bytes(2, "big") + bytes(4) + payload


JOIN = masked(0x81, b'{"method":"join","id":"1","params":{}}' + b" " * 100)
SAY = masked(0x81, b'{"method":"broadcast","id":"3","params":{"info":{"message":"done"}}}' + b" " * 100)
CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def patient(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """A server that lets much wait, for a short time, so that not all of it fits into the kernel's buffers."""
    limits: dict[str, Any] = {
        "RATE_LIMIT": 0,
        "MAX_UNSENT_BYTES": 2**26,
        "MAX_UNSENT_SECONDS": 3,
        "MAX_STORE_BYTES": 2**21,
    }
    with RunningServer(server=request.param, MAX_VALUE_BYTES=2**20, MAX_FRAME_BYTES=2**21, **limits) as server:
        yield server


def deaf(server: RunningServer) -> socket.socket:
    """A connection that takes as little as can be."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.connect(("127.0.0.1", server.port))
    return connection


def connections(server: RunningServer) -> int:
    """How many connections and ears the server has."""
    found = 0
    for number in Path(f"/proc/{server.pid}/fd").iterdir():
        with suppress(OSError):
            found += number.readlink().name.startswith("socket:")
    return found


async def only(server: RunningServer, many: int, *, timeout: float) -> None:
    """Wait until the server has no more connections than so many."""
    async with asyncio.timeout(timeout):
        while connections(server) > many:
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("end", ["another socket", "a close of its own"])
async def test_i26_what_a_socket_leaves_unread_at_its_end_is_not_kept(patient: RunningServer, end: str, slack: float):
    token = patient.sign(patient.room(end.replace(" ", "-")))
    writer = RawPeer(patient.ws_url, token)
    await writer.connect()
    await writer.join()
    await writer.call("set-metadata", key="long", data="x" * 1_000_000)
    before = connections(patient)
    keys = b'{"method":"listen-metadata-change","id":"2","params":{"keys":["long"]}}' + b" " * 100
    head = f"GET /v2/ws?peer=deaf&token={token} HTTP/1.1\r\n".encode() + UPGRADE + b"\r\n"
    with closing(deaf(patient)) as connection:
        connection.sendall(head)
        assert (await asyncio.to_thread(connection.recv, 12)).endswith(b" 101")
        connection.sendall(JOIN)
        await writer.wait_for("on-peer-join")
        connection.sendall(masked(0x81, keys) + JOIN * 12 + SAY)
        await writer.wait_for("on-broadcast")  # which is after all of them
        if end == "another socket":
            other = RawPeer(patient.ws_url, token, peer_id="deaf")
            await other.connect()
            await other.join()
            await other.close()
        else:
            connection.sendall(CLOSE)
        await only(patient, before, timeout=15 + slack)
    await writer.close()


LONG_FILE = b"GET /static/admin/js/vendor/xregexp/xregexp.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


async def test_i26_answers_that_nobody_reads_are_not_kept(patient: RunningServer, slack: float):
    before = connections(patient)
    with closing(deaf(patient)) as connection:
        with suppress(OSError):
            for _ in range(20):
                connection.sendall(LONG_FILE)
                await asyncio.sleep(0.1)
        await only(patient, before, timeout=25 + slack)


def cpu_seconds(server: RunningServer) -> float:
    """What the server has computed so far."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("what", FRAMES)
def test_a_flood_of_empty_frames_costs_no_more_than_its_bytes(
    server: RunningServer, mallory: str, what: str, known: bool
):
    head = f"GET /v2/ws?peer={what}&token={mallory if known else ''} HTTP/1.1\r\n".encode() + UPGRADE + b"\r\n"
    first = b"\x01\x80\0\0\0\0" if what == "pieces" else b""
    before = cpu_seconds(server)

    answer = send(server, head, first, *[FRAMES[what] * 100_000] * 5)

    assert answer.startswith(b"HTTP/1.1 101 ")
    assert cpu_seconds(server) - before < 1
