"""What is measured. Each function loads a freshly started system and returns one row of figures.

Where one yields, the other systems have their turn: what the machine does beside, for seconds, meets all of them.
"""

import asyncio
import contextlib
import sqlite3
import statistics
import time
from collections.abc import Sequence

from harness import handing_over
from harness.clients import Clients, Turns
from harness.coming import ours
from harness.ours import Hmsroom
from harness.processes import KIBIBYTE, MEBIBYTE, cpu_seconds, resident_bytes
from harness.saturation import LAZY, saturate
from harness.systems import Running

TOPIC = ("topic",)


def room200(running: Running, seconds: float) -> Turns:
    """One room of 200, one sender, as many messages as the server keeps up with."""
    with Clients(running, 200, lambda _: "q-200") as clients:
        clients.open()
        return (yield from saturate(clients, [0], running.protocol.deliveries(200), seconds))


def rooms(running: Running, seconds: float) -> Turns:
    """200 rooms of 5, everybody sends in turn: 500 messages a second, then as many as the server keeps up with."""
    with Clients(running, 1000, lambda index: f"q-{index // 5}") as clients:
        clients.open()
        senders = [room * 5 + seat for seat in range(5) for room in range(200)]
        fan_out = running.protocol.deliveries(5)
        calm = clients.chat(senders, seconds=seconds, fan_out=fan_out, rate=500)
        yield clients
        found = yield from saturate(clients, senders, fan_out, seconds)
        calm_cpu_us = calm.cpu / calm.sent * 1e6
        return {"calm_p50": calm.p50, "calm_p99": calm.p99, "calm_cpu_us": calm_cpu_us, **found}


def rooms_clustered(running: Running, seconds: float) -> Turns:
    """The same with PostgreSQL and Redis, all of them on the server's one core: what a message costs all together."""
    return (yield from rooms(running, seconds))


def rooms_pruning(running: Running, seconds: float) -> Turns:
    """The same where few messages are kept, and for a second more, so that as many are deleted as are stored."""
    row = yield from rooms(running, seconds)
    with contextlib.closing(sqlite3.connect(next(running.group.folder.glob("*.sqlite3")))) as database:
        table = "rooms_message" if isinstance(running.protocol, Hmsroom) else "message"
        kept, stored = database.execute(f"SELECT COUNT(*) / 200.0, MAX(seq) FROM {table}").fetchone()
    return {**row, "kept_per_room": kept, "stored_per_room": stored}


def room1000(running: Running, seconds: float) -> Turns:
    """One room of 1,000 in which 5,000 messages arrive each second."""
    with Clients(running, 1000, lambda _: "q-1000") as clients:
        clients.open()
        fan_out = running.protocol.deliveries(1000)
        clients.chat([0], seconds=0.4, fan_out=fan_out, rate=5)
        yield clients
        run = clients.chat([0], seconds=max(seconds, 3), fan_out=fan_out, rate=5000 / fan_out)
        return {"p50": run.p50, "p99": run.p99, "loss": run.loss, "cpu": run.server_share}


def acknowledgement(running: Running, seconds: float) -> Turns:
    """100 messages a second over 20 rooms of 5: until the sender knows that its message is stored."""
    with Clients(running, 100, lambda index: f"q-{index // 5}") as clients:
        clients.open()
        senders = [room * 5 + seat for seat in range(5) for room in range(20)]
        clients.chat(senders, seconds=0.5, fan_out=4, rate=100)
        yield clients
        run = clients.chat(senders, seconds=max(seconds, 5), fan_out=4, rate=100)
        lost = run.sent - run.acked
        return {"ack_p50": run.ack_p50, "ack_p99": run.ack_p99, "p50": run.p50, "p99": run.p99, "lost": lost}


def metadata(running: Running, seconds: float) -> Turns:
    """20 changes a second of one metadata key in a room of 200: until everybody has that value or a newer one."""
    with Clients(running, 200, lambda _: "q-meta") as clients:
        clients.open(observing=TOPIC)
        senders = range(0, 200, 10)
        clients.change_metadata(senders, seconds=0.3, rate=20)
        yield clients
        run = clients.change_metadata(senders, seconds=max(seconds, 3), rate=20)
        return {"all_p50": run.full_p50, "all_p99": run.full_p99, "p50": run.p50, "cpu": run.server_share}


def idle_rooms(running: Running, seconds: float) -> Turns:
    """5,000 rooms of one, who pings every 10 seconds as hms.js does: percent of a core; and if it did not."""
    count, span = 5000, max(seconds, 10)
    pids = running.group.pids()
    before = resident_bytes(pids)
    with Clients(running, count, lambda index: f"q-{index}") as clients:
        clients.open()
        clients.settle(1)
        grown = resident_bytes(pids) - before
        yield clients
        pinging = clients.ping(ours(running).ping(), seconds=span, every=10)
        used = cpu_seconds(pids)
        clients.settle(span, span)
        return {
            "cpu_percent": pinging.server_share * 100,
            "silent_cpu_percent": (cpu_seconds(pids) - used) / span * 100,
            "unanswered": pinging.sent - pinging.acked,
            "kib_per_room": grown / count / KIBIBYTE,
        }


def updates_apart(running: Running, seconds: float) -> Turns:
    """Ten write ten keys each of their own, 20 updates a second in a room of 200: until everybody has that or newer."""
    return (yield from _updates(running, [[f"w{writer}-{key}" for key in range(10)] for writer in range(10)], seconds))


def updates_shared(running: Running, seconds: float) -> Turns:
    """The same where all ten write the same ten keys."""
    return (yield from _updates(running, [[f"key-{key}" for key in range(10)]] * 10, seconds))


def _updates(running: Running, keys: Sequence[Sequence[str]], seconds: float) -> Turns:
    protocol = ours(running)
    with Clients(running, 200, lambda _: "q-updates") as clients:
        clients.open(observing=sorted({key for some in keys for key in some}))
        updates = [(writer * 20, protocol.update(some)) for writer, some in enumerate(keys)]
        clients.update_metadata(updates, seconds=0.5, rate=20)
        clients.settle()
        yield clients
        run = clients.update_metadata(updates, seconds=max(seconds, 3), rate=20)
        return {
            "all_p50": run.full_p50,
            "all_p99": run.full_p99,
            "ack_p50": run.ack_p50,
            "cpu": run.server_share,
            "unanswered": run.sent - run.acked,
        }


def lock_handover(running: Running, seconds: float) -> Turns:
    """A lock for which nine wait: milliseconds from one's unlock until the next is answered that it holds it."""
    protocol = ours(running)
    protocol.prepare([(0, "q-lock")])
    yield None
    taken = asyncio.run(handing_over.hand_over(protocol, "q-lock", peers=10, times=300))
    cuts = statistics.quantiles(taken, n=100)
    return {"p50": cuts[49] * 1000, "p99": cuts[98] * 1000, "per_second": len(taken) / sum(taken)}


def memory(running: Running, seconds: float) -> Turns:
    """Resident memory for each of 5,000 joined connections, in 500 rooms, that do nothing."""
    with Clients(running, 20, lambda index: f"q-warm{index // 10}") as clients:
        clients.open()
    yield None
    time.sleep(0.5)
    pids = running.group.pids()
    before = resident_bytes(pids)
    with Clients(running, 5000, lambda index: f"q-{index // 10}") as clients:
        clients.open()
        clients.settle(0.8, 3)
        grown = resident_bytes(pids) - before
        return {"kib_per_connection": grown / 5000 / KIBIBYTE, "mib": (before + grown) / MEBIBYTE}


def slow_readers(running: Running, seconds: float) -> Turns:
    """A room of 30 with 200 messages of 16 kB a second; then ten of the peers stop reading."""
    peers, stuck, rate, padding = 30, 10, 200, 16000
    with Clients(running, peers, lambda _: "q-slow") as clients:
        clients.open()
        everybody = running.protocol.deliveries(peers)
        without = clients.chat([0], seconds=6, fan_out=everybody, rate=rate, padding=padding)
        yield clients
        pids = running.group.pids()
        before = resident_bytes(pids)
        for index in range(peers - stuck, peers):
            clients.pause(index)
        run = clients.chat([0], seconds=6, fan_out=everybody - stuck, rate=rate, padding=padding)
        return {
            "growth_mib": (resident_bytes(pids) - before) / MEBIBYTE,
            "p99": run.p99,
            "p99_without": without.p99,
            "loss": run.loss,
        }


def two_processes(running: Running, seconds: float) -> Turns:
    """One room of 200 on two processes: as many messages as hold, and whether all arrive in one order everywhere."""
    with Clients(running, 200, lambda _: "q-two") as clients:
        clients.open()
        fan_out = running.protocol.deliveries(200)
        ordered = clients.chat(range(4), seconds=seconds, fan_out=fan_out, rate=50)
        yield clients
        orders = {clients.order(index) for index in range(4, 200)}
        row = yield from saturate(clients, [0, 1], fan_out, seconds)
        return {"orders": len(orders), "loss": ordered.loss, "calm_p50": ordered.p50, "calm_p99": ordered.p99, **row}


def sets(running: Running, seconds: float) -> Turns:
    """Server CPU for a message, in microseconds, in 200 rooms of 5 with so many under way: what sets save."""
    with Clients(running, 1000, lambda index: f"q-{index // 5}") as clients:
        clients.open()
        senders, row = range(0, 1000, 5), {}
        for window in (1, 4, 16, 64, 256):
            yield clients
            run = clients.chat(senders, seconds=seconds, fan_out=running.protocol.deliveries(5), window=window)
            row[f"under_way_{window}"] = run.cpu / run.sent * 1e6
        return row


def growth(running: Running, seconds: float) -> Turns:
    """Server CPU for a delivery, in microseconds, as peers in a room, rooms, or the size of messages grow."""
    shapes = {f"peers_{peers}": (1, peers, 0) for peers in (10, 50, 200, 1000)}
    shapes |= {f"rooms_{rooms}": (rooms, 5, 0) for rooms in (20, 200, 500)}
    shapes |= {f"characters_{48 + more}": (1, 200, more) for more in (0, 450, 3800)}
    row = {}
    for name, shape in shapes.items():
        yield None
        row[name] = _cost(running, *shape, seconds)
    return row


def _cost(running: Running, rooms: int, peers: int, padding: int, seconds: float) -> float:
    """One sender in each of the rooms; microseconds of server CPU for each delivery."""
    with Clients(running, rooms * peers, lambda index: f"q-{rooms}-{peers}-{padding}-{index // peers}") as clients:
        clients.open()
        clients.poll_lazily(LAZY)
        senders, fan_out = range(0, rooms * peers, peers), running.protocol.deliveries(peers)
        clients.chat(senders, seconds=0.3, fan_out=fan_out, padding=padding)
        run = clients.chat(senders, seconds=seconds, fan_out=fan_out, padding=padding)
        return 1e6 / run.per_cpu_second
