"""This process's clock: the wall clock, but that no step of it shows at once.

Spans are kept as moments in the database: since when somebody is away, until when a poll runs. A clock that is set
forward by a minute would end them all. So this one goes on as time passes and catches up with the wall clock by a
twentieth of what passes, forwards or backwards, and never goes back itself.
"""

import functools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

_CATCHES_UP = 0.05

# That which also counts while the machine sleeps.
_passing = functools.partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Clock:
    """See the module. ``wall`` gives seconds since 1970, ``passing`` those since any moment, without steps."""

    def __init__(self, wall: Callable[[], float] = time.time, passing: Callable[[], float] = _passing) -> None:
        self._wall, self._passing = wall, passing
        self._lock = threading.Lock()
        self._shown, self._looked = wall(), passing()

    def seconds(self) -> float:
        """Seconds since 1970."""
        with self._lock:
            moment = self._passing()
            passed, self._looked = moment - self._looked, moment
            most = passed * _CATCHES_UP
            behind = self._wall() - self._shown - passed
            self._shown += passed + min(max(behind, -most), most)
            return self._shown


seconds = Clock().seconds


def now() -> datetime:
    return datetime.fromtimestamp(seconds(), UTC)
