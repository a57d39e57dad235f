"""What is written down while the simulation runs."""

from collections.abc import Collection
from dataclasses import dataclass, field

from scale import costs
from scale.cells import Cell

AFTERMATH = 300
"""Seconds after a storm's beginning in which the fullest cell is looked for."""

ALIKE = 0.8
"""Of the mean of the others: a new cell that is so full has its part."""


@dataclass(slots=True)
class Storm:
    """People of ``sessions`` come back at once, to another cell from ``known_from`` on; ``over`` when all are in."""

    began: float
    known_from: float
    sessions: int
    peers: int = 0
    last_arrival: float = 0.0
    over: float | None = None
    fullest: float = 0.0

    def look(self, second: int, cells: Collection[Cell]) -> None:
        if second < self.began + AFTERMATH:
            self.fullest = max(self.fullest, *(cell.used for cell in cells))
        if self.over is None and second > self.last_arrival and not any(cell.waiting for cell in cells):
            self.over = second + 1.0


@dataclass(slots=True)
class Hot:
    """A room that became hot: the share of its cell that was used before, and the sessions ``beside`` it there.

    ``most`` is the largest share used while it lasts, ``full`` the seconds with too much.
    """

    before: float = 0.0
    beside: int = 0
    most: float = 0.0
    full: int = 0

    def look(self, cell: Cell) -> None:
        self.most = max(self.most, cell.used)
        self.full += cell.used > costs.FULL


@dataclass(slots=True)
class Seen:
    """Lists have a value for each second: ``used`` the share used of each cell, ``shares`` what is used of the fullest
    one, ``on_full`` the share of sessions on a full one.
    """

    begun: int = 0
    ended: int = 0
    live: list[int] = field(default_factory=list)
    used: list[list[float]] = field(default_factory=list)
    on_full: list[float] = field(default_factory=list)
    shares: list[dict[str, float]] = field(default_factory=list)
    storms: list[Storm] = field(default_factory=list)
    returned: int = 0
    rooms_moved: int = 0
    lookups: list[float] = field(default_factory=list)
    questions: list[int] = field(default_factory=list)
    torn: float = 0.0
    known_after: float = 0.0
    has_its_part_after: int | None = None
    hot: Hot = field(default_factory=Hot)

    def look(self, second: int, cells: list[Cell]) -> None:
        """At the end of a second."""
        used = [cell.used for cell in cells]
        counts = [len(cell.sessions) for cell in cells]
        full = sum(number for number, share in zip(counts, used, strict=True) if share > costs.FULL)
        self.live.append(sum(counts))
        self.used.append(used)
        self.on_full.append(full / max(1, sum(counts)))
        self.shares.append(max(cells, key=lambda cell: cell.used).shares)
        for storm in self.storms:
            storm.look(second, cells)

    def look_at_new(self, cell: Cell, others: list[Cell], since: int) -> None:
        """Whether a cell that was added so many seconds ago has its part."""
        mean = sum(other.used for other in others) / len(others)
        if self.has_its_part_after is None and cell.used >= ALIKE * mean:
            self.has_its_part_after = since
