"""The benchmark's figures can be trusted: its load generator notices what a server loses, reorders or leaves out."""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))

from harness import install
from harness.clients import Clients, JoinTimeout
from harness.protocols import Frame, PlainJson, blank_marker, compact

from tests.support.processes import PATIENCE


class Chat:
    """A chat server, on a thread of its own, that can be told to be faulty towards the last peer that joined."""

    def __init__(self) -> None:
        self.peers: list[ServerConnection] = []
        self.faulty_towards_last = False
        self.reverse_for_last = False
        self.copies = 1
        self.status = 200
        self.paths: list[str] = []
        self._held: list[str] = []
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        self._started.wait()

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        async with serve(self._serve, "127.0.0.1", 0, compression=None, process_request=self._answer) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._started.set()
            await self._stop.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        if request.path.startswith("/ws"):
            return None
        return connection.respond(self.status, '{"sid":"abcdefghijklmnopqrst"}')

    async def _serve(self, socket: ServerConnection) -> None:
        async for text in socket:
            await self._take(socket, json.loads(text))

    async def _take(self, socket: ServerConnection, request: dict[str, Any]) -> None:
        if request["method"] == "join":
            await self._tell(request["params"])
            self.peers.append(socket)
            await socket.send(json.dumps({"id": request["id"], "result": {}}))
            return
        await self._tell(request["params"])
        if "id" in request:
            await socket.send(json.dumps({"id": request["id"], "result": {}}))

    async def _tell(self, params: dict[str, Any]) -> None:
        frame = json.dumps(params)
        for peer in self.peers[:-1] if self.faulty_towards_last or self.reverse_for_last else self.peers:
            for _ in range(self.copies):
                await peer.send(frame)
        if self.reverse_for_last:
            self._held.append(frame)
            if len(self._held) == 2:
                await self.peers[-1].send(self._held.pop())
                await self.peers[-1].send(self._held.pop())


class Acknowledged(PlainJson):
    """Messages whose sender waits for a reply."""

    def message(self, index: int, room: str, *, padding: int = 0) -> Frame:
        params = {"text": blank_marker("B")}
        return Frame(compact({"id": blank_marker("A"), "method": "send", "params": params}))


class Asking(PlainJson):
    """A client that asks over HTTP first, and enters under the session of which it is told."""

    def asks(self, index: int, room: str) -> list[bytes]:
        return [self.request(index, "GET", f"/ask?{index}", {})]

    def path(self, index: int, room: str) -> str:
        return f"/ws?{index}-{'~' * 20}"


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    install.generator()


@pytest.fixture
def chat() -> Iterator[Chat]:
    server = Chat()
    yield server
    server.stop()


def clients_of(
    chat: Chat, count: int, protocol: type[PlainJson] = PlainJson, room: str = "q", *, asking: bool = False
) -> Clients:
    running: Any = SimpleNamespace(group=SimpleNamespace(pids=lambda: [os.getpid()]), protocol=protocol([chat.port]))
    return Clients(running, count, lambda _: room, asking=asking)


def test_counts_every_delivery_of_a_sound_server(chat):
    with clients_of(chat, 5) as clients:
        clients.open()
        run = clients.chat([0, 1], seconds=0.2, fan_out=5, rate=100)

    assert 0 < run.sent <= 20  # the fewer the busier this machine is with other tests
    assert run.received == run.sent * 5
    assert run.loss == 0
    assert 0 < run.p50 <= run.p99 <= run.max
    assert run.holds


def test_notices_a_message_that_one_peer_does_not_get(chat):
    with clients_of(chat, 5) as clients:
        clients.open()
        chat.faulty_towards_last = True
        run = clients.chat([0], seconds=0.1, fan_out=5, rate=100, drain=1)

    assert run.received == run.sent * 4
    assert run.loss == pytest.approx(0.2)
    assert not run.holds


def test_notices_an_order_that_is_not_everybodys(chat):
    with clients_of(chat, 3) as clients:
        clients.open()
        clients.chat([0], seconds=0.1, fan_out=3, rate=100)
        assert clients.order(1) == clients.order(2)

        chat.reverse_for_last = True
        clients.chat([0], seconds=0.1, fan_out=3, rate=100)

        assert clients.order(0) == clients.order(1)
        assert clients.order(1) != clients.order(2)


def test_counts_acknowledgements_apart_from_deliveries(chat):
    with clients_of(chat, 3, Acknowledged) as clients:
        clients.open()
        run = clients.chat([0, 2], seconds=0.1, fan_out=3, rate=100)

    assert run.acked == run.sent > 0
    assert run.received == run.sent * 3
    assert 0 < run.ack_p50 <= run.ack_p99


def test_keeps_no_more_than_a_window_under_way(chat):
    with clients_of(chat, 3) as clients:
        clients.open()
        chat.faulty_towards_last = True
        run = clients.chat([0], seconds=1, fan_out=3, window=6, drain=0.1)

    # Two of three deliveries arrive, so the window of 6 messages (18 deliveries) is used up after 18 messages.
    assert run.sent == 18


def test_tells_when_everybody_has_a_metadata_value(chat):
    with clients_of(chat, 4) as clients:
        clients.open()
        complete = clients.change_metadata([0, 1], seconds=0.2, rate=50)
        chat.faulty_towards_last = True
        incomplete = clients.change_metadata([0, 1], seconds=0.2, rate=50)

    assert complete.received == complete.sent * 4
    assert complete.full_p50 >= complete.p50 > 0
    assert incomplete.full_p50 == 0


def test_counts_the_joins_that_each_peer_learned_of(chat):
    with clients_of(chat, 20, room="n") as clients:
        clients.open()
        clients.await_sightings(190, PATIENCE)
        assert clients.sightings == clients.protocol.sightings(20) == 190


def test_counts_a_join_once_although_it_is_told_twice(chat):
    chat.copies = 2
    with clients_of(chat, 20, room="n") as clients:
        clients.open()
        clients.await_sightings(190, PATIENCE)
        clients.await_sightings(191, 0.3)
        assert clients.sightings == 190


def test_misses_a_join_that_somebody_was_not_told_of(chat):
    with clients_of(chat, 20, room="n") as clients:
        clients.open(19)
        chat.faulty_towards_last = True
        clients.open()
        clients.await_sightings(189, PATIENCE)
        clients.await_sightings(190, 0.2)
        assert clients.sightings == 189


def test_asks_over_http_before_a_socket_opens(chat):
    with clients_of(chat, 3, Asking, asking=True) as clients:
        clients.open(concurrency=1)
        run = clients.chat([0], seconds=0.1, fan_out=3, rate=100)

    entered = [f"/ws?{index}-abcdefghijklmnopqrst" for index in range(3)]
    assert chat.paths == [path for index in range(3) for path in (f"/ask?{index}", entered[index])]
    assert run.received == run.sent * 3


def test_refuses_to_measure_where_what_is_asked_first_is_refused(chat):
    chat.status = 503
    with clients_of(chat, 3, Asking, asking=True) as clients, pytest.raises(JoinTimeout):
        clients.open()


def test_refuses_to_measure_without_all_peers(chat):
    class Nowhere(PlainJson):
        def port(self, index: int) -> int:
            return 1 if index == 3 else super().port(index)

    with clients_of(chat, 5, Nowhere) as clients, pytest.raises(JoinTimeout):
        clients.open()
