"""Run the contests."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from harness.clients import Clients, JoinTimeout, Row
from harness.plan import Contest
from harness.scenarios import Turns
from harness.systems import SYSTEMS


def rounds(contests: Sequence[Contest], *, repetitions: int, seconds: float) -> list[tuple[str, str, Row]]:
    """Measure every contest so many times: (contest, system, row) of each."""
    rows = []
    for repetition in range(repetitions):
        for contest in contests:
            for system, row in measure(contest, seconds):
                print(f"{repetition + 1}/{repetitions} {contest.name:16} {system:27}", shown(row), flush=True)
                rows.append((contest.name, system, row))
    return rows


def measure(contest: Contest, seconds: float) -> Iterator[tuple[str, Row]]:
    """Start the contest's systems, load them in turns, stop them. A system that fails has a row that says so."""
    with ExitStack() as stack:
        under_way: dict[str, Turns] = {}
        waiting: dict[str, Clients | None] = {}
        for system in contest.systems:
            try:
                running = SYSTEMS[system].start(system)
            except RuntimeError as error:
                yield system, {"failed": str(error)}
                continue
            stack.callback(running.group.stop)
            under_way[system] = contest.scenario(running, seconds)
        while under_way:
            for system, turns in list(under_way.items()):
                waiting[system] = None
                try:
                    waiting[system] = next(turns)
                except (StopIteration, JoinTimeout, RuntimeError) as end:
                    del under_way[system]
                    yield system, end.value if isinstance(end, StopIteration) else {"failed": str(end)}
                for clients in filter(None, waiting.values()):
                    clients.settle(0.01, 0.1)  # a server closes what does not answer its pings


def shown(row: Row) -> str:
    """The figures in one line."""
    return " ".join(f"{key}={f'{value:.4g}' if isinstance(value, float) else value}" for key, value in row.items())
