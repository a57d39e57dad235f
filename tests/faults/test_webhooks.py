"""Webhooks of two real processes: in order and each once, whoever is killed and whatever the receiver does."""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.faults.client import LOST
from tests.support.cluster import Cluster
from tests.support.receiver import Got, Receiver
from tests.support.server import RpcError
from tests.support.services import PostgresServer, RedisServer

pytestmark = [pytest.mark.postgres, pytest.mark.faults]

OUR_NETWORK = {"WEBHOOK_HTTP": "on", "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8", "WEBHOOK_TIMEOUT": 2}


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer, redis: RedisServer) -> Iterator[Cluster]:
    url = postgres.create_database()
    settings: dict[str, Any] = {"PEER_GRACE": 2, "LEASE_TTL": 2, **OUR_NETWORK}
    with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url, **settings) as cluster:
        yield cluster


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


async def come_and_go(cluster: Cluster, room: str, user: str, chance: random.Random) -> None:
    """Join a room at either process; leave it, or be lost."""
    try:
        peer = await cluster.peer(room, user, at=chance.choice(cluster.processes))
        await asyncio.sleep(chance.random() / 4)
        if chance.random() < 0.7:
            await peer.leave()
        else:
            await peer.drop()
    except (*LOST, RpcError, AssertionError):
        await asyncio.sleep(0.2)  # its process was killed


def waiting(cluster: Cluster) -> int:
    [(number,)] = cluster.first.select("SELECT COUNT(*) FROM rooms_webhookdelivery WHERE state = 'waiting'")
    return int(number)


def written(cluster: Cluster, rooms: list[str]) -> dict[str, list[str]]:
    """The ids of what was to be told, by session, in the order in which it was written."""
    chosen = ", ".join(f"'{room}'" for room in rooms)
    rows = cluster.first.select(
        f"SELECT stream, event_id, state FROM rooms_webhookdelivery WHERE room_id IN ({chosen}) ORDER BY id"
    )
    assert {state for *_, state in rows} == {"delivered"}
    found: dict[str, list[str]] = {}
    for stream, event_id, _ in rows:
        found.setdefault(stream, []).append(event_id)
    return found


def by_session(taken: list[Got]) -> dict[str, list[Got]]:
    found: dict[str, list[Got]] = {}
    for got in taken:
        found.setdefault(got.event["data"]["session_id"], []).append(got)
    return found


def check_story(events: list[dict[str, Any]]) -> None:
    """A session's events, in the order in which they came, make sense."""
    assert events[0]["type"] == "session.open.success"
    assert events[-1]["type"] == "session.close.success"
    numbers = [event["data"]["seq"] for event in events]
    assert all(before < after for before, after in pairwise(numbers)), numbers
    inside: set[str] = set()
    for event in events[1:-1]:
        peer = event["data"]["peer_id"]
        if event["type"] == "peer.join.success":
            assert peer not in inside
            inside.add(peer)
        elif event["type"] == "peer.leave.success":
            inside.remove(peer)
    assert not inside


async def calm(cluster: Cluster, rooms: list[str], *, seconds: float = 900) -> None:
    """Return when every session has ended and everything was told: what failed often waits for minutes."""
    live = f"SELECT COUNT(*) FROM rooms_session WHERE ended_at IS NULL AND room_id IN ({', '.join(map(repr, rooms))})"
    async with asyncio.timeout(seconds):
        while (await asyncio.to_thread(cluster.first.select, live))[0][0] or await asyncio.to_thread(waiting, cluster):
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.soak)])
async def test_all_arrives_in_order_and_once_while_either_process_is_killed(
    pair: Cluster, receiver: Receiver, kills: int
):
    chance = random.Random(7)
    rooms = [pair.room() for _ in range(4)]
    # What the receiver does is up to chance, too.
    trouble = random.Random(8)

    def answer(got: Got) -> int:
        fate = trouble.random()
        if fate < 0.02:
            time.sleep(3)  # longer than anybody waits
        return 500 if fate < 0.06 else 0 if fate < 0.08 else 302 if fate < 0.1 else 200

    receiver.answer, receiver.location = answer, "http://127.0.0.1:9/elsewhere"
    endpoint = (await asyncio.to_thread(pair.first.manage, "webhook", "add", receiver.url)).partition("\t")[0]
    over = asyncio.Event()

    async def live(room: str, number: int) -> None:
        count = 0
        while not over.is_set():
            count += 1
            await come_and_go(pair, room, f"user-{number}-{count}", chance)

    people = [asyncio.create_task(live(room, number)) for number, room in enumerate(rooms * 2)]
    for _ in range(kills):
        await asyncio.sleep(1 + 2 * chance.random())
        victim = chance.choice(pair.processes)
        await asyncio.to_thread(victim.kill)
        receiver.stop()
        await asyncio.sleep(chance.random())
        receiver.start()
        await asyncio.to_thread(victim.start)
    over.set()
    await asyncio.gather(*people)
    await calm(pair, rooms)

    expected = written(pair, rooms)
    came = by_session(receiver.taken())
    assert {session: [got.id for got in taken] for session, taken in came.items()} == expected
    for taken in came.values():
        check_story([got.event for got in taken])
    # What is told again is the same to the letter.
    assert len({(got.id, got.body) for got in receiver.got}) == len({got.id for got in receiver.got})
    sent_again = len(receiver.got) - sum(map(len, expected.values()))
    print(json.dumps({"sessions": len(expected), "events": sum(map(len, expected.values())), "again": sent_again}))
    assert len(expected) > 5 and sent_again > 0
    await asyncio.to_thread(pair.first.manage, "webhook", "remove", endpoint)
