"""What writes of session metadata cost a server, beside each other: python -m bench.state [--postgres] [--rounds N]

Two kinds of calls take turns, a-b-b-a, over the sockets of ten peers with eight calls of each under way. Prints the
median of what the second costs of the first, in CPU of the server for a call.
"""

import argparse
import asyncio
import itertools
import statistics
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.support.cluster import Cluster
from tests.support.server import RawPeer
from tests.support.services import PostgresServer

PEERS, WINDOW, CALLS = 10, 8, 160
KEYS = [f"k{number}" for number in range(10)]
RULES = [
    *({"key": f"area{number}:*", "write": ["host"], "read": ["host", "guest"]} for number in range(48)),
    {"key": "cursor:$peer", "write": "owner"},
    {"key": "k*", "write": ["host", "guest"]},
]
_numbers = itertools.count()

Call = Callable[[RawPeer], Awaitable[Any]]


def value() -> dict[str, Any]:
    return {"slide": next(_numbers), "by": "Alice", "at": 1234567}


def sets(peer: RawPeer) -> Awaitable[Any]:
    return peer.call("set-metadata", key=KEYS[0], data=value())


def updates(count: int) -> Call:
    return lambda peer: peer.call("update-metadata", changes=[{"key": key, "data": value()} for key in KEYS[:count]])


def cpu_seconds(pid: int) -> float:
    """Of all threads of a process, as its scheduler counted them."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


async def cost(pid: int, peers: Sequence[RawPeer], call: Call) -> float:
    """Microseconds of the server's CPU for one call."""
    places = iter(range(CALLS))

    async def caller(peer: RawPeer) -> None:
        for _ in places:
            await call(peer)

    before = cpu_seconds(pid)
    await asyncio.gather(*(caller(peer) for peer in peers for _ in range(WINDOW)))
    spent = cpu_seconds(pid) - before
    for peer in peers:
        peer.events.clear()
    return spent / CALLS * 1e6


async def compare(cluster: Cluster, rounds: int, *, observed: bool) -> None:
    pid, rooms = cluster.first.pid, []
    for rules in ([], RULES):
        peers = await cluster.peers(cluster.room(), PEERS, role="host")
        await peers[0].call("set-metadata-rules", rules=rules)
        for peer in peers if observed else []:
            await peer.call("listen-metadata-change", keys=KEYS)
        rooms.append(peers)
    plain, ruled = rooms
    for name, first, second in (
        ("ten keys to one", (plain, updates(1)), (plain, updates(10))),
        ("50 rules to none", (plain, sets), (ruled, sets)),
    ):
        ratios, firsts, seconds = [], [], []
        for _ in range(rounds + 1):
            a, b, c, d = [await cost(pid, *which) for which in (first, second, second, first)]
            ratios.append((b + c) / (a + d))
            firsts.append(min(a, d))
            seconds.append(min(b, c))
        ratio, one, other = (statistics.median(found[1:]) for found in (ratios, firsts, seconds))
        told = "all observe" if observed else "nobody observes"
        print(f"{name}, {told}: {ratio:.2f} ({other:.0f} to {one:.0f} µs)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(PostgresServer()).create_database() if options.postgres else ""
        cluster = stack.enter_context(Cluster(1, server="uvicorn", database_url=url))
        for observed in (False, True):
            asyncio.run(compare(cluster, options.rounds, observed=observed))


if __name__ == "__main__":
    main()
