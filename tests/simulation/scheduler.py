"""Virtual time: one queue of all that is to happen, in the order of moments, and the seed that decides by chance.

Nothing waits for real time. What happens when depends on the seed alone, so a run can be had again.
"""

import heapq
import random
import zlib
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Protocol

Action = Callable[[], object]


class Violation(AssertionError):
    """The server did what it must not do."""


class Owner(Protocol):
    """Whoever an action belongs to: the dead do nothing any more, the frozen later."""

    dead: bool
    frozen_until: float


class Due:
    """An action at a moment; without ``action`` it was called off."""

    __slots__ = ("action", "owner")

    def __init__(self, action: Action, owner: Owner | None) -> None:
        self.action: Action | None = action
        self.owner = owner

    def cancel(self) -> None:
        self.action = None


class Scheduler:
    """See the module. ``now`` is in seconds since the beginning."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.steps = 0
        self.seen: Counter[str] = Counter()
        """How often something happened that ought to, in some run at least."""
        self.trace: deque[str] = deque(maxlen=400)
        self._digest = 0
        self._queue: list[tuple[float, int, Due]] = []
        self._count = 0

    def at(self, moment: float, action: Action, owner: Owner | None = None) -> Due:
        due = Due(action, owner)
        self._count += 1
        heapq.heappush(self._queue, (moment, self._count, due))
        return due

    def after(self, seconds: float, action: Action, owner: Owner | None = None) -> Due:
        return self.at(self.now + seconds, action, owner)

    def step(self) -> bool:
        """Do what is next; whether there was anything."""
        while self._queue:
            moment, number, due = heapq.heappop(self._queue)
            owner = due.owner
            if due.action is None or (owner and owner.dead):
                continue
            if owner and owner.frozen_until > moment:
                # With its number, so that what was due first stays first.
                heapq.heappush(self._queue, (owner.frozen_until, number, due))
                continue
            self.now = moment
            self.steps += 1
            self._digest = hash((self._digest, moment, number))
            due.action()
            return True
        return False

    def note(self, *words: Any) -> None:
        """Write a line of the trace."""
        line = " ".join(map(str, words))
        self.trace.append(f"{self.steps:>7} {self.now:10.4f}  {line}")
        self._digest = hash((self._digest, zlib.crc32(line.encode())))

    def sometimes(self, what: str) -> None:
        """Count that this was reached."""
        self.seen[what] += 1

    @property
    def digest(self) -> str:
        """What differs if anything in the whole run did."""
        return f"{self._digest & (1 << 64) - 1:016x}"

    # --- Chance

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def delay(self, usual: float) -> float:
        """Seconds that something takes: mostly about so many, now and then many more."""
        luck = self.random.random()
        most = usual * (2 if luck < 0.9 else 20 if luck < 0.99 else 100)
        return self.random.random() * most
