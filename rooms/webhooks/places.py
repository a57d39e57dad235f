"""How much is told side by side, so that receivers which hang leave places to others. Pure.

A receiver is told apart by its host and port.
"""

from collections import Counter
from collections.abc import Iterable

MOST = 32
"""Sessions that are told of at once, of one receiver, and of all together whose last try failed."""
MOST_OF_ONE = 12
MOST_OF_FAILING = 20

_MOST_REMEMBERED = 1000


class Failing:
    """The receivers whose last try failed; of very many the latest."""

    def __init__(self) -> None:
        self.receivers: dict[str, None] = {}

    def note(self, receiver: str, *, failed: bool) -> None:
        self.receivers.pop(receiver, None)
        if failed:
            self.receivers[receiver] = None
            if len(self.receivers) > _MOST_REMEMBERED:
                del self.receivers[next(iter(self.receivers))]


class Places:
    """Those that are taken by what is ``told`` now, given by receivers."""

    def __init__(self, told: Iterable[str] = (), failing: Iterable[str] = ()) -> None:
        self._taken, self._failing = Counter(told), frozenset(failing)

    @property
    def free(self) -> int:
        return MOST - self._taken.total()

    def full(self) -> list[str]:
        """Receivers for which there is no place."""
        return [receiver for receiver in {*self._taken, *self._failing} if not self._has_one_for(receiver)]

    def take(self, receiver: str) -> bool:
        """Take a place if there is one."""
        if not self._has_one_for(receiver):
            return False
        self._taken[receiver] += 1
        return True

    def _has_one_for(self, receiver: str) -> bool:
        if not self.free or self._taken[receiver] >= MOST_OF_ONE:
            return False
        if receiver not in self._failing:
            return True
        return sum(number for one, number in self._taken.items() if one in self._failing) < MOST_OF_FAILING
