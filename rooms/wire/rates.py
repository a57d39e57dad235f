"""How fast somebody may ask, and how much of it at once."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address


class Bucket:
    """A token bucket: rate a second on average, burst at once. A rate of 0 is no limit."""

    __slots__ = ("_burst", "_clock", "_filled_at", "_level", "_rate")

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._level, self._filled_at = float(burst), clock()

    def take(self) -> bool:
        """Whether one more is within the rate; if so it counts."""
        if not self._rate:
            return True
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True

    @property
    def retry_after(self) -> float:
        """Seconds until one more is within the rate."""
        if not self._rate:
            return 0.0
        missing = 1 - self._level - (self._clock() - self._filled_at) * self._rate
        return max(0.0, missing / self._rate)

    @property
    def standing(self) -> tuple[int, float]:
        """How many more are within the rate now, and seconds until it has forgotten everything that was taken."""
        level = min(self._burst, self._level + (self._clock() - self._filled_at) * self._rate)
        return int(level), (self._burst - level) / self._rate if self._rate else 0.0

    @property
    def is_full(self) -> bool:
        """Whether it has forgotten everything that was taken."""
        return not self._rate or self._level + (self._clock() - self._filled_at) * self._rate >= self._burst


class Buckets:
    """A bucket for each key. Those that are full again are forgotten, and those used longest ago beyond ``most``.

    Each HTTP request has a thread of its own, so any number of them may ask at once.
    """

    def __init__(
        self, rate: float, burst: float, *, most: int = 16_384, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._most, self._clock = rate, burst, most, clock
        self._held: OrderedDict[str, Bucket] = OrderedDict()  # used longest ago first
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def take(self, key: str) -> bool:
        """Whether one more of this key is within its rate; if so it counts."""
        with self._lock:
            return self._take(key)

    def wait(self, key: str) -> float:
        """Seconds until one more of this key is within its rate."""
        with self._lock:
            return self._held[key].retry_after if key in self._held else 0.0

    def standing(self, key: str) -> tuple[int, float]:
        """As of the bucket of this key."""
        with self._lock:
            # Another thread may have had it forgotten, for it was full again.
            bucket = self._held.get(key)
        return bucket.standing if bucket else (int(self._burst), 0.0)

    def _take(self, key: str) -> bool:
        bucket = self._held.get(key)
        if bucket is None:
            # Two for each that is added: so they become fewer, and no call looks at many.
            for _ in range(2):
                if self._held and next(iter(self._held.values())).is_full:
                    self._held.popitem(last=False)
            if len(self._held) >= self._most:
                self._held.popitem(last=False)
            bucket = self._held[key] = Bucket(self._rate, self._burst, self._clock)
        else:
            self._held.move_to_end(key)
        return bucket.take()


class Allowance:
    """What the sockets of one owner in one room may ask for together.

    ``calls`` are what reaches the database, and new sockets; ``others`` are pings and what clients tell of themselves.
    """

    __slots__ = ("calls", "others", "sockets")

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self.calls = Bucket(rate, burst, clock)
        self.others = Bucket(rate * OTHERS, burst * OTHERS, clock)
        self.sockets = 0

    @property
    def is_full(self) -> bool:
        return self.calls.is_full and self.others.is_full


OTHERS = 5
"""How many times the rate of calls that of everything else is."""


class Allowances:
    """The allowance of each owner in each room, which outlives its sockets until it is full again."""

    def __init__(
        self, rate: float, burst: float, *, most: int = 16_384, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._most, self._clock = rate, burst, most, clock
        self._used: dict[tuple[str, str], Allowance] = {}
        self._left: OrderedDict[tuple[str, str], Allowance] = OrderedDict()  # without sockets, the oldest first

    def __len__(self) -> int:
        return len(self._used) + len(self._left)

    def open(self, key: tuple[str, str]) -> Allowance:
        """The allowance for one more socket of (room id, owner); ``close`` it as often."""
        allowance = self._used.get(key)
        if allowance is None:
            allowance = self._left.pop(key, None) or Allowance(self._rate, self._burst, self._clock)
            self._used[key] = allowance
        allowance.sockets += 1
        return allowance

    def close(self, key: tuple[str, str]) -> None:
        allowance = self._used[key]
        allowance.sockets -= 1
        if allowance.sockets:
            return
        self._left[key] = self._used.pop(key)
        # Two for each that is added, as in Buckets.
        for _ in range(2):
            if self._left and next(iter(self._left.values())).is_full:
                self._left.popitem(last=False)
        if len(self._left) > self._most:
            self._left.popitem(last=False)


def network(address: str) -> str:
    """What an address counts as: an IPv6 one as its /64, which one client has whole; a mapped IPv4 one as IPv4."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
