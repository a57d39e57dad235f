"""Coming and going without end leaves nothing behind: no memory, no live rows, no keys in Redis."""

import asyncio

import pytest

from tests.faults.test_connections import MEGABYTE, resident
from tests.support.cluster import Cluster, leave_all
from tests.support.server import RawPeer
from tests.support.services import PostgresServer, RedisServer

pytestmark = pytest.mark.soak

CYCLES = 5000
AT_ONCE = 20
WARM_UP = 500
MAY_GROW = 32 * MEGABYTE

LIVE = (
    "[Peer.objects.exclude(state='left').count(), MetadataEntry.objects.count(), Event.objects.count(), "
    "Message.objects.count(), Session.objects.filter(ended_at=None).count()]"
)


async def cycles(cluster: Cluster, rooms: list[str], count: int) -> None:
    left = iter(range(count))

    async def come_and_go() -> None:
        for number in left:
            process = cluster.processes[number % len(cluster.processes)]
            peer = RawPeer(process.ws_url, process.sign(rooms[number % len(rooms)], "guest", f"user-{number}"))
            await peer.connect()
            await peer.join("Somebody")
            await peer.call("set-metadata", key="topic", data=number)
            await peer.call("broadcast", info={"message": "hello", "type": "chat"}, client_id=str(number))
            await peer.leave()

    await asyncio.gather(*(come_and_go() for _ in range(AT_ONCE)))


async def check(cluster: Cluster) -> None:
    rooms = await asyncio.to_thread(lambda: [cluster.room() for _ in range(50)])
    await cycles(cluster, rooms, WARM_UP)
    before = [resident(process) for process in cluster.processes]
    await cycles(cluster, rooms, CYCLES)
    async with asyncio.timeout(30):
        while any(await cluster.query(LIVE)):
            await asyncio.sleep(0.5)
    grown = [resident(process) - size for process, size in zip(cluster.processes, before, strict=True)]
    print(f"grown by {[round(size / MEGABYTE, 1) for size in grown]} MB in {CYCLES} cycles")
    assert max(grown) < MAY_GROW


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_cycles_leave_nothing_in_one_process(kind: str):
    with Cluster(1, server=kind) as cluster:
        await check(cluster)


async def test_cycles_leave_nothing_in_two_processes(postgres: PostgresServer, redis: RedisServer):
    url = postgres.create_database()
    with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url) as cluster:
        room = await asyncio.to_thread(cluster.room)
        peers = [await cluster.peer(room, "alice"), await cluster.peer(room, "bob", at=cluster.last)]
        keys = redis.keys()
        assert keys
        await leave_all(peers)
        await check(cluster)
        peers = [await cluster.peer(room, "alice"), await cluster.peer(room, "bob", at=cluster.last)]
        assert redis.keys() == keys
        await leave_all(peers)
