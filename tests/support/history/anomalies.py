"""What can be wrong with a history, and the one question that all checks ask: did time run backwards?"""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

ABORTED_READ = "aborted read"  # of something that was refused
DUPLICATE = "duplicate"  # what happened once was told or numbered twice
FALSE_CONFLICT = "false conflict"  # refused, although the version was the expected one
FUTURE_READ = "read from the future"  # of something that nobody had asked for yet
LEAK = "leak"  # told to somebody whom it was not for
LOST_MESSAGE = "lost message"
LOST_UPDATE = "lost update"  # written over by somebody who had not seen it
MISSED_CHANGE = "missed change"  # between two that an observer was told
PHANTOM = "phantom"  # nobody asked for it
REORDER = "reorder"
SPLIT_BRAIN = "split brain"  # two truths at once
STALE_READ = "stale read"


class Anomaly(NamedTuple):
    """``where`` are the lines of the history that contradict each other."""

    name: str
    what: str
    where: tuple[int, ...] = ()

    def __str__(self) -> str:
        lines = ", ".join(str(line + 1) for line in self.where)
        return f"{self.name}: {self.what}" + (f" (lines {lines})" if lines else "")


class Moment(NamedTuple):
    """Something that took effect between two lines of the history: ``rank`` says after what, by its own account.

    What was merely told has no start: it can have happened at any time before.
    """

    start: float
    end: float
    rank: tuple[int, int]
    writes: bool
    what: Any

    @property
    def lines(self) -> tuple[int, ...]:
        return tuple(int(line) for line in (self.start, self.end) if math.isfinite(line))


def written(start: float, end: float, place: int, what: Any) -> Moment:
    return Moment(start, end, (place, 0), True, what)


def read(start: float, end: float, place: int, what: Any) -> Moment:
    """A read comes after what was written at its place."""
    return Moment(start, end, (place, 1), False, what)


def told(line: float, place: int, what: Any) -> Moment:
    return read(-math.inf, line, place, what)


def backwards(moments: Iterable[Moment]) -> Iterator[Anomaly]:
    """Those that began when something of a higher rank was over."""
    bounds = [(moment.start, moment) for moment in moments] + [(moment.end, moment) for moment in moments]
    latest: Moment | None = None
    for line, moment in sorted((bound for bound in bounds if math.isfinite(bound[0])), key=lambda bound: bound[0]):
        if line == moment.end:
            latest = max(latest, moment, key=lambda known: known.rank) if latest else moment
        elif latest and latest.rank > moment.rank:
            yield Anomaly(_name(latest, moment), f"{moment.what} after {latest.what}", latest.lines + moment.lines)


def _name(earlier: Moment, later: Moment) -> str:
    if not later.writes:
        return STALE_READ
    return REORDER if earlier.writes or earlier.rank[0] > later.rank[0] else FUTURE_READ
