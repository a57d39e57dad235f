"""What is printed."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from scale import costs
from scale.seen import Seen, Storm
from scale.world import Plan

RATES = (2.0, 20.0, 200.0)
"""Messages a second in the largest session that fits."""

PATIENCE = 60.0
"""PEER_GRACE: who is back within it was never gone."""


def table(found: Mapping[str, Seen], plan: Plan) -> str:
    """A line for each thing that was seen, a column for each policy."""
    rows = [["", *found]] + [[title, *map(say, found.values())] for title, say in _lines(plan)]
    width = max(len(row[0]) for row in rows)
    return "\n".join(row[0].ljust(width) + "".join(cell.rjust(16) for cell in row[1:]) for row in rows)


def _lines(plan: Plan) -> Iterator[tuple[str, Callable[[Seen], str]]]:
    calm, later = slice(0, plan.dies), slice(plan.dies, plan.end)
    yield "sessions live, mean", lambda seen: f"{sum(seen.live) / len(seen.live):,.0f}"
    yield "sessions begun", lambda seen: f"{seen.begun:,}"
    yield "not where their room was before", lambda seen: f"{seen.rooms_moved / max(1, seen.returned):.1%}"
    for what in ("cores", "commits", "sockets"):
        yield f"calm: {what} used of the fullest cell", partial(_share, what, calm)
    yield "calm: share used of cells, median", lambda seen: f"{_used(seen, calm, 0.5):.1%}"
    yield "calm: share used, p99", lambda seen: f"{_used(seen, calm, 0.99):.1%}"
    yield "calm: sessions on a cell over 80 %", lambda seen: f"{_mean(seen.on_full[calm]):.1%}"
    yield "later: share used, p99", lambda seen: f"{_used(seen, later, 0.99):.1%}"
    yield "later: sessions on a cell over 80 %", lambda seen: f"{_mean(seen.on_full[later]):.1%}"
    for number, name in enumerate(("a cell dies", "a drained cell is emptied")):
        yield from _storm(name, number)
    yield "a cell is added: has its part after", lambda seen: _seconds(seen.has_its_part_after)
    yield "router: lookups a second, calm", lambda seen: f"{_mean(seen.lookups[calm]):,.0f}"
    yield "router: lookups in the worst second", lambda seen: f"{max(seen.lookups):,.0f}"
    yield "its table is lost: questions, worst second", lambda seen: f"{max(seen.questions):,}"
    yield "its table is lost: nine of ten known after", lambda seen: _seconds(seen.known_after)
    yield "sessions torn if it placed, not asked", lambda seen: f"{seen.torn:.1%}"


def _storm(name: str, number: int) -> Iterator[tuple[str, Callable[[Seen], str]]]:
    def storm(seen: Seen) -> Storm:
        return seen.storms[number]

    yield f"{name}: sessions interrupted", lambda seen: f"{storm(seen).sessions:,}"
    yield f"{name}: people who look for a place", lambda seen: f"{storm(seen).peers:,}"
    yield f"{name}: all back after", lambda seen: _seconds(_lasted(storm(seen)))
    yield f"{name}: fullest cell", lambda seen: f"{storm(seen).fullest:.0%}"


def largest(plan: Plan) -> str:
    """The largest session that one cell holds, by what limits it."""
    lines = [(f"{rate:g} messages a second", costs.largest_by_messages(rate, plan.processes)) for rate in RATES]
    for how, announced in (("joins announced", True), ("as a large room", False)):
        peers = costs.largest_by_return(PATIENCE, plan.processes, announced=announced)
        lines.append((f"all back {PATIENCE:g} s after a restart, {how}", peers))
    return "\n".join(f"largest session, {name}: {peers:,} people" for name, peers in lines)


def _lasted(storm: Storm) -> float | None:
    return None if storm.over is None else storm.over - storm.began


def _seconds(value: float | None) -> str:
    return "not by the end" if value is None else f"{value:,.0f} s"


def _used(seen: Seen, when: slice, part: float) -> float:
    values = sorted(share for used in seen.used[when] for share in used)
    return values[min(len(values) - 1, int(part * len(values)))]


def _share(what: str, when: slice, seen: Seen) -> str:
    return f"{_mean([shares[what] for shares in seen.shares[when]]):.1%}"


def _mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))
