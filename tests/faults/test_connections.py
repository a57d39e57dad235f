"""Clients that fall silent, do not read, flood, or break the rules."""

import asyncio
import json
import re
import socket
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from rooms.access.tokens import LEEWAY
from tests.support.cluster import ENTERING, Cluster, again, leave_all
from tests.support.processes import PATIENCE
from tests.support.proxy import Proxy
from tests.support.sampling import sampled
from tests.support.server import RawPeer, RunningServer
from tests.support.sockets import chat, heard
from tests.test_consumers import BAD_FRAMES

pytestmark = pytest.mark.faults

MEGABYTE = 1024 * 1024


def resident(server: RunningServer) -> int:
    """Bytes of memory that a process holds."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


async def metric(server: RunningServer, name: str) -> float:
    """The sum of a metric over its labels."""
    text = (await asyncio.to_thread(server.request, "GET", "/metrics")).body.decode()
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


# --- Silence ------------------------------------------------------------------------------------


async def _falls_silent(kind: str, slack: float) -> None:
    cluster = Cluster(1, server=kind, PEER_GRACE=1)
    await asyncio.to_thread(cluster.__enter__)
    try:
        room = await asyncio.to_thread(cluster.room)
        alice = await cluster.peer(room, "alice")
        async with Proxy(cluster.first.port) as proxy:
            bob = RawPeer(f"ws://127.0.0.1:{proxy.port}/v2/ws", cluster.first.sign(room, user="bob"))
            await bob.connect()
            await bob.join("Bob")
            await alice.wait_for("on-peer-join")
            proxy.stall()
            lost = await alice.wait_for("on-peer-state", timeout=20 + slack)
            left = await alice.wait_for("on-peer-leave", timeout=1 + 5 + slack)

            assert lost["params"]["state"] == "reconnecting"
            assert left["params"] == {"peer_id": bob.peer_id, "role": "guest", "reason": "websocket closed"}
            carol = await cluster.peer(room, "carol")
            assert carol.named("peer-list")[0]["peers"].keys() == {alice.peer_id}
            assert len(alice.named("on-peer-leave")) == 1
            await leave_all([alice, carol])
    finally:
        await asyncio.to_thread(cluster.__exit__)


async def test_i09_a1_a_half_open_connection_is_found_and_its_peer_goes_once(slack: float):
    await asyncio.gather(_falls_silent("daphne", slack), _falls_silent("uvicorn", slack))


async def test_a3_a_session_that_everybody_lost_ends_within_the_grace_and_five_seconds(slack: float):
    grace = 2
    with RunningServer(PEER_GRACE=grace) as server:
        room = server.room("tea")
        peers = [await server.peer(server.sign(room, user=f"user-{n}")) for n in range(5)]
        await peers[0].call("set-metadata", key="k", data="kept")
        live = "SELECT count(*) FROM rooms_session WHERE ended_at IS NULL"
        left = "SELECT (SELECT count(*) FROM rooms_metadataentry) + (SELECT count(*) FROM rooms_event)"
        await asyncio.gather(*(peer.drop() for peer in peers))
        assert server.select(live) == [(1,)]
        async with asyncio.timeout(grace + 5 + slack):
            while server.select(live) != [(0,)]:
                await asyncio.sleep(0.05)
        assert server.select(left) == [(0,)]


# --- Not reading --------------------------------------------------------------------------------


class Handset:
    """A WebSocket client that reads only when it is told to, with next to no room for what it has not read."""

    def __init__(self, port: int, query: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(
            f"GET /v2/ws?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert b"101" in self._socket.recv(12)

    def say(self, text: str) -> bool:
        """Send a frame without waiting; whether the connection still is."""
        payload = text.encode()
        assert len(payload) < 126
        frame = bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload
        try:
            return bool(self._socket.send(frame, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def read(self) -> bytes:
        """All that came until the connection ended."""
        self._socket.settimeout(30)
        got = b""
        try:
            while data := self._socket.recv(65536):
                got += data
        except ConnectionResetError:
            pass
        return got

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize(
    ("kind", "fast_path", "talks"),
    sampled(
        product(["daphne", "uvicorn"], ["on", "off"], [False, True]),
        [("daphne", "on", False), ("daphne", "off", True), ("uvicorn", "on", True), ("uvicorn", "off", False)],
    ),
)
async def test_i26_a_client_that_does_not_read_is_closed_and_delays_nobody(kind: str, fast_path: str, talks: bool):
    with Cluster(1, server=kind, FAST_PATH=fast_path, MAX_MESSAGE_CHARS=20_000, PEER_GRACE=120) as cluster:
        room = cluster.room()
        alice, carol = await cluster.peer(room, "alice"), await cluster.peer(room, "carol")
        token = cluster.first.sign(room, user="bob")
        bob = Handset(cluster.first.port, f"peer=bob-1&token={token}")
        bob.say('{"method":"join","params":{"name":"Bob"}}')
        await alice.until(lambda: len(alice.named("on-peer-join")) == 2)
        place = await alice.call("ping")
        session_id = alice.named("peer-list")[0]["room"]["session_id"]
        before = resident(cluster.first)

        sent = most = 0
        while not alice.named("on-peer-state") and sent < 3000:
            await asyncio.gather(*(chat(alice, f"{sent + n:05}" + "x" * 16_000) for n in range(10)))
            sent += 10
            if talks:
                bob.say('{"method":"get-metadata","id":1,"params":{"key":"k"}}')
            most = max(most, resident(cluster.first) - before)
        lost = await alice.wait_for("on-peer-state")
        await carol.until(lambda: len(heard(carol)) == sent)

        assert (lost["params"]["peer_id"], lost["params"]["state"]) == ("bob-1", "reconnecting")
        assert most < 64 * MEGABYTE
        # What daphne holds back itself cannot be seen the ASGI way: there the unanswered pings end the connection.
        seen = 0 if (kind, fast_path) == ("daphne", "off") else 1
        assert await metric(cluster.first, "hmsroom_outbox_closes_total") == seen
        assert not alice.named("on-peer-leave")
        bob.close()

        back = RawPeer(cluster.first.ws_url, token, peer_id="bob-1")
        answer = await back.resume({"session_id": session_id, "seq": place["seq"]})
        await chat(alice, "after")
        await back.until(lambda: heard(back)[-1:] == ["after"])
        # More than a socket may be sent at once is not replayed.
        resumed = sent * 16_000 <= MEGABYTE
        assert ("resumed" in answer, "resync" in answer) == (resumed, not resumed)
        missed = [f"{number:05}" for number in range(sent)] if resumed else []
        assert [text[:5] for text in heard(back)] == [*missed, "after"]
        await leave_all([alice, carol, back])


async def test_i22_what_fits_is_replayed_and_what_does_not_is_a_resync(cluster: Cluster):
    room = cluster.room()
    alice, bob = await cluster.peer(room, "alice"), await cluster.peer(room, "bob")
    session_id = bob.named("peer-list")[0]["room"]["session_id"]
    for count, outcome in ((200, "resumed"), (400, "resync")):
        place = await bob.call("ping")
        await bob.drop()
        await asyncio.gather(*(chat(alice, f"{number:03}" + "x" * 3900) for number in range(count)))
        bob = RawPeer(bob.ws_url, bob.token, peer_id=bob.peer_id)
        answer = await bob.resume({"session_id": session_id, "seq": place["seq"]})
        await chat(alice, "after")
        await bob.until(lambda bob=bob: heard(bob)[-1:] == ["after"])
        assert outcome in answer
        replayed = [f"{number:03}" for number in range(count)] if outcome == "resumed" else []
        assert [text[:3] for text in heard(bob)] == [*replayed, "aft"]
    await leave_all([alice, bob])


async def _push(peer: RawPeer, frame: str) -> None:
    try:
        await peer.send(frame)
    except ConnectionClosed:
        pass  # that is what it is about


# --- Floods -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
@pytest.mark.parametrize(
    ("frame", "closes"),
    [
        ({"id": "f", "method": "broadcast", "params": {"info": {"message": "flood " * 100}}}, True),
        ({"id": "f", "method": "ping", "params": {"timestamp": 1}}, True),
        ({"method": "track-update", "params": {"tracks": {}}}, True),
        ("{" * 1000, True),
        (b"\x00" * 1000, True),
    ],
    ids=["messages", "pings", "ignored", "no JSON", "binary"],
)
async def test_i28_a_flood_costs_bounded_memory_and_delays_nobody(
    frame: Any, closes: bool, kind: str, floodable: dict[str, Cluster]
):
    cluster = floodable[kind]
    room = cluster.room()
    alice, bob = await cluster.peer(room, "alice"), await cluster.peer(room, "bob")
    before = resident(cluster.first)
    data = json.dumps(frame) if isinstance(frame, dict) else frame

    async def flood() -> None:
        for _ in range(20_000):
            await bob.send(data)

    flooding = asyncio.create_task(flood())
    while not flooding.done():
        await alice.call("ping")
        await asyncio.sleep(0.03)  # or it is a flood, too
    if closes:
        # Whoever is cut while still sending may not get to read why.
        assert await bob.wait_closed() in (4029, 1006)
    else:
        await bob.call("ping")
        await bob.close()
    await asyncio.gather(flooding, return_exceptions=True)
    assert resident(cluster.first) - before < 64 * MEGABYTE
    assert len(heard(alice)) < 100
    assert (await chat(alice, "calm"))["seq"]
    await leave_all([alice])


@pytest.fixture(scope="module")
def floodable():
    """Servers that limit rates."""
    with Cluster(1, server="daphne", RATE_LIMIT=10) as daphne, Cluster(1, server="uvicorn", RATE_LIMIT=10) as uvicorn:
        yield {"daphne": daphne, "uvicorn": uvicorn}


@pytest.mark.matrix
async def test_i29_a15_a_bad_frame_is_refused_and_its_socket_stays(cluster: Cluster):
    room = cluster.room()
    alice, bob = await cluster.peer(room, "alice"), await cluster.peer(room, "bob", at=cluster.last)
    await bob.call("listen-metadata-change", keys=["default"])
    place = await alice.call("ping")
    for frame in BAD_FRAMES:
        before = len(alice.events)
        await alice.send(frame)
        answer = await alice.wait_for(lambda event: "error" in event, after=before)
        assert answer["error"]["code"] in (400, 404), frame
    assert (await alice.call("ping"))["seq"] == place["seq"]
    await chat(alice, "still here")
    await bob.wait_for("on-broadcast")
    assert not bob.named("on-metadata-change") + bob.named("on-peer-state") + bob.named("on-peer-leave")
    await leave_all([alice, bob])


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_i29_a_frame_that_is_too_long_closes_its_socket_alone(floodable: dict[str, Cluster], kind: str):
    cluster = floodable[kind]
    room = cluster.room()
    alice, bob = await cluster.peer(room, "alice"), await cluster.peer(room, "bob")

    await bob.send(json.dumps({"method": "ping", "id": "x", "params": {"x": "x" * 70_000}}))
    refusal = await bob.wait_for(lambda event: "error" in event)
    assert refusal["error"] == {"code": 400, "message": "frame: longer than 65536 bytes"}
    for size in (200_000, 2_000_000):
        await _push(bob, "x" * size)
        # A code may be lost when the rest of the frame is still on its way.
        assert await bob.wait_closed() in (1009, 1006)
        bob = await again(bob)
        await bob.wait_for("peer-list")
    await chat(bob, "here")
    await alice.wait_for("on-broadcast")
    assert not alice.named("on-peer-leave")
    await leave_all([alice, bob])


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_i28_an_address_opens_so_many_sockets_and_no_more(kind: str):
    with Cluster(1, server=kind, CONNECT_RATE=0.01, CONNECT_BURST=20) as cluster:
        token = cluster.first.sign(cluster.room())
        sockets = [RawPeer(cluster.first.ws_url, token) for _ in range(30)]
        outcomes = await asyncio.gather(*(socket.connect() for socket in sockets), return_exceptions=True)
        refused = [outcome for outcome in outcomes if outcome is not None]
        assert len(refused) == 10
        assert cluster.first.request("GET", "/readyz").status == 200
        await asyncio.gather(
            *(socket.close() for socket, outcome in zip(sockets, outcomes, strict=True) if outcome is None)
        )


PING = b"\x89\x04"


async def test_who_says_something_need_not_be_pinged():
    cluster = Cluster(1, server="uvicorn")
    await asyncio.to_thread(cluster.__enter__)
    try:
        tokens = [cluster.first.sign(await asyncio.to_thread(cluster.room), user=user) for user in ("a", "b")]
        (reader, writer), (silent, _) = [await _open(cluster.first, token) for token in tokens]
        pinged = asyncio.create_task(silent.readuntil(PING))
        while not pinged.done():
            writer.write(_masked('{"method":"ping","id":1,"params":{}}'))
            await asyncio.wait([pinged], timeout=0.5)
        writer.write(_masked('{"method":"ping","id":"last","params":{}}'))
        assert PING not in await reader.readuntil(b'"id":"last"')
    finally:
        await asyncio.to_thread(cluster.__exit__, None, None, None)


# --- Tokens -------------------------------------------------------------------------------------


@pytest.mark.matrix
async def test_i32_a_client_that_ignores_the_end_of_its_token_is_cut_off(cluster: Cluster):
    room = cluster.room()
    alice = await cluster.peer(room, "alice")
    token = cluster.first.sign(room, user="bob", exp=int(time.time()) + ENTERING - LEEWAY)
    reader, writer = await _open(cluster.first, token)
    writer.write(_masked('{"method":"join","id":1,"params":{"name":"Bob"}}'))
    await alice.wait_for("on-peer-join")

    got = bytearray()

    async def read() -> None:
        while data := await reader.read(65536):
            got.extend(data)

    async def go_on() -> None:
        while True:
            writer.write(_masked('{"method":"broadcast","params":{"info":{"message":"still here"}}}'))
            await writer.drain()
            await asyncio.sleep(0.05)

    tasks = asyncio.create_task(read()), asyncio.create_task(go_on())
    await alice.wait_for("on-peer-state")
    # The server has cut it off, so both end by themselves.
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), PATIENCE)
    assert b'"code":401' in got
    count = len(heard(alice))
    assert count > 0
    await chat(alice, "gone?")
    await alice.call("ping")
    assert len(heard(alice)) == count
    writer.close()
    await leave_all([alice])


async def _open(server: RunningServer, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket whose frames are read and written by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        f"GET /v2/ws?peer=bob-1&token={token} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def _masked(text: str) -> bytes:
    payload = text.encode()
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


@pytest.mark.matrix
async def test_i32_no_token_stands_in_the_log(cluster: Cluster):
    room = cluster.room()
    tokens = [cluster.first.sign(room, user=f"user-{n}") for n in range(3)]
    peer = await cluster.first.peer(tokens[0])
    cluster.first.request("GET", f"/init?peer_id=p&token={tokens[1]}", Authorization=f"Bearer {tokens[1]}")
    cluster.first.request("GET", f"/nowhere?token={tokens[1]}")
    cluster.first.request("POST", "/v2/token", json.dumps({"code": tokens[2], "token": tokens[2]}))
    foreign = RawPeer(cluster.first.ws_url, tokens[2], origin="https://evil.example")
    with pytest.raises(Exception, match="403"):
        await foreign.connect()
    bad = RawPeer(cluster.first.ws_url, tokens[2][:-3] + "xxx")
    await bad.connect()
    await bad.wait_closed()
    await peer.leave()

    log = "".join(process.log() for process in cluster.processes)
    assert "evil.example" in log
    for token in tokens:
        assert token.split(".")[1] not in log
