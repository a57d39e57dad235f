"""``/healthz``, ``/readyz`` and ``/metrics``: of real servers, and that each metric moves."""

import asyncio
import re
import socket
import sqlite3
from contextlib import closing
from ipaddress import ip_network
from typing import Any

import pytest
from prometheus_client import REGISTRY

from rooms.delivery.feed import Feed
from rooms.delivery.order import Arrival, Missed
from rooms.delivery.roster import Member
from rooms.sockets.outbox import AsgiOutbox
from rooms.wire.close_codes import TOO_SLOW
from rooms.wire.events import NOBODY, Numbered
from tests.support.back_end import back_end
from tests.support.processes import PATIENCE
from tests.support.server import RawPeer, RpcError, RunningServer
from tests.support.services import PostgresServer, RedisServer

SERVERS = ["daphne", "uvicorn"]


def measured(server: RunningServer) -> dict[str, float]:
    """Every sample of /metrics by name and labels, as in ``hmsroom_refusals_total{code="403"}``."""
    text = server.request("GET", "/metrics").body.decode()
    return {name: float(value) for name, value in re.findall(r"^(hmsroom_\S+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)}


async def until(server: RunningServer, **wanted: float) -> None:
    """Return when these gauges have these values."""
    async with asyncio.timeout(PATIENCE):
        while {name: measured(server)[f"hmsroom_{name}"] for name in wanted} != wanted:
            await asyncio.sleep(0.02)


@pytest.mark.faults
@pytest.mark.parametrize("kind", SERVERS)
async def test_gauges_follow_sockets_peers_and_rooms(kind):
    with RunningServer(server=kind) as server:
        tea, coffee = server.room("tea"), server.room("coffee")
        await until(server, sockets=0, peers=0, rooms=0)
        alice = await server.peer(server.sign(tea, user="alice"))
        bob = await server.peer(server.sign(tea, user="bob"))
        carol = await server.peer(server.sign(coffee, user="carol"))
        looker = RawPeer(server.ws_url, server.sign(coffee, user="dora"))
        await looker.connect()
        await until(server, sockets=4, peers=3, rooms=2)

        await alice.leave()
        await carol.drop()
        await looker.close()
        await until(server, sockets=1, peers=1, rooms=1)

        again = RawPeer(server.ws_url, bob.token, peer_id=bob.peer_id)
        await again.connect()
        await again.join()
        assert await bob.wait_closed() == 4002
        await until(server, sockets=1, peers=1, rooms=1)
        await again.drop()
        await until(server, sockets=0, peers=0, rooms=0)
        assert 0 <= measured(server)["hmsroom_lease_age_seconds"] < 15


@pytest.mark.faults
async def test_counters_count_events_operations_refusals_and_reaped_peers():
    with RunningServer(PEER_GRACE=0.2, REAPER_INTERVAL=0.1) as server:
        room = server.room("tea")
        alice = await server.peer(server.sign(room, "host", "alice"))
        vera = await server.peer(server.sign(room, "viewer", "vera"))
        before = measured(server)

        for _ in range(3):
            await alice.call("broadcast", info={"message": "hello", "type": "chat"})
        with pytest.raises(RpcError):
            await vera.call("broadcast", info={"message": "hello", "type": "chat"})
        await vera.drop()
        await alice.wait_for("on-peer-leave")
        stranger = RawPeer(server.ws_url, "no token")
        await stranger.connect()
        await stranger.wait_closed()
        after = measured(server)

    def grown(name: str) -> float:
        return after.get(f"hmsroom_{name}", 0) - before.get(f"hmsroom_{name}", 0)

    assert grown("events_total") == 5  # three messages, a lost connection, a departure
    assert grown('operation_seconds_count{operation="broadcast"}') == 4
    assert grown('operation_seconds_sum{operation="broadcast"}') > 0
    buckets = [
        grown(f'operation_seconds_bucket{{le="{bound}",operation="broadcast"}}') for bound in ("0.001", "5.0", "+Inf")
    ]
    assert buckets == sorted(buckets) and buckets[-1] == 4
    assert grown('refusals_total{code="403"}') == 1
    assert grown('refusals_total{code="401"}') == 1
    assert grown("reaped_peers_total") == 1


@pytest.mark.faults
@pytest.mark.parametrize("kind", SERVERS)
async def test_a_reader_that_is_given_up_is_counted(kind):
    with RunningServer(server=kind, MAX_UNSENT_BYTES=65_536, RATE_LIMIT=0) as server:
        room = server.room("tea")
        alice = await server.peer(server.sign(room, "host", "alice"))
        sleeper = await server.peer(server.sign(room, "guest", "bob"))
        sleeper.socket.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sleeper.socket.transport.pause_reading()

        async with asyncio.timeout(PATIENCE):
            while measured(server).get('hmsroom_outbox_closes_total{limit="bytes"}', 0) == 0:
                for _ in range(200):
                    await alice.call("broadcast", info={"message": "x" * 4000, "type": "chat"})


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(f"hmsroom_{name}_total") or 0


async def test_a_gap_that_is_read_from_the_journal_is_counted():
    async def fetch(session_id: str, after: int, until: int, history: str) -> Missed:
        events = [Numbered(seq, "on-broadcast", "{}", NOBODY) for seq in range(after + 1, until + 1)]
        return Missed(events, history)

    feed = Feed("room", fetch)
    feed.order.session_id, before = "session", counted("gap_repairs")

    feed.arrive(Arrival("session", 3, [Numbered(3, "on-broadcast", "{}", NOBODY)]))
    feed.advance()
    while feed.order.seq < 3:
        await asyncio.sleep(0.01)

    assert counted("gap_repairs") == before + 1


async def test_sockets_whose_place_is_lost_are_counted():
    async def fetch(session_id: str, after: int, until: int, history: str) -> None:
        return None

    async def send(message: dict[str, Any]) -> None:
        pass

    feed = Feed("room", fetch)
    feed.order.session_id, before = "session", counted("resyncs")
    closed: list[int | None] = []
    outbox = AsgiOutbox(send, lambda: None)
    feed.roster.members["a"] = Member("a", "conn", "guest", frozenset(), False, outbox, closed.append)

    feed.compare(7)
    while feed.order.session_id:
        await asyncio.sleep(0.01)

    assert counted("resyncs") == before + 1
    assert closed == [TOO_SLOW]


# --- Readiness ----------------------------------------------------------------------------------


@pytest.mark.faults
@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_runs_is_healthy_and_ready(kind):
    with RunningServer(server=kind) as server:
        assert server.request("GET", "/healthz").body == b"ok"
        ready = server.request("GET", "/readyz")
        assert (ready.status, ready.json()) == (200, {"database": True, "lease": True, "open": True})


@pytest.mark.faults
async def test_a_database_that_is_away_makes_a_server_unready_and_is_counted(redis: RedisServer):
    with PostgresServer() as postgres:
        database = postgres.create_database()
        with RunningServer(
            server="uvicorn", database_url=database, redis_url=redis.url, LEASE_TTL=3, HEARTBEAT_INTERVAL=1
        ) as server:
            alice = await server.peer(server.sign(server.room("tea"), "host"))
            await asyncio.to_thread(postgres.terminate)

            ready = await asyncio.to_thread(server.request, "GET", "/readyz")
            assert (ready.status, ready.json()["database"]) == (503, False)
            assert server.request("GET", "/healthz").status == 200
            with pytest.raises(RpcError) as refused:
                await alice.call("set-metadata", key="topic", data="tea")
            assert refused.value.code == 503
            assert measured(server)["hmsroom_database_failures_total"] > 0
            async with asyncio.timeout(PATIENCE):
                while server.request("GET", "/readyz").json()["lease"]:
                    await asyncio.sleep(0.1)

            await asyncio.to_thread(postgres.start)
            async with asyncio.timeout(PATIENCE):
                while server.request("GET", "/readyz").status != 200:
                    await asyncio.sleep(0.1)
            assert (await alice.call("set-metadata", key="topic", data="tea"))["change_version"] == 1
            assert alice.open


@pytest.mark.faults
async def test_publications_that_redis_does_not_take_are_counted(postgres: PostgresServer):
    database = postgres.create_database()
    with (
        RedisServer() as redis,
        RunningServer(server="uvicorn", database_url=database, redis_url=redis.url) as server,
    ):
        alice = await server.peer(server.sign(server.room("tea"), "host"))
        await asyncio.to_thread(redis.terminate)

        await alice.call("set-metadata", key="topic", data="tea")

        async with asyncio.timeout(PATIENCE):
            while measured(server)["hmsroom_doorbell_failures_total"] == 0:
                await asyncio.sleep(0.1)
        assert alice.open


@pytest.mark.faults
def test_probes_are_answered_whatever_the_server_is_called():
    with RunningServer(ALLOWED_HOSTS="rooms.example.org,127.0.0.1") as server:
        assert server.request("GET", "/healthz", Host="10.1.2.3:8000").status == 200
        assert server.request("GET", "/readyz", Host="10.1.2.3:8000").status == 200
        assert server.request("GET", "/", Host="10.1.2.3:8000").status == 400


# --- Who may read metrics -----------------------------------------------------------------------


HERE = "127.0.0.1:8000"


@pytest.mark.faults
async def test_what_nobody_waits_for_any_more_is_not_done():
    with RunningServer(REST_RATE=0) as server, closing(sqlite3.connect(server.database)) as locking:
        locking.execute("BEGIN IMMEDIATE")
        async with back_end(server) as rest:
            waiting = [asyncio.ensure_future(rest.post("rooms", json={"name": f"room-{n}"})) for n in range(80)]
            await asyncio.sleep(2)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for _ in range(2):  # by then the server has met that they are gone
            assert (await asyncio.to_thread(server.request, "GET", "/healthz")).status == 200
        locking.rollback()
        async with back_end(server) as rest:
            assert (await rest.post("rooms", json={"name": "last"})).status_code == 200
        [[made]] = server.select("SELECT count(*) FROM rooms_room WHERE name LIKE 'room-%'")
        assert made <= 32  # those that had begun


@pytest.mark.faults
async def test_probes_and_who_only_asks_are_answered_while_all_others_wait_for_the_database():
    with RunningServer(REST_RATE=0) as server, closing(sqlite3.connect(server.database)) as locking:
        token = server.sign(server.room("tea"))
        locking.execute("BEGIN IMMEDIATE")
        async with back_end(server) as rest:
            waiting = [asyncio.ensure_future(rest.post("rooms", json={"name": f"room-{n}"})) for n in range(50)]
            await asyncio.sleep(0.5)
            probe = await asyncio.to_thread(server.request, "GET", "/healthz")
            init = await asyncio.to_thread(server.request, "GET", "/init?peer_id=a", Authorization=f"Bearer {token}")
            assert (probe.status, init.status) == (200, 200)
            assert not any(task.done() for task in waiting)
            locking.rollback()
            assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("127.0.0.1", HERE, 200),
        ("::1", "localhost:8000", 200),
        ("10.0.0.9", HERE, 403),
        ("127.0.0.1", "rebound.example", 403),
    ],
)
def test_metrics_are_for_loopback(client, settings, address, host, status):
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    assert client.get("/metrics", REMOTE_ADDR=address, headers={"Host": host}).status_code == status


def test_metrics_are_not_for_whom_a_proxy_of_this_machine_speaks(client):
    answer = client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={"Host": HERE, "X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == 403


@pytest.mark.parametrize("header", ["Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto"])
def test_metrics_are_not_for_what_was_passed_on(client, header):
    answer = client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={"Host": HERE, header: "x"})
    assert answer.status_code == 403


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_metrics_are_not_for_a_trusted_proxy_of_this_machine(client, settings, address):
    headers = {"Host": "127.0.0.1:8000"}
    assert client.get("/metrics", REMOTE_ADDR=address, headers=headers).status_code == 200
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.0/8"), ip_network("::1")]
    assert client.get("/metrics", REMOTE_ADDR=address, headers=headers).status_code == 403


@pytest.mark.parametrize(("token", "status"), [("right", 200), ("wrong", 403), ("", 403)])
def test_metrics_are_for_the_holder_of_the_token(client, settings, token, status):
    settings.METRICS_TOKEN = "right"
    answer = client.get("/metrics", REMOTE_ADDR="10.0.0.9", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


def test_without_a_metrics_token_none_opens_them(client):
    answer = client.get("/metrics", REMOTE_ADDR="10.0.0.9", headers={"Authorization": "Bearer "})
    assert answer.status_code == 403
