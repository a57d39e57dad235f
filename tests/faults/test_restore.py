"""A copy of the database is put back, or PostgreSQL starts anew, under clients that know the protocol."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.faults.client import Client
from tests.support.cluster import Cluster
from tests.support.services import PostgresServer, RedisServer

pytestmark = pytest.mark.faults

SOON = 10
"""Seconds in which all have what the server has."""

VALUES = (
    "{e.key: [e.change_version, json.loads(e.data)] for e in "
    "MetadataEntry.objects.filter(session__room_id=room, session__ended_at=None, key='k')}"
)


async def enter(cluster: Cluster, room: str, *users: str) -> list[Client]:
    clients = [Client(cluster.processes, room, user, role="host", keys=["k"], seed=n) for n, user in enumerate(users)]
    for client in clients:
        await client.until(client.joined.is_set)
    return clients


async def write(clients: Sequence[Client], what: str, *, soon: float) -> None:
    """Messages and values of everybody, which everybody has got."""
    for client in clients:
        await client.say(f"{what} of {client.user}")
    entry = await clients[-1].call("set-metadata", key="k", data=what)
    for client in clients:
        await client.until(
            lambda client=client: client.values.get("k") == (entry["change_version"], what), timeout=soon
        )


async def all_agree(cluster: Cluster, room: str, clients: Sequence[Client], *, soon: float) -> None:
    """All show the server's values, and hear each other."""
    stored: dict[str, Any] = await cluster.query(VALUES, room=room)
    for client in clients:
        await client.until(client.joined.is_set, timeout=soon)
        held = {key: list(entry) for key, entry in client.values.items() if entry[0]}
        assert held == stored
        assert client.peers.keys() == {other.peer_id for other in clients} - {client.peer_id}
        assert client.wrong == []
    await write(clients, "after", soon=soon)


async def _restore(cluster: Cluster, back_up: Any, put_back: Any, *, soon: float) -> None:
    """Of three clients one is away until the numbers that it holds were given anew, one until nothing was lost yet."""
    room = cluster.room()
    alice, bob, carol, dora = clients = await enter(cluster, room, "alice", "bob", "carol", "dora")
    await write(clients, "kept", soon=soon)
    await dora.pause()
    copy = back_up()
    inside = [alice, bob, carol]
    for number in range(3):
        await write(inside, f"lost {number}", soon=soon)
    await carol.pause()
    lost = carol.seq

    for process in cluster.processes:
        process.kill()
    put_back(copy)
    await asyncio.gather(*(asyncio.to_thread(process.start) for process in cluster.processes))

    for client in (alice, bob):
        await client.until(lambda client=client: client.joined.is_set() and client.resynced == 1, timeout=soon)
        assert client.values["k"] == (1, "kept")
    while alice.seq <= lost:
        await write([alice, bob], "new", soon=soon)
    carol.go_on()
    dora.go_on()
    for client in (carol, dora):
        await client.until(client.joined.is_set, timeout=soon)
    assert (carol.resumed, carol.resynced) == (0, 1)
    assert (dora.resumed, dora.resynced) == (1, 0)
    await all_agree(cluster, room, clients, soon=soon)
    await asyncio.gather(*(client.leave() for client in clients))


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_places_are_of_another_history_after_a_copy_of_sqlite_was_put_back(kind: str, slack: float):
    with Cluster(1, server=kind, PEER_GRACE=60) as cluster:

        def put_back(copy: Path) -> None:
            cluster.first.put_back(copy)

        await _restore(cluster, cluster.first.back_up, put_back, soon=SOON + slack)


async def test_places_are_of_another_history_after_a_dump_of_postgresql_was_put_back(
    postgres: PostgresServer, redis: RedisServer, slack: float
):
    """PostgreSQL itself runs on meanwhile."""
    url = postgres.create_database()
    with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url, PEER_GRACE=60) as cluster:

        def back_up() -> str:
            return postgres.dump(url)

        def put_back(dump: str) -> None:
            postgres.put_back(url, dump)

        await _restore(cluster, back_up, put_back, soon=SOON + slack)


async def test_nobody_starts_over_when_postgresql_crashes_and_loses_nothing(redis: RedisServer, slack: float):
    soon = SOON + slack
    with PostgresServer() as postgres:
        url = postgres.create_database()
        with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url, PEER_GRACE=60) as cluster:
            room = cluster.room()
            clients = await enter(cluster, room, *(f"client-{number}" for number in range(6)))
            await write(clients, "before", soon=soon)
            histories = {client.history for client in clients}
            away = clients[0]
            await away.pause()

            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)

            await write(clients[1:], "after", soon=soon)
            away.go_on()
            await away.until(away.joined.is_set, timeout=soon)
            assert len(histories) == 1
            for client in clients:
                await client.until(lambda client=client: client.history not in histories, timeout=soon)
            assert [client.connections for client in clients] == [2, 1, 1, 1, 1, 1]
            # Places of the new history are as good as those of the old one.
            await asyncio.gather(*(client.cut() for client in clients))
            for number, client in enumerate(clients):
                await client.until(lambda client=client: client.connections >= 2 and client.joined.is_set())
                await client.until(lambda client=client, n=number: client.resumed == (2 if n == 0 else 1))
                assert client.resynced == 0
            await all_agree(cluster, room, clients, soon=soon)
            await asyncio.gather(*(client.leave() for client in clients))
