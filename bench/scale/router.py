"""What ``/init`` passes through: the table of rooms and cells, and how often it is asked."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from random import Random

from scale.policies import make
from scale.sessions import Session

COMES_BACK = 1800.0
"""Seconds after which, on average, somebody loses the connection or reloads, and asks ``/init`` again."""

FIRST, LONGEST = 0.5, 6.0
"""Seconds that our script waits before it tries again, at first and at most, as in client/connection/backoff.js."""


class Router:
    """``cells`` are those that new sessions may begin in; ``table`` has the live sessions' rooms."""

    def __init__(self, policy: str, cells: list[int], seed: int) -> None:
        self._new_policy = partial(make, policy, seed)
        self.policy = self._new_policy()
        self.cells = cells
        self.table: dict[int, int] = {}
        self.reports: dict[int, float] = {}
        self.lookups: Counter[int] = Counter()
        self.questions: Counter[int] = Counter()
        self._random = Random(f"router {seed}")

    def report(self, loads: dict[int, float]) -> None:
        """Hear what the cells said of themselves; of one that is silent the last that it said counts."""
        self.reports |= loads
        self.policy.reported()

    def place(self, session: Session, share: float) -> int:
        """The cell for a session that has none."""
        cell = self.policy.place(session.room, self.cells, self.reports)
        self.policy.placed(session.room, cell, share)
        self.table[session.room] = cell
        return cell

    def come_back(self, session: Session, now: float, known_from: float) -> Iterator[float]:
        """For each of the people of a session whose cell is lost, when the router tells of another.

        That is from ``known_from`` on. Until then they ask again and again.
        """
        for _ in range(session.peers):
            at, longest = now, FIRST
            while True:
                at += longest * self._random.uniform(0.5, 1)
                longest = min(LONGEST, 2 * longest)
                self.lookups[int(at)] += 1
                if at >= known_from:
                    break
            yield at

    def forget(self, live: list[Session], now: float, cells: int) -> tuple[float, float]:
        """Begin with an empty table: a room that is asked for is looked for in all cells, once.

        Which share of the live sessions would be torn in two if the router placed them like new ones instead; and after
        how many seconds nine of ten are known.
        """
        first = sorted(now + self._random.expovariate(session.peers / COMES_BACK) for session in live)
        for at in first:
            self.questions[int(at)] += cells
        forgetful = self._new_policy()
        places = [forgetful.place(session.room, self.cells, self.reports) for session in live]
        torn = sum(place != session.cell for place, session in zip(places, live, strict=True))
        return torn / len(live), first[int(0.9 * len(first))] - now
