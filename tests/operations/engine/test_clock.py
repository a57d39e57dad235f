"""Spans hold although the server's clock is set."""

import random
import time
from pathlib import Path

import pytest

from rooms.operations.engine.clock import Clock
from tests.faults.test_resuming import closed_within
from tests.support.clocks import settable_clock
from tests.support.cluster import Cluster, again, leave_all


class Times:
    def __init__(self) -> None:
        self.wall, self.passed = 1_000_000_000.0, 500.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.passed += seconds


def clock_of(times: Times) -> Clock:
    return Clock(lambda: times.wall, lambda: times.passed)


def test_a_clock_that_nobody_sets_is_the_wall_clock():
    times = Times()
    clock = clock_of(times)
    for seconds in (0, 0.001, 5, 3600, 86400):
        times.pass_by(seconds)
        assert clock.seconds() == pytest.approx(times.wall, abs=1e-6)


@pytest.mark.parametrize("step", [60, -60, 3600, -86400])
def test_a_step_shows_little_by_little(step: float):
    times = Times()
    clock = clock_of(times)
    before = clock.seconds()
    times.wall += step
    times.pass_by(1)
    assert clock.seconds() - before == pytest.approx(1, abs=0.06)
    times.pass_by(abs(step) * 21)
    assert clock.seconds() == pytest.approx(times.wall, abs=1e-3)


def test_it_never_goes_back():
    times, chance = Times(), random.Random(1)
    clock = clock_of(times)
    shown = clock.seconds()
    for _ in range(1000):
        times.pass_by(chance.random())
        times.wall += chance.choice((0, 0, 0, chance.gauss(0, 100)))
        before, shown = shown, clock.seconds()
        assert shown >= before


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_server_whose_clock_is_set_ends_nothing_too_early_or_too_late(kind: str, tmp_path: Path, slack: float):
    set_clock, pretence = settable_clock(tmp_path)
    with Cluster(1, server=kind, PEER_GRACE=4, **pretence) as cluster:
        room, long_ago = cluster.room(), int(time.time()) - 3600
        alice = await cluster.peer(room, "alice", "host", iat=long_ago, nbf=long_ago)
        bob = await cluster.peer(room, "bob", iat=long_ago, nbf=long_ago)
        question = {
            "question": {"index": 1, "text": "?", "type": "single-choice"},
            "options": [{"text": "a", "index": 1}],
        }
        await alice.call("poll-info-set", title="Long", poll_id="p", type="poll", duration=40)
        await alice.call("poll-questions-set", poll_id="p", questions=[question])
        await alice.call("poll-start", poll_id="p")
        before = (await alice.call("ping"))["timestamp"]

        await bob.drop()
        set_clock("+60s")
        assert await closed_within([alice], 1.5) == []  # some rounds of the reaper
        assert not alice.named("on-peer-leave")
        assert not alice.named("on-poll-stop")
        assert (await alice.call("ping"))["timestamp"] - before < 30_000
        bob = await again(bob)
        assert (await bob.join("Bob"))["resync"]

        set_clock("-60s")
        await bob.drop()
        await alice.wait_for("on-peer-leave", timeout=4 + 5 + slack)
        log = cluster.first.log()
        assert "is dead" not in log
        assert "was not renewed" not in log
        assert alice.open
        await leave_all([alice])
