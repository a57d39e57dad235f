"""Sessions as they might come: by Poisson, most of them small, some very large."""

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from scale import costs
from scale.costs import Load

MEAN_SECONDS = 1200.0
"""How long a session lasts. Exponential, so that those under way at the start are like any others."""

TAIL = 1.2
"""Pareto's exponent of the number of peers, from 2 to MAX_PEERS: most have 2 to 5, one of a thousand 600 or more."""

MAX_PEERS = 2500
"""MAX_ROOM_PEERS by default."""

MEDIAN_RATE, SPREAD, MAX_RATE = 0.2, 1.0, 10.0
"""Messages and changes a second of one who speaks: median and sigma of the logarithm; at most RATE_LIMIT."""

SPEAKERS = 30
"""Of a large session no more than so many speak."""

ROOMS = 4
"""Rooms for each session that is live at a time."""


@dataclass(slots=True)
class Session:
    """One run of a room; ``cell`` is where it is, None while its people look for a place.

    ``arriving`` is what its first people ask for, in cores, until all are there.
    """

    number: int
    room: int
    peers: int
    load: Load
    ends: float
    cell: int | None = None
    arriving: float = 0.0


DRAWN = 20_000
"""Sessions from which it is found how many a load makes."""


def each_second(used: float, cells: int, processes: int) -> float:
    """How many have to begin a second for them to use this share of the cores."""
    drawn = Sessions(0, 1.0, processes)
    asked = 0.0
    for _ in range(DRAWN):
        session = drawn.next(0.0, ())
        asked += session.load.cores * MEAN_SECONDS + session.peers * costs.arrival(session.peers)
    return used * cells * processes * DRAWN / asked


class Sessions:
    """Draws sessions, of one room one at a time; ``processes`` are those of a cell."""

    def __init__(self, seed: int, each_second: float, processes: int) -> None:
        self._random = Random(f"sessions {seed}")
        self._each_second = each_second
        self._processes = processes
        self._rooms = round(ROOMS * each_second * MEAN_SECONDS)
        self._number = 0

    def at_start(self) -> list[Session]:
        """Those that are under way when the simulation begins."""
        found: dict[int, Session] = {}
        for _ in range(round(self._each_second * MEAN_SECONDS)):
            session = self._draw(0.0, found)
            found[session.room] = session
        return list(found.values())

    def wait(self) -> float:
        """Seconds until the next begins."""
        return self._random.expovariate(self._each_second)

    def next(self, now: float, live: Collection[int]) -> Session:
        """One that begins now, in a room that is not ``live``."""
        return self._draw(now, live)

    def _draw(self, now: float, live: Collection[int]) -> Session:
        self._number += 1
        peers = min(MAX_PEERS, int(2 * self._random.paretovariate(TAIL)))
        rate = min(MAX_RATE, MEDIAN_RATE * self._random.lognormvariate(0, SPREAD))
        lasts = self._random.expovariate(1 / MEAN_SECONDS)
        room = self._random.randrange(self._rooms)
        while room in live:
            room = self._random.randrange(self._rooms)
        asked = costs.load(peers, rate * min(peers, SPEAKERS), self._processes)
        return Session(self._number, room, peers, asked, now + lasts)
