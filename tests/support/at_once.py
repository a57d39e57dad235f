"""Several things done at the same moment."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def in_threads(function: Callable[[A], B], values: Iterable[A]) -> list[B]:
    """What a function makes of each value, each in a thread of its own."""
    chosen = list(values)
    with ThreadPoolExecutor(len(chosen)) as threads:
        return list(threads.map(function, chosen))
