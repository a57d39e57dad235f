"""Webhooks of two real processes: in order and each once, whoever is killed and whatever the receiver does."""

import asyncio
import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.receiver import Got, Receiver
from tests.support.server import RawPeer
from tests.support.services import PostgresServer, RedisServer

pytestmark = [pytest.mark.postgres, pytest.mark.faults]

OUR_NETWORK = {"WEBHOOK_HTTP": "on", "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8", "WEBHOOK_TIMEOUT": 1}


@pytest.fixture
def pair(postgres: PostgresServer, redis: RedisServer) -> Iterator[Cluster]:
    url = postgres.create_database()
    settings: dict[str, Any] = {"PEER_GRACE": 2, "LEASE_TTL": 2, **OUR_NETWORK}
    with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url, **settings) as cluster:
        yield cluster


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


async def come_and_go(cluster: Cluster, room: str, user: str, *, stays: float = 0.05) -> None:
    peer = await cluster.peer(room, user, at=random.choice(cluster.processes))
    await asyncio.sleep(stays)
    await peer.leave()


async def test_a_session_of_one_process_arrives_in_order(pair: Cluster, receiver: Receiver):
    room = pair.room()
    pair.first.manage("webhook", "add", receiver.url)
    await come_and_go(pair, room, "alice")
    taken = await asyncio.to_thread(receiver.wait_for, lambda taken: len(taken) == 4)
    assert [got.event["type"] for got in taken] == [
        "session.open.success", "peer.join.success", "peer.leave.success", "session.close.success",
    ]  # fmt: skip
