"""The simulation in a fixed part: it finds nothing, reaches what is rare, finds what is broken, and can be had again.

Each run is a process of its own, for it needs names hashed alike from run to run.
"""

import os
import re
import subprocess
import sys

import pytest

from tests.simulation.mutants import MUTANTS

_RARE = {
    "a bell is lost",
    "a commit fails",
    "a commit is not answered",
    "a gap is repaired",
    "a lock is had",
    "a lock is waited for",
    "a peer is reaped",
    "a place is lost",
    "a process freezes",
    "a process holds back",
    "a process is killed between commit and answer",
    "a process was declared dead",
    "a room is held up",
    "a statement fails",
    "a socket is taken over",
    "all agree",
    "an answer is that a room is held up",
    "another history",
    "another socket of a peer",
    "closed with 1006",
    "early news",
    "found again without a place",
    "patience is lost",
    "refused with 409",
    "removed",
    "resumed",
    "resumed with the socket",
    "resync",
    "resync with the socket",
    "the database goes away",
    "told of the end",
}
"""What a run is to reach at least once, or it proves less than it seems to."""


def simulate(seed: str, steps: int, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation.run", "--seed", seed, "--steps", str(steps), *options]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"})


def test_no_run_violates_anything_and_what_is_rare_is_reached():
    reached: set[str] = set()
    for number, seed in enumerate("ABCDEFGH"):
        if number >= 3 and not _RARE - reached:
            break  # with other code the same seeds come to other places
        ran = simulate(seed, 70_000)
        assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-5_000:]
        reached |= set(re.findall(r"^ *\d+  (.+)$", ran.stdout, re.MULTILINE))
    assert not _RARE - reached


def test_a_seed_can_be_had_again():
    first, again, other = (simulate(seed, 8_000) for seed in ("one", "one", "two"))
    digests = [re.findall(r"digest (\w+)", ran.stdout) for ran in (first, again, other)]
    assert digests[0] and digests[0] == digests[1] != digests[2]


_FOUND_WITH = {
    "conn_id is not compared": 4,
    "a late bell closes the room": 6,
    "values are told to those who may not read": 2,
    "a lock keeps its token": 3,
    "a place of another history": 4,
}
"""The seed that finds a mutant soonest, where it is not the first; with other code it may be another."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_server_is_found_out(mutant: str):
    first = _FOUND_WITH.get(mutant, 1)
    for seed in map(str, [first, *range(1, 9)]):
        ran = simulate(seed, 40_000, "--mutant", mutant)
        if ran.returncode:
            break
    assert f"make simulate SEED={seed} WORLD=" in ran.stdout, ran.stdout[-5_000:] + ran.stderr


@pytest.mark.soak
@pytest.mark.parametrize("mutant", MUTANTS)
def test_any_seed_finds_a_broken_server_within_a_minute(mutant: str):
    assert simulate("any", 250_000, "--mutant", mutant).returncode == 1


@pytest.mark.soak
def test_a_million_steps_find_nothing():
    ran = simulate("soak", 1_000_000)
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-5_000:]
