"""The requests of one socket in their turns: which may be under way together, and how many may wait."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

MAX_WAITING = 64
"""Requests of one socket that may wait for their turn."""

# These may be under way together; any other waits for those before it.
_UNORDERED = frozenset({"broadcast"})


class _Request(Protocol):
    @property
    def method(self) -> str: ...


R = TypeVar("R", bound=_Request)


class Requests(Generic[R]):
    """Starts each request of a socket as soon as it may, in the order of their coming.

    ``start`` returns whether the request is under way; otherwise it is done with. The opening of the socket counts as
    one under way, so nothing starts before the first ``finish``.
    """

    __slots__ = ("_in_order", "_start", "_under_way", "_waiting")

    def __init__(self, start: Callable[[R], bool]) -> None:
        self._start = start
        self._waiting: list[R] = []
        self._under_way = 1
        self._in_order = True  # whether what is under way has to end before anything else starts

    def add(self, request: R) -> bool:
        """Start a request, or have it wait; False if too many wait already."""
        if len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting.append(request)
        self._go_on()
        return True

    def finish(self) -> None:
        """One that was under way has its answer."""
        self._under_way -= 1
        if self._waiting:
            self._go_on()

    def clear(self) -> None:
        """Give up those that wait."""
        self._waiting.clear()

    def _go_on(self) -> None:
        while self._waiting:
            unordered = self._waiting[0].method in _UNORDERED
            if self._under_way and (self._in_order or not unordered):
                return
            self._in_order = not unordered
            if self._start(self._waiting.pop(0)):
                self._under_way += 1
