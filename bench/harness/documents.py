"""The tables of latest.json in README.md and docs/performance.md."""

import json
from pathlib import Path
from typing import Any

import marked

from harness.places import LATEST, PROJECT
from harness.ratios import RATIOS
from harness.report import Ratios, shown, verdict

MORE, LESS = "more", "less"

HEADLINES = (
    ("200 rooms of 5: most deliveries a second, over those of a Socket.IO that stores sets of messages before it"
     " acknowledges them", "rooms_storing_socketio", MORE),
    ("the same, over one that stores each by itself", "rooms_storing_each_socketio", MORE),
    ("the same, over a Socket.IO that stores nothing", "rooms_socketio", MORE),
    ("the same, over Colyseus, which stores nothing", "rooms_colyseus", MORE),
    ("the same where each message stored is one deleted, over the Socket.IO that stores sets",
     "rooms_pruning_storing_socketio", MORE),
    ("a room of 200: deliveries for a second of CPU, each frame by itself, over Socket.IO's", "room200_socketio", MORE),
    ("the same with frames that follow each other going together, as they do by default when much is said",
     "room200_coalesced_socketio", MORE),
    ("a change of metadata until all of 200 have it, over Socket.IO's time", "metadata_socketio", LESS),
    ("an acknowledgement at 100 messages a second, ms", "ack_p50_ms", LESS),
    ("the same, over the time of the Socket.IO that stores sets", "ack_storing_socketio", LESS),
    ("1,000 joins into one room, over Socket.IO's time", "join1000_socketio", LESS),
    ("a room of 1,000 back after a restart, over the time of its joins", "reconnect1000_join1000", LESS),
    ("5,000 rooms of one peer, percent of a core", "idle_rooms_cpu", LESS),
    ("memory of an idle connection, over Socket.IO's", "memory_socketio", LESS),
)  # fmt: skip
"""What README.md says of which ratio, and what of it is better."""

GROWTH = {
    "peers": "a room of {} peers",
    "rooms": "{} rooms of 5 peers",
    "characters": "messages of {} characters in a room of 200",
}

Figures = dict[str, dict[str, Any]]  # scenario → system → figures
Tables = dict[str, list[list[str]]]


def fill() -> None:
    """Put the tables where they belong."""
    for document, tables in all_tables().items():
        document.write_text(marked.put_into(document.read_text(), tables))


def all_tables() -> dict[Path, Tables]:
    """By document. What latest.json lacks, after a quick run, the tables lack."""
    latest = json.loads(LATEST.read_text())
    ratios, figures = latest["ratios"], latest["figures"]
    return {
        PROJECT / "README.md": {"headlines": _headlines(ratios)},
        PROJECT / "docs/performance.md": {
            "run": _run(latest),
            "ratios": _ratios(ratios),
            "growth": _growth(figures),
            "sets": _sets(figures),
        },
    }


def _headlines(ratios: Ratios) -> list[list[str]]:
    named = {ratio.name: ratio for ratio in RATIOS}
    rows = [[title, *verdict(named[name], ratios), better] for title, name, better in HEADLINES if name in ratios]
    return [["", "measured", "asked", "", "better is"], *rows]


def _ratios(ratios: Ratios) -> list[list[str]]:
    rows = [[f"`{ratio.name}`", *verdict(ratio, ratios)] for ratio in RATIOS if ratio.name in ratios]
    return [["", "measured", "asked", ""], *rows]


def _run(latest: dict[str, Any]) -> list[list[str]]:
    run, machine, versions = latest["run"], latest["machine"], latest["versions"]
    quick = ", a quick one" if run["quick"] else ""
    return [
        ["the run", ""],
        ["commit", f"`{run['commit']}`"],
        ["repetitions", f"{run['repetitions']} of {run['seconds']:g} s a measurement{quick}"],
        ["machine", f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB"],
        ["system", machine["system"]],
        ["versions", ", ".join(f"{name} {version}" for name, version in versions.items())],
    ]


def _growth(figures: Figures) -> list[list[str]]:
    """Of one scenario, with each frame by itself and with frames going together."""
    alone, together = (_of(figures, "growth", name) for name in ("hmsroom-uncoalesced", "hmsroom"))
    rows = []
    for name, cost in alone.items():
        kind, _, size = name.partition("_")
        rows.append([GROWTH[kind].format(f"{int(size):,}"), shown(cost), shown(together.get(name))])
    return [["", "coalescing off", "on"], *rows]


def _sets(figures: Figures) -> list[list[str]]:
    found = _of(figures, "sets", "hmsroom")
    waiting = [name.removeprefix("under_way_") for name in found]
    return [["messages under way", *waiting], ["µs of CPU for one", *map(shown, found.values())]]


def _of(figures: Figures, scenario: str, system: str) -> dict[str, Any]:
    found: dict[str, Any] = figures.get(scenario, {}).get(system, {})
    return found
