"""What the simulation of cells prints can be trusted: no session is lost, and each policy keeps its rule."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))

from scale import costs, policies, report
from scale.world import DRAINED, DYING, Plan, World

SMALL = Plan(cells=4, processes=2, each_second=1, dies=60, added=120, restarts=240, drained=270, emptied=330, end=400)
CELLS = [1, 2, 3, 5, 8]
ROOMS = range(1000)


@pytest.mark.parametrize("policy", policies.NAMES)
def test_a_seed_does_again_what_it_did(policy: str) -> None:
    first, again, other = (World(policy, seed, SMALL).run() for seed in (1, 1, 2))
    assert first == again != other
    assert report.table({policy: first}, SMALL) == report.table({policy: again}, SMALL)


@pytest.mark.parametrize("policy", policies.NAMES)
def test_no_session_is_lost_and_none_is_twice(policy: str) -> None:
    world = World(policy, 1, SMALL)
    for second in range(1, SMALL.end + 1):
        world.run(second)
        world.check()
    assert all(storm.over for storm in world.seen.storms)


def test_all_policies_get_the_same_sessions() -> None:
    worlds = [World(policy, 1, SMALL) for policy in policies.NAMES]
    seen = [world.run() for world in worlds]
    assert (
        len({(one.begun, one.ended, tuple(sorted(world.live))) for one, world in zip(seen, worlds, strict=True)}) == 1
    )


@pytest.mark.parametrize("policy", policies.NAMES)
def test_a_draining_cell_takes_no_session_and_a_lost_one_has_none(policy: str) -> None:
    world = World(policy, 1, SMALL)
    world.run(SMALL.drained)
    before = set(world.cells[DRAINED].sessions)
    world.run(SMALL.emptied)
    assert set(world.cells[DRAINED].sessions) < before
    world.run()
    for cell in (world.cells[DYING], world.cells[DRAINED]):
        assert not cell.sessions
        assert (cell.sockets, cell.cores) == (0, pytest.approx(0))


def test_what_a_cell_is_asked_for_is_what_its_sessions_ask_for() -> None:
    world = World("two", 1, SMALL)
    world.run()
    for cell in world.cells.values():
        asked = sum(session.load.cores + session.arriving for session in cell.sessions.values())
        assert cell.sockets == sum(session.peers for session in cell.sessions.values())
        assert cell.cores == pytest.approx(asked)


# --- Policies -----------------------------------------------------------------------------------


def test_hash_moves_only_rooms_that_a_new_cell_gets() -> None:
    place = policies.make("hash", 1).place
    before = {room: place(room, CELLS, {}) for room in ROOMS}
    after = {room: place(room, [*CELLS, 9], {}) for room in ROOMS}
    moved = [room for room in ROOMS if before[room] != after[room]]
    assert {after[room] for room in moved} == {9}
    assert len(moved) == pytest.approx(len(ROOMS) / 6, rel=0.3)


def test_least_takes_the_lowest_report_and_a_new_cell_first() -> None:
    place = policies.make("least", 1).place
    assert place(1, [1, 2, 3], {1: 0.5, 2: 0.2, 3: 0.4}) == 2
    assert place(1, [1, 2, 3], {1: 0.5, 2: 0.2}) == 3


def test_two_never_takes_the_fullest_and_spreads_over_the_others() -> None:
    place = policies.make("two", 1).place
    taken = [place(room, [1, 2, 3], {1: 0.9, 2: 0.2, 3: 0.4}) for room in ROOMS]
    assert set(taken) == {2, 3}
    assert taken.count(2) > taken.count(3)


def test_home_goes_back_unless_home_is_rather_full_or_gone() -> None:
    policy = policies.make("home", 1)
    policy.placed(7, 3, 0.01)
    assert policy.place(7, CELLS, {3: 0.6}) == 3
    assert {policy.place(7, [2, 3], {2: 0.1, 3: 0.75})} == {2}
    assert policy.place(7, [1, 2], {}) in (1, 2)


def test_home_counts_what_it_sent_since_the_last_report() -> None:
    policy = policies.make("home", 1)
    for room in ROOMS:
        policy.placed(room, policy.place(room, [1, 2], {1: 0.3, 2: 0.31}), 0.0002)
    sent = [policy.place(room, [1, 2], {1: 0.3, 2: 0.31}) for room in ROOMS]
    assert sent.count(1) == pytest.approx(len(ROOMS) / 2, rel=0.1)
    policy.reported()
    assert policy.place(len(ROOMS), [1, 2], {1: 0.3, 2: 0.31}) == 1


# --- Costs --------------------------------------------------------------------------------------


def test_costs_are_those_that_were_measured() -> None:
    """Of one process: a message in a room of 5, and 1,000 joins into one room, which took 1.47 s of CPU."""
    assert costs.load(5, 1, 1).cores == pytest.approx(4 * 34e-6, rel=0.02)
    joins = 1000 * (costs.arrival(1000) - costs.INIT)
    assert joins == pytest.approx(1.466, rel=0.02)


def test_the_largest_session_is_the_last_that_fits() -> None:
    most = costs.largest_by_return(60, 4, announced=True)
    assert most * costs.arrival(most) <= 60 * 4 < (most + 1) * costs.arrival(most + 1)
