"""Redis and PostgreSQL go away and come back."""

import asyncio
import os
import signal
from typing import Any

import psycopg
import pytest

from tests.faults.client import Client
from tests.support.cluster import Cluster, leave_all
from tests.support.processes import PATIENCE
from tests.support.sampling import sampled
from tests.support.server import RpcError
from tests.support.services import PostgresServer, RedisServer
from tests.support.sockets import chat, heard, values

pytestmark = pytest.mark.faults


@pytest.fixture
def own_redis():
    with RedisServer() as server:
        yield server


@pytest.fixture
def own_postgres():
    with PostgresServer() as server:
        yield server


@pytest.mark.parametrize("seconds", sampled([3, 10], [3]))
async def test_i21_redis_is_away_for_seconds_and_comes_back_empty(
    postgres: PostgresServer, own_redis: RedisServer, seconds: int
):
    url = postgres.create_database()
    with Cluster(2, server="uvicorn", database_url=url, redis_url=own_redis.url) as cluster:
        room, later_room = cluster.room(), cluster.room()
        peers = await cluster.peers(room, 6)
        for peer in peers:
            await peer.call("listen-metadata-change", keys=["k"])
        await chat(peers[0], "before")

        await asyncio.to_thread(own_redis.kill)
        for count in range(seconds):
            sending = [chat(peer, f"during/{count}/{number}") for number, peer in enumerate(peers)]
            await asyncio.gather(*sending, asyncio.sleep(1))
            await peers[count % 6].call("set-metadata", key="k", data=count)
        # A room that was entered meanwhile must be heard of afterwards too.
        late = await cluster.peers(later_room, 2)
        await asyncio.to_thread(own_redis.start)
        await chat(peers[5], "after")
        await peers[1].call("set-metadata", key="k", data="last")

        for number, peer in enumerate(peers):
            expected = {f"during/{count}/{other}" for count in range(seconds) for other in range(6) if other != number}
            expected |= {"before"} if number != 0 else set()
            expected |= {"after"} if number != 5 else set()
            await peer.until(lambda peer=peer, expected=expected: set(heard(peer)) == expected)
            await peer.until(lambda peer=peer: values(peer, "k")[-1:] == [(seconds + 1, "last")])
            assert len(heard(peer)) == len(expected)
            numbers = [event["seq"] for event in peer.events if "seq" in event]
            assert numbers == sorted(set(numbers))
            assert [version for version, _ in values(peer, "k")] == list(range(1, seconds + 2))
            assert not peer.named("on-peer-leave")
        await chat(late[0], "hello")
        await late[1].wait_for("on-broadcast")
        for process in cluster.processes:
            assert process.request("GET", "/readyz").status == 200
        await leave_all([*peers, *late])


async def test_a_room_entered_while_redis_is_away_is_heard_of_when_it_is_back(
    postgres: PostgresServer, own_redis: RedisServer
):
    url = postgres.create_database()
    # Without the look at the database every few seconds, only the channel layer tells.
    with Cluster(
        2, server="uvicorn", database_url=url, redis_url=own_redis.url, POSITION_CHECK_INTERVAL=3600
    ) as cluster:
        room = cluster.room()
        await asyncio.to_thread(own_redis.kill)
        alice, bob = await cluster.peers(room, 2)
        await asyncio.to_thread(own_redis.start)

        async with asyncio.timeout(PATIENCE):
            while not heard(bob):
                await chat(alice, "do you hear me?")
                await asyncio.sleep(0.2)
        await leave_all([alice, bob])


async def test_a_redis_that_hangs_delays_nobody(postgres: PostgresServer, own_redis: RedisServer):
    url = postgres.create_database()
    with Cluster(2, server="uvicorn", database_url=url, redis_url=own_redis.url) as cluster:
        room = cluster.room()
        peers = await cluster.peers(room, 4)
        os.kill(own_redis.pid, signal.SIGSTOP)
        try:
            for count in range(20):
                await asyncio.gather(*(chat(peer, f"{count}/{number}") for number, peer in enumerate(peers)))
            newcomer = await cluster.peer(room, "newcomer", at=cluster.last)
            await chat(newcomer, "hello")
            for peer in peers:
                await peer.until(lambda peer=peer: len(heard(peer)) == 61)
        finally:
            os.kill(own_redis.pid, signal.SIGCONT)
        await chat(newcomer, "again")
        for peer in peers:
            await peer.until(lambda peer=peer: len(heard(peer)) == 62)
        await leave_all([*peers, newcomer])


async def test_a_redis_that_hangs_holds_up_its_own_rooms_alone(
    postgres: PostgresServer, redis: RedisServer, own_redis: RedisServer
):
    url, urls = postgres.create_database(), f"{own_redis.url}, {redis.url}"
    with Cluster(2, server="uvicorn", database_url=url, redis_url=urls, POSITION_CHECK_INTERVAL=3600) as cluster:
        pairs = [await cluster.peers(cluster.room(), 2) for _ in range(12)]
        for near, far in pairs:
            await chat(near, "before")
            await far.until(lambda far=far: heard(far) == ["before"])
        os.kill(own_redis.pid, signal.SIGSTOP)
        try:
            for near, _ in pairs:
                await chat(near, "meanwhile")
            told: list[bool] = []
            async with asyncio.timeout(PATIENCE):
                while not any(told):
                    await asyncio.sleep(1)
                    told = [heard(far) == ["before", "meanwhile"] for _, far in pairs]
        finally:
            os.kill(own_redis.pid, signal.SIGCONT)
        assert not all(told)
        for _, far in pairs:
            await far.until(lambda far=far: heard(far) == ["before", "meanwhile"])
        await leave_all([peer for pair in pairs for peer in pair])


async def test_i10_i19_postgres_restarts_and_no_session_ends(own_postgres: PostgresServer, redis: RedisServer):
    url = own_postgres.create_database()
    with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url, LEASE_TTL=2, PEER_GRACE=10) as cluster:
        room = cluster.room()
        clients = [Client(cluster.processes, room, f"client-{n}", keys=["k"], seed=n) for n in range(8)]
        for client in clients:
            await client.until(client.joined.is_set)
        await clients[0].call("set-metadata", key="k", data="kept")
        session_id = clients[0].session_id
        away = clients.pop()
        await away.cut()
        await away.stop()

        await asyncio.to_thread(own_postgres.kill)
        watcher = clients[1].socket
        assert watcher
        with pytest.raises(RpcError) as refusal:
            await watcher.call("set-metadata", key="k", data="never")
        assert refusal.value.code == 503
        assert "timestamp" in await watcher.call("ping")
        assert cluster.first.request("GET", "/healthz").status == 200
        assert cluster.first.request("GET", "/readyz").status == 503
        saying = [asyncio.create_task(client.say(f"over the gap/{client.user}")) for client in clients]
        await asyncio.sleep(12)  # longer than the lease and the grace; the processes come back seconds apart
        await asyncio.to_thread(own_postgres.start)

        await asyncio.gather(*saying)
        for client in clients:
            await client.until(lambda client=client: len(client.heard()) == len(clients) - 1)
            assert client.wrong == []
            assert client.connections == 1
            assert client.session_id == session_id
            assert client.values["k"] == (1, "kept")
        # Everybody has been given the time to come back; who did not is gone once.
        left = [m["params"]["peer_id"] for m in clients[0].numbers.values() if m["method"] == "on-peer-leave"]
        assert left == []
        await clients[0].until(lambda: away.peer_id not in clients[0].peers)
        left = [m["params"]["peer_id"] for m in clients[0].numbers.values() if m["method"] == "on-peer-leave"]
        assert left == [away.peer_id]
        for process in cluster.processes:
            assert process.request("GET", "/readyz").status == 200
        await asyncio.gather(*(client.leave() for client in clients))


async def test_i30_connections_stay_within_the_pool_and_are_given_back(postgres: PostgresServer, redis: RedisServer):
    url = postgres.create_database()
    with Cluster(1, server="uvicorn", database_url=url, redis_url=redis.url, DATABASE_POOL=6) as cluster:
        name = url.rpartition("/")[2]
        rooms = [cluster.room() for _ in range(20)]
        peers = [peer for room in rooms for peer in await cluster.peers(room, 5)]
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, await asyncio.to_thread(connections, postgres, name))
                await asyncio.sleep(0.05)

        watching = asyncio.create_task(watch())
        token = cluster.first.sign(rooms[0])
        for _ in range(4):
            inits = [
                asyncio.to_thread(cluster.first.request, "GET", "/init?peer_id=p", Authorization=f"Bearer {token}")
                for _ in range(20)
            ]
            calls = [peer.call("set-metadata", key="k", data=1) for peer in peers]
            answers: list[Any] = await asyncio.gather(*inits, *calls)
            assert [answer.status for answer in answers[:20]] == [200] * 20
        watching.cancel()
        assert 1 <= most <= 6
        await leave_all(peers)
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(busy, postgres, name):
                await asyncio.sleep(0.1)


def connections(postgres: PostgresServer, database: str) -> int:
    return _count(postgres, "datname = %s", database)


def busy(postgres: PostgresServer, database: str) -> int:
    return _count(postgres, "datname = %s AND state <> 'idle'", database)


def _count(postgres: PostgresServer, condition: str, database: str) -> int:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        row = connection.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {condition}", [database]).fetchone()
        assert row
        return row[0]
