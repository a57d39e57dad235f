"""How fast somebody may ask."""

import time
from collections.abc import Callable


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
    def is_full(self) -> bool:
        """Whether it has forgotten everything that was taken."""
        return self._level + (self._clock() - self._filled_at) * self._rate >= self._burst


class Buckets:
    """A bucket for each key; those that are full again are forgotten."""

    _SWEEP_AT = 1024

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._held: dict[str, Bucket] = {}

    def take(self, key: str) -> bool:
        bucket = self._held.get(key)
        if bucket is None:
            if len(self._held) >= self._SWEEP_AT:
                self._held = {key: bucket for key, bucket in self._held.items() if not bucket.is_full}
            bucket = self._held[key] = Bucket(self._rate, self._burst)
        return bucket.take()
