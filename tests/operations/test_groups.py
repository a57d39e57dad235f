"""Raised hands and other groups."""

import pytest

from rooms.operations.groups import MAX_GROUPS
from tests.operations.driver import call, change_role, do, kinds, refused, row, told, visitor

HANDS = "_handraise"


def test_a_raised_hand_is_seen_by_everybody_its_owner_too(alice, bob, victor):
    answer = call(bob, "group-join", name=HANDS)

    assert answer.result["groups"] == [HANDS]
    for person in (alice, bob, victor):
        [(kind, peer)] = told(person, answer.events)
        assert (kind, peer["peer_id"], peer["groups"]) == ("on-peer-update", "peer-Bob", [HANDS])

    answer = call(bob, "group-leave", name=HANDS)
    assert answer.result["groups"] == []
    assert kinds(alice, answer.events) == kinds(bob, answer.events) == ["on-peer-update"]
    assert row(bob).groups == []


def test_raising_a_raised_hand_and_lowering_a_lowered_one_tells_nobody(bob):
    assert not call(bob, "group-leave", name=HANDS).events
    do(bob, "group-join", name=HANDS)
    answer = call(bob, "group-join", name=HANDS)
    assert (answer.result["groups"], list(answer.events)) == ([HANDS], [])


def test_a_host_raises_and_lowers_the_hand_of_another(alice, bob):
    assert do(alice, "group-add", name=HANDS, peer_id="peer-Bob")["groups"] == [HANDS]
    assert row(bob).groups == [HANDS]
    assert do(alice, "group-remove", name=HANDS, peer_id="peer-Bob")["groups"] == []
    assert row(bob).groups == []


def test_a_guest_does_not_touch_the_hand_of_another(alice, bob):
    do(alice, "group-join", name=HANDS)
    assert refused(bob, "group-remove", name=HANDS, peer_id="peer-Alice")[0] == 403
    assert refused(bob, "group-add", name=HANDS, peer_id="peer-Alice")[0] == 403
    assert row(alice).groups == [HANDS]


def test_a_hand_raised_in_one_tab_is_lowered_in_another(bob, room):
    second_tab = visitor(room, "Bob2", "guest", owner=bob.owner)
    do(second_tab, "join", name="Bob")
    do(bob, "group-join", name=HANDS)
    assert do(second_tab, "group-remove", name=HANDS, peer_id="peer-Bob")["groups"] == []
    assert refused(second_tab, "group-add", name=HANDS, peer_id="peer-Bob")[0] == 403
    assert row(bob).groups == []


def test_whoever_may_not_raise_a_hand_can_still_lower_it(bob, room):
    do(bob, "group-join", name=HANDS)
    change_role(room, "guest", permissions={"raiseHand": False})

    do(bob, "group-leave", name=HANDS)
    assert refused(bob, "group-join", name=HANDS)[0] == 403
    do(bob, "group-join", name="tables")
    assert row(bob).groups == ["tables"]


def test_the_number_of_groups_and_the_length_of_a_name_have_limits(bob):
    for number in range(MAX_GROUPS):
        do(bob, "group-join", name=f"group-{number}")
    assert refused(bob, "group-join", name="one more")[0] == 413
    do(bob, "group-leave", name="group-0")
    do(bob, "group-join", name="x" * 64)
    do(bob, "group-leave", name="group-1")
    assert refused(bob, "group-join", name="x" * 65)[0] == 400
    assert refused(bob, "group-join", name="")[0] == 400


@pytest.mark.parametrize("method", ["group-add", "group-remove"])
def test_the_peer_must_be_in_the_room(alice, carol, method):
    assert refused(alice, method, name=HANDS, peer_id="peer-Carol")[0] == 404


def test_groups_go_with_the_peer(alice, bob):
    do(bob, "group-join", name=HANDS)
    do(bob, "leave")
    do(bob, "join", name="Bob")
    assert row(bob).groups == []
