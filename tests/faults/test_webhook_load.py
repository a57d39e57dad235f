"""A room chats as fast while ten thousand webhooks are sent, and a receiver that is away costs no memory."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster import Cluster, leave_all
from tests.support.processes import free_port
from tests.support.server import RawPeer
from tests.support.services import PostgresServer, RedisServer

pytestmark = [pytest.mark.soak, pytest.mark.faults]

EVENTS = 10_000
WINDOW = 8.0
"""Seconds of chat between two changes from with to without."""

RECEIVER = """
import asyncio, sys
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\\r\\n")[0])
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")
    except (asyncio.IncompleteReadError, OSError):
        writer.close()
async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()
asyncio.run(main())
"""

FILL = """
from rooms.models import *
endpoint = WebhookEndpoint.objects.get()
at = milliseconds(timezone.now())
body = '{{"version":"2.0","id":"x","type":"peer.join.success","data":{{"text":"' + "x" * 400 + '"}}}}'
WebhookDelivery.objects.bulk_create([
    WebhookDelivery(endpoint=endpoint, stream=f"s{{n % {streams}}}", event_id=f"e{{n}}", room_id="r",
        name="peer.join.success", body=body, at=at)
    for n in range({events})
], batch_size=500)
WebhookStream.objects.bulk_create([
    WebhookStream(endpoint=endpoint, stream=f"s{{n}}", next_at=at) for n in range({streams})
], ignore_conflicts=True)
"""

SETTINGS: dict[str, Any] = {"WEBHOOK_HTTP": "on", "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}


@contextmanager
def receiving() -> Iterator[str]:
    """A receiver in a process of its own; its URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", RECEIVER, str(port)])
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["one process on SQLite", "two processes on PostgreSQL"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if request.param.startswith("one"):
        with Cluster(1, server="uvicorn", **SETTINGS) as cluster:
            yield cluster
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        redis: RedisServer = request.getfixturevalue("redis")
        url = postgres.create_database()
        with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url, **SETTINGS) as cluster:
            yield cluster


async def chat(peers: list[RawPeer], seconds: float) -> list[float]:
    """How long each message took until its answer, in milliseconds."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    async def talk(peer: RawPeer, number: int) -> None:
        await asyncio.sleep(number / len(peers) / 10)
        while time.perf_counter() < until:
            began = time.perf_counter()
            await peer.call("broadcast", info={"message": "x", "type": "chat"})
            took.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.1)

    await asyncio.gather(*(talk(peer, number) for number, peer in enumerate(peers)))
    return took


def p99(took: list[float]) -> float:
    return statistics.quantiles(took, n=100)[98]


def number_of(cluster: Cluster, state: str) -> int:
    [(number,)] = cluster.first.select(f"SELECT COUNT(*) FROM rooms_webhookdelivery WHERE state = '{state}'")
    return int(number)


async def switch(cluster: Cluster, enabled: bool) -> None:
    statement = f"UPDATE rooms_webhookendpoint SET enabled = {'true' if enabled else 'false'}"
    await asyncio.to_thread(cluster.first.write, statement)


async def test_a_room_is_as_fast_while_ten_thousand_webhooks_are_sent(deployment: Cluster):
    room = deployment.room()
    with receiving() as url:
        await asyncio.to_thread(deployment.first.manage, "webhook", "add", url)
        await switch(deployment, False)
        fill = FILL.format(events=EVENTS, streams=200)
        await asyncio.to_thread(deployment.first.manage, "shell", "--no-imports", "-c", fill)
        peers = await deployment.peers(room, 8)
        await chat(peers, 2)
        with_webhooks: list[float] = []
        without: list[float] = []
        sent = seconds = 0.0
        while number_of(deployment, "waiting"):
            without += await chat(peers, WINDOW)
            await switch(deployment, True)
            before, began = number_of(deployment, "delivered"), time.monotonic()
            with_webhooks += await chat(peers, WINDOW)
            sent += number_of(deployment, "delivered") - before
            seconds += time.monotonic() - began
            await switch(deployment, False)
        assert number_of(deployment, "delivered") == EVENTS
        await leave_all(peers)
    ratio = p99(with_webhooks) / p99(without)
    medians = [round(statistics.median(took), 2) for took in (without, with_webhooks)]
    tails = [round(p99(took), 2) for took in (without, with_webhooks)]
    print(f"{sent / seconds:.0f}/s, medians {medians} ms, p99 {tails} ms of {len(with_webhooks)}: {ratio:.2f}")
    assert ratio <= 1.2


def memory(pid: int) -> int:
    """Bytes that a process holds."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


async def test_a_receiver_that_is_away_costs_rows_and_no_memory(deployment: Cluster):
    url = f"http://127.0.0.1:{free_port()}/"
    await asyncio.to_thread(deployment.first.manage, "webhook", "add", url)
    # Each stream is tried by itself, as after an hour in which many sessions ended.
    fill = FILL.format(events=60_000, streams=3_000)
    await asyncio.sleep(2)
    before = [memory(process.pid) for process in deployment.processes]
    await asyncio.to_thread(deployment.first.manage, "shell", "--no-imports", "-c", fill)
    room = deployment.room()
    peers = await deployment.peers(room, 4)
    await chat(peers, 30)
    grown = [memory(process.pid) - was for process, was in zip(deployment.processes, before, strict=True)]
    print(f"grown by {[round(size / 2**20, 1) for size in grown]} MiB, {number_of(deployment, 'waiting')} wait")
    assert max(grown) < 40 * 2**20
    assert number_of(deployment, "waiting") > 60_000
    await leave_all(peers)
