"""What the simulation of cells prints can be trusted: no session is lost, and each policy keeps its rule."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))

import marked
from scale import costs, policies, report
from scale.world import DEFAULT, DRAINED, DYING, RESTARTED, Plan, World

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs/scaling.md").read_text()

SMALL = Plan(
    cells=4, processes=2, use=0.3, dies=60, added=120, hot=150, restarted=200,
    forgets=240, drained=270, emptied=330, end=500,
)  # fmt: skip
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


@pytest.mark.parametrize("policy", policies.NAMES)
def test_a_cell_that_is_started_again_has_its_sessions_back_and_no_other_has_them(policy: str) -> None:
    world = World(policy, 1, SMALL)
    world.run(SMALL.restarted)
    before = set(world.cells[RESTARTED].sessions)
    others = {number for cell in world.cells.values() if cell.number != RESTARTED for number in cell.sessions}
    world.run(SMALL.forgets)
    live = {session.number for session in world.live.values()}
    assert before & live <= set(world.cells[RESTARTED].sessions)
    assert not others & set(world.cells[RESTARTED].sessions)
    assert world.seen.storms[1].sessions == len(before)


def test_a_hot_room_fills_its_cell_and_nothing_moves() -> None:
    world = World("home", 1, SMALL)
    world.run(SMALL.restarted)
    hot = world.seen.hot
    assert hot.before < costs.FULL < hot.most
    assert 0 < hot.full <= SMALL.restarted - SMALL.hot


def test_sessions_ask_for_the_share_of_the_cores_that_was_planned() -> None:
    world = World("two", 1, Plan(use=0.5))
    world.run(1)
    assert sum(cell.cores for cell in world.cells.values()) / (8 * 4) == pytest.approx(0.5, rel=0.15)


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


def test_costs_add_up_to_what_was_measured() -> None:
    """Joins into one room, and messages in rooms of five on two processes, each of which is told and heard once."""
    joins = 1000 * (costs.arrival(1000) - costs.arrival(0))
    assert joins == pytest.approx(1000 * 500 * costs.ANNOUNCEMENT)
    one, two = (costs.load(5, 1, processes).cores for processes in (1, 2))
    assert two - one == pytest.approx(costs.RING * costs.rings(5, 2))
    assert costs.rings(1, 4) == 0 and 1.9 < costs.rings(5, 2) < 2


def test_memory_is_that_of_the_benchmark() -> None:
    measured = json.loads((ROOT / "bench/latest.json").read_text())["ratios"]["memory_kib"]
    assert measured == pytest.approx(costs.SOCKET_KIB, rel=0.1)
    assert f"{costs.SOCKET_KIB} KiB each" in DOCUMENT


def test_the_largest_session_is_the_last_that_fits() -> None:
    most = costs.largest_by_return(60, 4, announced=True)
    assert most * costs.arrival(most) <= 60 * 4 < (most + 1) * costs.arrival(most + 1)


# --- The document -------------------------------------------------------------------------------


def test_the_document_has_what_is_reckoned_from_the_measured_costs() -> None:
    """`make simulate-scale WRITE=1` puts it there. Of the simulation one policy stands for all four."""
    told = {"prices": report.prices(), "ceilings": report.ceilings(), "largest": report.largest(DEFAULT)}
    assert marked.put_into(DOCUMENT, told) == DOCUMENT

    rows = report.table({"home": World("home", 1).run()}, DEFAULT)[1:]
    _, _, simulated = DOCUMENT.partition("<!-- simulation -->\n")
    written = [line.strip("| ").split(" | ") for line in simulated.partition("\n<!-- end -->")[0].splitlines()[2:]]
    assert [[line[0], line[-1]] for line in written] == rows
