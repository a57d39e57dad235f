"""Medians over the repetitions, as a table for people and as latest.json for programs."""

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.clients import Row
from harness.places import BENCH, LATEST, NODE, NODE_MODULES, PROJECT
from harness.plan import Contest
from harness.ratios import RATIOS, Ratio

Medians = dict[str, dict[str, Row]]  # contest → system → figures
Ratios = dict[str, float]  # by their names
REFERENCE = "socket.io"
PEER_PACKAGES = ("picows", "python-socketio", "uvloop")


def medians(rows: Sequence[tuple[str, str, Row]]) -> Medians:
    """The median of each figure over the (contest, system, row) of all repetitions."""
    found: Medians = {}
    for contest, system in dict.fromkeys((contest, system) for contest, system, _ in rows):
        same = [row for name, by, row in rows if (name, by) == (contest, system)]
        keys = dict.fromkeys(key for row in same for key in row)
        figures = {key: _median([row.get(key) for row in same]) for key in keys}
        found.setdefault(contest, {})[system] = figures
    return found


def _median(values: Sequence[object]) -> float | str | None:
    """Of numbers; or why there are none."""
    numbers = [value for value in values if isinstance(value, int | float)]
    reasons = [value for value in values if isinstance(value, str)]
    return statistics.median(numbers) if numbers else reasons[0] if reasons else None


def table(found: Medians, contests: Sequence[Contest]) -> str:
    """Every scenario with its systems, their figures, and how the compared figure relates to socket.io's."""
    parts = []
    for contest in contests:
        systems = found.get(contest.name, {})
        columns = list(dict.fromkeys(key for figures in systems.values() for key in figures))
        reference = systems.get(REFERENCE, {}).get(contest.figure)
        lines = [["system", *columns, f"x {REFERENCE}"]]
        for system, figures in systems.items():
            ratio = _over(figures.get(contest.figure), reference)
            lines.append([system, *(shown(figures.get(column)) for column in columns), shown(ratio)])
        parts.append(f"{contest.name}: {_first_line(contest)}\n{_aligned(lines)}")
    return "\n\n".join(parts)


def _over(one: object, other: object) -> float | None:
    if isinstance(one, int | float) and isinstance(other, int | float) and other:
        return one / other
    return None


def _first_line(contest: Contest) -> str:
    return (contest.scenario.__doc__ or "").strip().splitlines()[0]


def shown(value: object) -> str:
    """A figure for people: three digits, or all before the point."""
    if not isinstance(value, int | float):
        return str(value or "")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in lines)
    return "\n".join("  " + "  ".join(cells) for cells in padded)


def ratios(found: Medians, contests: Sequence[Contest]) -> Ratios:
    """Every comparison whose two sides were measured."""
    compared: Ratios = {}
    figure_of = {contest.name: contest.figure for contest in contests}
    for ratio in RATIOS:
        ours, theirs = (
            found.get(contest, {}).get(system, {}).get(ratio.figure or figure_of.get(contest, ""))
            for contest, system in (ratio.ours, ratio.theirs or ratio.ours)
        )
        over = _over(ours, theirs if ratio.theirs else 1)
        if over is not None:
            compared[ratio.name] = round(over, 3)
    return compared


def write(found: Medians, contests: Sequence[Contest], run: dict[str, object]) -> None:
    """Keep the ratios, the figures they come from, and what was run of which commit, in latest.json."""
    content = {
        "run": {**run, "commit": _commit()},
        "machine": _machine(),
        "versions": _versions(),
        "ratios": ratios(found, contests),
        "figures": found,
    }
    LATEST.write_text(json.dumps(content, indent=2) + "\n")


def _commit() -> str:
    """What is measured; "-dirty" with changes beside, empty where there is no history."""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _machine() -> dict[str, object]:
    models = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    kibibytes = int(_lines("/proc/meminfo")[0].split()[1])
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(kibibytes / (1 << 20), 1),
        "system": platform.platform(),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _versions() -> dict[str, str]:
    node = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    versions = {"python": platform.python_version(), "node": node.lstrip("v")}
    for package in ("django", "channels", "daphne", "uvicorn"):
        versions[package] = importlib.metadata.version(package)
    for line in _lines(str(BENCH / "requirements.txt")):
        name, _, version = line.partition("==")
        if name in PEER_PACKAGES:
            versions[name] = version
    for package in ("socket.io", "@colyseus/core"):
        versions[package] = json.loads((NODE_MODULES / package / "package.json").read_text())["version"]
    return versions


def ratio_table(found: Ratios) -> str:
    """The ratios of these names, with what is asked of them and whether it is missed."""
    rows = [[ratio.name, *verdict(ratio, found)] for ratio in RATIOS if ratio.name in found]
    return _aligned([["ratio", "", "asked", ""], *rows])


def verdict(ratio: Ratio, found: Ratios) -> tuple[str, str, str]:
    """Its value, what is asked of it, and whether that is missed."""
    value, asked = found[ratio.name], ratio.asked
    return shown(value), str(asked or ""), "" if asked is None or asked.met(value) else "missed"


_SHORT = ("missing", "unanswered", "without", "lost")
"""Figures of what was waited for and did not come: the time of such a run is none."""


def failures(found: Medians) -> bool:
    """Whether a system could not be measured, or did not do all that was asked of it."""
    rows = [figures for systems in found.values() for figures in systems.values()]
    return any("failed" in figures or any(figures.get(name) for name in _SHORT) for figures in rows)
