"""Scenarios of those who come, and come back. What their client asks before its socket opens is in the time.

As in scenarios.py, each function loads a freshly started system and returns one row of figures.
"""

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from harness.clients import Clients, Row, Turns
from harness.ours import Hmsroom
from harness.processes import MEBIBYTE, cpu_seconds, resident_bytes
from harness.systems import Running


def ours(running: Running) -> Hmsroom:
    assert isinstance(running.protocol, Hmsroom)
    return running.protocol


def join250(running: Running, seconds: float) -> Turns:
    """250 announced joins into one room."""
    yield None
    return _join(running, 250)


def join1000(running: Running, seconds: float) -> Turns:
    """1,000 announced joins into one room."""
    yield None
    return _join(running, 1000)


def _join(running: Running, peers: int) -> Row:
    """64 at a time; told: until everybody has joined and has learned of everybody it must learn of."""
    with Clients(running, peers, lambda _: f"n-{peers}", asking=True) as clients:
        pids = running.group.pids()
        before = cpu_seconds(pids)
        joined = clients.open(concurrency=64)
        start, wanted = time.perf_counter(), running.protocol.sightings(peers)
        ago = clients.await_sightings(wanted, 30)
        told = joined + max(0, time.perf_counter() - start - ago)
        return {
            "joined": joined,
            "told": told,
            "missing": wanted - clients.sightings,
            "frames": clients.frames,
            "cpu": cpu_seconds(pids) - before,
        }


def reconnect1000(running: Running, seconds: float) -> Turns:
    """1,000 peers of one room come back to a server that was restarted, 64 at a time: until all have everything."""
    yield None
    return reconnect(running, rooms=1, peers=1000)


def reconnect_rooms(running: Running, seconds: float) -> Turns:
    """The same with 200 rooms of 5."""
    yield None
    return reconnect(running, rooms=200, peers=5)


def reconnect(
    running: Running, *, rooms: int, peers: int, watched: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Row:
    """Everything: that they are in the room as before, and a message that the first in each room sends.

    over_joins: how much longer it takes than it took them to join, until all knew of all. It is watched while they come
    back.
    """
    protocol, count = ours(running), rooms * peers

    def room_of(index: int) -> str:
        return f"n-back{peers}-{index % rooms}"

    with Clients(running, count, room_of, asking=True) as first, Clients(running, count, room_of, asking=True) as again:
        joined = _first_time(first, rooms * protocol.sightings(peers))
        protocol.keep_places(first.kept())
        again.add()
        again.look_for('"resumed":true')
        said = [protocol.message(index, room_of(index)) for index in range(rooms)]
        running.group.restart(lambda: first.settle(0.01, 0.05))
        pids = running.group.pids()
        wanted = count - rooms
        with watched():
            before, start = cpu_seconds(pids), time.monotonic()
            again.open(rooms, concurrency=64)
            again.send_each(range(rooms), said)
            again.open(concurrency=64)
            back = again.await_news(messages=wanted, sightings=0, seconds=60) - start
            cpu = cpu_seconds(pids) - before
        return {
            "joined": joined,
            "back": back,
            "over_joins": back / joined,
            "resynchronised": count - again.found,
            "missing": wanted - again.messages,
            "journal_reads": protocol.journal_reads(),
            "cpu": cpu,
        }


def _first_time(clients: Clients, sightings: int) -> float:
    """Join; seconds until all know of all."""
    clients.look_for('"id":"joined"')
    clients.add()
    start = time.monotonic()
    clients.open(concurrency=64)
    joined = clients.await_news(messages=0, sightings=sightings, seconds=60) - start
    if clients.sightings < sightings:
        raise RuntimeError(f"{sightings - clients.sightings} of {sightings} were not told after 60 s")
    clients.settle(1)
    return joined


def late_joiner(running: Running, seconds: float) -> Turns:
    """Twenty, one after the other, join a session of 1,000 messages and 256 keys: until each has all of its state."""
    protocol, present, late = ours(running), 5, 20
    keys = ["default", *[f"key-{number:03}" for number in range(255)]]
    with Clients(running, present + late, lambda _: "q-late", asking=True) as clients:
        clients.open(present)
        updates = [protocol.update(keys[first : first + 8]) for first in range(0, len(keys), 8)]
        clients.send_each([0] * len(updates), updates)
        clients.settle()
        run = clients.chat(range(present), seconds=2.1, fan_out=present - 1, rate=500)
        clients.look_for(f'"key":"{keys[-1]}"')
        yield clients
        pids, taken = running.group.pids(), []
        before = cpu_seconds(pids)
        for index in range(present, present + late):
            taken.append(clients.open(index + 1, observing=keys[1:]) * 1000)
        return {
            "ms": statistics.median(taken),
            "most_ms": max(taken),
            "cpu_ms": (cpu_seconds(pids) - before) / late * 1000,
            "messages": run.acked,
            "without": late - clients.found,
        }


def viewers(running: Running, seconds: float) -> Turns:
    """One large room of 10,000 viewers, to whom 2 messages are sent a second, once all of them are in.

    The time of their joins is of their sockets alone.
    """
    yield None  # and not later: this process may have no more sockets than one system's viewers need
    pids, count = running.group.pids(), 10_000
    before = resident_bytes(pids)
    with Clients(running, count, lambda _: "v-viewers") as clients:
        joined = clients.open(concurrency=64)
        clients.settle()
        run = clients.chat([0], seconds=max(seconds, 10), fan_out=count - 1, rate=2)
        grown = resident_bytes(pids) - before
        return {
            "joined": joined,
            "p50": run.p50,
            "p99": run.p99,
            "loss": run.loss,
            "cpu": run.server_share,
            "mib": grown / MEBIBYTE,
        }
