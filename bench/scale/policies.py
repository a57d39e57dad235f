"""Where a session begins. What a policy knows of a cell's load is its last report, which is some seconds old."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from random import Random
from typing import Protocol


class Policy(Protocol):
    def place(self, room: int, cells: Sequence[int], reports: Mapping[int, float]) -> int:
        """The cell for a session that begins in a room; ``cells`` are those that take any."""

    def placed(self, room: int, cell: int, share: float) -> None:
        """A session that needs such a share of a cell went there."""

    def reported(self) -> None:
        """There are new reports."""


class Hash:
    """By the room alone: the cell with which it has the highest hash, so that a new cell draws from all alike."""

    def place(self, room: int, cells: Sequence[int], reports: Mapping[int, float]) -> int:
        return max(cells, key=lambda cell: blake2b(b"%d %d" % (room, cell), digest_size=8).digest())

    def placed(self, room: int, cell: int, share: float) -> None:
        pass

    def reported(self) -> None:
        pass


class Least(Hash):
    """The cell with the lowest report; one that has none yet is empty."""

    def place(self, room: int, cells: Sequence[int], reports: Mapping[int, float]) -> int:
        return min(cells, key=lambda cell: (reports.get(cell, 0.0), cell))


class Two(Hash):
    """The one with the lower report of two cells drawn by lot."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"policy {seed}")

    def place(self, room: int, cells: Sequence[int], reports: Mapping[int, float]) -> int:
        drawn = self._random.sample(cells, min(2, len(cells)))
        return min(drawn, key=lambda cell: (self._load(cell, reports), cell))

    def _load(self, cell: int, reports: Mapping[int, float]) -> float:
        return reports.get(cell, 0.0)


class Home(Two):
    """Where the room was the last time, unless that is rather full; else of two, with what went there since counted."""

    RATHER_FULL = 0.7

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._homes: dict[int, int] = {}
        self._sent: dict[int, float] = {}

    def place(self, room: int, cells: Sequence[int], reports: Mapping[int, float]) -> int:
        home = self._homes.get(room)
        if home is not None and home in cells and self._load(home, reports) < self.RATHER_FULL:
            return home
        return super().place(room, cells, reports)

    def _load(self, cell: int, reports: Mapping[int, float]) -> float:
        return reports.get(cell, 0.0) + self._sent.get(cell, 0.0)

    def placed(self, room: int, cell: int, share: float) -> None:
        self._homes[room] = cell
        self._sent[cell] = self._sent.get(cell, 0.0) + share

    def reported(self) -> None:
        self._sent.clear()


NAMES = ("hash", "least", "two", "home")


def make(name: str, seed: int) -> Policy:
    return {"hash": Hash, "least": Least, "two": lambda: Two(seed), "home": lambda: Home(seed)}[name]()
