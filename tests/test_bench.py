"""What the documents say of speed is what the benchmark measured, and the benchmark measures what it says."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))

import marked
from harness import coming, documents, install, plan, report
from harness.places import LATEST
from harness.ratios import RATIOS
from harness.systems import SYSTEMS


@pytest.mark.parametrize("document", documents.all_tables(), ids=lambda path: path.name)
def test_the_tables_are_those_of_the_last_run(document: Path) -> None:
    """`bench/run.py --docs` puts them there."""
    text = document.read_text()
    assert marked.put_into(text, documents.all_tables()[document]) == text


def test_the_ratios_are_those_of_the_figures() -> None:
    latest = json.loads(LATEST.read_text())
    assert report.ratios(latest["figures"], plan.FULL) == latest["ratios"]


def test_every_ratio_is_of_what_is_measured() -> None:
    measured = {(contest.name, system) for contest in plan.FULL for system in contest.systems}
    assert {side for ratio in RATIOS for side in (ratio.ours, ratio.theirs) if side} <= measured
    assert {contest.name for contest in plan.QUICK} == {"room200", "rooms", "metadata", "join1000"}
    assert {name for _, name, _ in documents.HEADLINES} <= {ratio.name for ratio in RATIOS}


def test_reads_of_the_journal_are_counted_when_peers_come_back() -> None:
    install.generator()
    running = SYSTEMS["hmsroom-counting"].start("hmsroom-counting")
    try:
        row = coming.reconnect(running, rooms=2, peers=3)
    finally:
        running.group.stop()

    assert (row["missing"], row["resynchronised"]) == (0, 0)
    # The first in each room says something, and the other two come back later than that: at least one read for a room.
    assert isinstance(row["journal_reads"], int)
    assert 2 <= row["journal_reads"] <= 12
