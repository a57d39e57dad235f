"""Run the contests."""

import time
from collections.abc import Sequence

from harness.clients import JoinTimeout, Row
from harness.plan import Contest
from harness.systems import SYSTEMS


def rounds(contests: Sequence[Contest], *, repetitions: int, seconds: float) -> list[tuple[str, str, Row]]:
    """Measure every contest so many times, its systems in turn: (contest, system, row) of each."""
    rows = []
    for repetition in range(repetitions):
        for contest in contests:
            for system in contest.systems:
                started = time.monotonic()
                row = measure(contest, system, seconds)
                taken = time.monotonic() - started
                title = f"{repetition + 1}/{repetitions} {contest.name:16} {system:27} {taken:5.1f} s"
                print(title, shown(row), flush=True)
                rows.append((contest.name, system, row))
    return rows


def measure(contest: Contest, system: str, seconds: float) -> Row:
    """Start the system, load it, stop it. A system that fails has a row that says so."""
    try:
        running = SYSTEMS[system].start(system)
    except RuntimeError as error:
        return {"failed": str(error)}
    try:
        return contest.scenario(running, seconds)
    except (JoinTimeout, RuntimeError) as error:
        return {"failed": str(error)}
    finally:
        running.group.stop()


def shown(row: Row) -> str:
    """The figures in one line."""
    return " ".join(f"{key}={f'{value:.4g}' if isinstance(value, float) else value}" for key, value in row.items())
