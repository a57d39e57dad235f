"""Measure what bench/scale/costs.py reads: python bench/measure_costs.py [--only init,message,join]

In seconds of one core of hmsroom's own processes. Everything but the load generator runs on one core. It takes three
minutes, needs no other system, and writes bench/scale/measured.json; `make simulate-scale WRITE=1` brings that into
docs/scaling.md.
"""

import argparse
import http.client
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness import install, processes
from harness.clients import Clients
from harness.ours import Hmsroom
from harness.places import HOST
from harness.scenarios import LAZY
from harness.systems import NOT_COALESCED, Ours, Running
from scale import costs

REPEATED = 3
"""Times that each is measured; the least counts, for what the machine does beside only adds to it."""

ROOMS, PEERS, WINDOW = 200, 5, 32
"""Rooms and those in each; messages under way for each process."""

ORIGIN = "https://app.example.org"

Figures = dict[str, float]


def spent(running: Running) -> Figures:
    """Seconds of CPU by what spent them."""
    found = {"hmsroom": 0.0, "postgres": 0.0, "redis": 0.0}
    for pid in running.group.pids():
        command = Path(f"/proc/{pid}/cmdline").read_text()
        owner = "hmsroom" if "manage.py" in command else "redis" if "redis" in command else "postgres"
        found[owner] += processes.cpu_seconds([pid])
    return found


def each(running: Running, act: Callable[[], int]) -> Figures:
    """What one of as many as `act` does costs, the least of some times."""
    taken = []
    for _ in range(REPEATED):
        before = spent(running)
        count = act()
        after = spent(running)
        taken.append({name: (after[name] - before[name]) / count for name in after})
    return min(taken, key=lambda one: one["hmsroom"])


@contextmanager
def up(system: Ours) -> Iterator[Running]:
    running = system.start("costs")
    try:
        yield running
    finally:
        running.group.stop()


def init() -> Figures:
    """A request as hms.js makes it before each socket, and what a browser asks before that of another origin."""
    with up(Ours(settings={"ALLOWED_ORIGINS": ORIGIN})) as running:
        protocol = running.protocol
        assert isinstance(protocol, Hmsroom)
        protocol.prepare([(0, "q-init")])
        token = protocol.path(0, "q-init").partition("&token=")[2]

        def ask(method: str, headers: Mapping[str, str]) -> int:
            for _ in range(200):
                connection = http.client.HTTPConnection(HOST, protocol.port(0), timeout=30)
                address = f"/init?peer_id={uuid.uuid4()}&user_agent_v2=os%3Aweb"
                connection.request(method, address, headers={"Origin": ORIGIN, **headers})
                answer = connection.getresponse()
                answer.read()
                connection.close()
                if answer.status not in (200, 204):
                    raise RuntimeError(f"/init: {answer.status}")
            return 200

        def cost(method: str, **headers: str) -> float:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            ask(method, named)
            return each(running, lambda: ask(method, named))["hmsroom"]

        asked = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "authorization"}
        return {"init": cost("GET", Authorization=f"Bearer {token}"), "preflight": cost("OPTIONS", **asked)}


def message() -> Figures:
    """A message in rooms of five, less deliveries: on SQLite, and with PostgreSQL and Redis on one process and two."""
    alone, together = crowd(Ours(settings=NOT_COALESCED), window=8), crowd(Ours(), window=8)
    sqlite, one = talk(Ours(), WINDOW), talk(Ours(clustered=True), WINDOW)
    two = talk(Ours(clustered=True, processes=2), 2 * WINDOW)
    deliveries = (PEERS - 1) * alone
    return {
        "message_sqlite": sqlite["hmsroom"] - deliveries,
        "message": one["hmsroom"] - deliveries,
        "postgres": one["postgres"],
        "ring": max(0.0, two["hmsroom"] - one["hmsroom"]) / costs.rings(PEERS, 2),
        "delivery": alone,
        "delivery_together": together,
    }


def talk(system: Ours, window: int) -> Figures:
    """What a message with its deliveries costs, in many small rooms."""
    with up(system) as running, Clients(running, ROOMS * PEERS, lambda index: f"q-{index // PEERS}") as clients:
        clients.open()
        clients.poll_lazily(LAZY)
        senders, fan_out = range(0, ROOMS * PEERS, PEERS), running.protocol.deliveries(PEERS)
        clients.chat(senders, seconds=1, fan_out=fan_out, window=window)
        return each(running, lambda: clients.chat(senders, seconds=2, fan_out=fan_out, window=window).sent)


def crowd(system: Ours, window: int) -> float:
    """What a delivery costs in a room of 1,000."""
    with up(system) as running, Clients(running, 1000, lambda _: "q-1000") as clients:
        clients.open()
        clients.poll_lazily(LAZY)
        fan_out = running.protocol.deliveries(1000)
        return each(running, lambda: clients.chat([0], seconds=2, fan_out=fan_out, window=window).received)["hmsroom"]


def join() -> Figures:
    """By 250 and 1,000 joins into one room: one of n costs `join`, and `announcement` for each who is there already."""
    some, many = come(250), come(1000)
    announcement = max(0.0, many - some) / (500 - 125)
    return {"join": some - 125 * announcement, "announcement": announcement}


def come(peers: int) -> float:
    rooms = iter(range(REPEATED))
    with up(Ours()) as running:

        def fill() -> int:
            room = f"n-{next(rooms)}"
            with Clients(running, peers, lambda _: room) as clients:
                clients.open(concurrency=64)
                clients.await_sightings(running.protocol.sightings(peers), 30)
            return peers

        return each(running, fill)["hmsroom"]


PARTS = {"init": init, "message": message, "join": join}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[*PARTS], help=", ".join(PARTS))
    options = parser.parse_args()
    install.generator()
    processes.use_own_core()
    found = json.loads(costs.SOURCE.read_text())
    for part in options.only:
        figures = PARTS[part]()
        print("\n".join(f"{name}: {seconds * 1e6:.2f} µs" for name, seconds in figures.items()), flush=True)
        found["costs"] |= {name: float(f"{seconds:.3g}") for name, seconds in figures.items()}
    found["measured"] = time.strftime("%Y-%m-%d")
    found["load_average"] = round(os.getloadavg()[0], 1)
    costs.SOURCE.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
