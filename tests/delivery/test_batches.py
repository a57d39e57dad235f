"""What is written together, to whom and when. Needs no event loop, no socket and no clock."""

import math
import random
from typing import Any

import pytest

from rooms.delivery.batches import Batches
from rooms.delivery.roster import Member
from tests.support.wire import texts_in

GAP = 0.005


NOWHERE: Any = None
"""Nothing is written to sockets here."""


def person(peer_id: str) -> Member:
    return Member(peer_id, f"conn-{peer_id}", "guest", frozenset(), False, NOWHERE, lambda code: None)


@pytest.fixture
def members() -> dict[str, Member]:
    return {peer_id: person(peer_id) for peer_id in "abc"}


def written(batches: Batches, members: dict[str, Member], *, now: float = 0) -> dict[str, list[str]]:
    """What each gets who is or was a member."""
    common, own = batches.take(members, now)
    together = {peer_id: texts_in(common) for peer_id, member in members.items() if member not in own}
    return together | {member.peer_id: texts_in(wire) for member, wire in own.items()}


def test_what_all_get_is_one_write(members):
    batches = Batches(GAP)
    batches.pending += [("1", None, None), ("2", None, None)]
    common, own = batches.take(members, 0)
    assert (texts_in(common), own) == (["1", "2"], {})
    assert batches.take(members, 0) == (b"", {})


def test_who_is_passed_over_or_meant_alone_gets_the_others_in_order(members):
    batches = Batches(GAP)
    a, b = members["a"], members["b"]
    batches.pending += [
        ("1", None, None),
        ("not a", a, None),
        ("reply", None, a),
        ("2", None, None),
        ("not b", b, None),
    ]
    assert written(batches, members) == {
        "a": ["1", "reply", "2", "not b"],
        "b": ["1", "not a", "2"],
        "c": ["1", "not a", "2", "not b"],
    }


def test_who_comes_gets_what_follows_and_who_went_only_what_is_its_own(members):
    batches = Batches(GAP)
    batches.pending.append(("1", None, None))
    members["d"] = person("d")
    batches.welcome(members["d"])
    batches.pending += [("2", None, None), ("reply", None, members["c"])]
    gone = members.pop("c")
    assert written(batches, members) == {"a": ["1", "2"], "b": ["1", "2"], "c": ["reply"], "d": ["2"]}

    batches.pending.append(("3", gone, None))
    assert written(batches, members) == {"a": ["3"], "b": ["3"], "c": [], "d": ["3"]}


def test_a_first_frame_goes_at_once_and_the_next_ones_after_the_gap(members):
    batches = Batches(GAP)
    assert not batches.is_due(10)
    batches.pending.append(("1", None, None))
    assert batches.is_due(10)
    batches.take(members, 10)

    batches.pending.append(("2", None, None))
    assert not batches.is_due(10.001)
    assert batches.due == 10 + GAP
    batches.pending.append(("3", None, None))
    assert not batches.is_due(10.002)
    assert batches.due == 10 + GAP
    assert written(batches, members, now=batches.due)["a"] == ["2", "3"]
    assert batches.due == math.inf
    batches.pending.append(("4", None, None))
    assert batches.is_due(11)


@pytest.mark.parametrize(("cost", "rest"), [(0.0001, GAP), (0.005, 0.02), (1, 0.05)])
def test_who_takes_long_to_write_to_a_room_rests_long_within_bounds(members, cost: float, rest: float):
    batches = Batches(GAP)
    batches.pending.append(("1", None, None))
    batches.take(members, 10)
    batches.cost = cost
    batches.pending.append(("2", None, None))
    assert not batches.is_due(10)
    assert batches.due == pytest.approx(10 + rest)


def test_comings_and_goings_wait_and_are_overtaken_by_nothing(members):
    batches = Batches(GAP)
    batches.pending.append(("came", None, None))
    assert not batches.is_due(10, patient=True)
    assert batches.due == 10.05
    batches.pending.append(("said", None, None))
    assert batches.is_due(10.01)
    assert written(batches, members, now=10.01)["a"] == ["came", "said"]


def test_without_a_gap_nothing_waits(members):
    batches = Batches(0)
    for _ in range(3):
        batches.pending.append(("1", None, None))
        assert batches.is_due(10, patient=True)
        batches.take(members, 10)
        batches.cost = 1


@pytest.mark.parametrize(("large", "gap"), [(False, 0.5), (True, 2.0)])
def test_the_head_count_is_told_soon_but_seldom(large: bool, gap: float):
    batches = Batches(GAP)
    batches.count_soon(10, large=large)
    assert batches.count_due == 10
    batches.counted(10)
    batches.count_soon(10.1, large=large)
    batches.count_soon(10.4, large=large)
    assert batches.count_due == 10 + gap


def test_nothing_is_due_any_more_when_it_is_forgotten():
    batches = Batches(GAP)
    batches.pending.append(("1", None, None))
    batches.is_due(10, patient=True)
    batches.count_soon(10, large=False)
    batches.forget()
    assert (batches.due, batches.count_due) == (math.inf, math.inf)


@pytest.mark.parametrize("seed", range(50))
def test_whatever_is_pending_each_gets_what_is_meant_for_it_in_order(seed: int):
    chance = random.Random(seed)
    batches = Batches(GAP)
    members = {peer_id: person(peer_id) for peer_id in "abcd"}
    expected: dict[str, list[str]] = {peer_id: [] for peer_id in members}
    got: dict[str, list[str]] = {peer_id: [] for peer_id in members}
    for number in range(60):
        deed, text, who = chance.random(), str(number), chance.choice(list(members))
        if deed < 0.1:
            name = f"late{number}"
            members[name] = person(name)
            expected[name], got[name] = [], []
            batches.welcome(members[name])
        elif deed < 0.3:
            for peer_id, texts in written(batches, members).items():
                got[peer_id] += texts
        elif deed < 0.5:
            batches.pending.append((text, None, members[who]))
            expected[who].append(text)
        else:
            but = members[who] if deed < 0.8 else None
            batches.pending.append((text, but, None))
            for peer_id, member in members.items():
                if member is not but:
                    expected[peer_id].append(text)
    for peer_id, texts in written(batches, members).items():
        got[peer_id] += texts
    assert got == expected
