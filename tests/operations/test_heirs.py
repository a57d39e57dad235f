"""What is a person's and not a tab's: the raised hand and the spotlight go over to another tab that stays."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rooms.models import AuditEntry, MetadataEntry, Peer, Room
from rooms.operations.engine import memory
from rooms.operations.engine.calls import Answer, Caller
from rooms.operations.groups import MAX_GROUPS
from rooms.operations.leaving import disconnect
from rooms.operations.reaping import reap
from tests.operations.driver import (
    again,
    ask,
    attachment,
    call,
    change_role,
    do,
    kinds,
    live_session,
    position,
    row,
    server,
    told,
    visitor,
    welcome,
)
from tests.support.team import joined

HANDS = "_handraise"


def tab(caller: Caller, number: int = 2) -> Caller:
    """Another tab of the same person, which has joined."""
    own = {"peer_id": f"{caller.peer_id}-{number}", "conn_id": f"{caller.conn_id}-{number}"}
    other = again(caller, **own)
    do(other, "join", name=caller.name)
    return other


def be_late(*callers: Caller) -> None:
    """Lose the connection, and stay away for longer than the grace."""
    for caller in callers:
        ask(caller, disconnect)
    away = Peer.objects.filter(peer_id__in=[caller.peer_id for caller in callers])
    away.update(gone_at=timezone.now() - timedelta(days=1))


def be_reaped(*callers: Caller) -> Answer:
    be_late(*callers)
    return ask(server(Room.objects.get(id=callers[0].room_id)), reap)


def leave(caller: Caller) -> Answer:
    return call(caller, "leave")


def be_closed(caller: Caller) -> Answer:
    """By another tab of the same person."""
    change_role(Room.objects.get(id=caller.room_id), caller.role, permissions={"removeOthers": True})
    closing = again(caller, f"{caller.conn_id}-9", peer_id=f"{caller.peer_id}-9")
    do(closing, "join", name=caller.name)
    answer = call(closing, "peer-leave-request", requested_for=caller.peer_id)
    do(closing, "leave")
    return answer


def hands() -> dict[str, int]:
    """Since when whose hand is up, of those who are there."""
    raised = Peer.objects.exclude(state="left").filter(hand_raised_at__gt=0)
    assert all(HANDS in peer.groups for peer in raised)
    return {peer.peer_id: peer.hand_raised_at for peer in raised.order_by("hand_raised_at")}


def light(who: Caller, shown: Caller, **terms: Any) -> None:
    """As the page does, or on other terms."""
    terms = terms or {"owner": shown.peer_id, "on_leave": "null"}
    do(who, "set-metadata", key="spotlight", data=shown.peer_id, **terms)


def spotlight() -> tuple[str | None, str]:
    """What the spotlight is, as JSON text, and whose entry."""
    entry = MetadataEntry.objects.get(key="spotlight")
    return entry.data, entry.owner


# --- The hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize("go", [leave, be_reaped, be_closed])
def test_a_hand_stays_up_with_its_person_in_another_tab(alice, bob, go: Callable[[Caller], Answer]):
    other = tab(bob)
    do(bob, "group-join", name=HANDS)
    [since] = hands().values()
    answer = go(bob)

    assert hands() == {other.peer_id: since}
    for person in (alice, other):
        [(_, raised)] = [one for one in told(person, answer.events) if one[0] == "on-peer-update"]
        assert (raised["peer_id"], raised["groups"], raised["hand_raised_at"]) == (other.peer_id, [HANDS], since)
        # Before the leave, so that at no time it is down.
        assert kinds(person, answer.events)[-2:] == ["on-peer-update", "on-peer-leave"]
    assert (row(bob).groups, row(bob).hand_raised_at) == ([], 0)

    answer = leave(other)
    assert hands() == {}
    assert kinds(alice, answer.events) == ["on-peer-leave"]


def test_the_order_in_which_hands_went_up_stays(alice, bob, victor, later):
    other = tab(bob)
    do(bob, "group-join", name=HANDS)
    later(1)
    do(victor, "group-join", name=HANDS)
    later(2)
    leave(bob)
    assert list(hands()) == [other.peer_id, "peer-Victor"]


def test_who_goes_with_all_tabs_at_once_takes_the_hand_along_and_may_come_back_with_it(alice, bob):
    other = tab(bob)
    do(bob, "group-join", name=HANDS)
    before = hands()
    answer = be_reaped(bob, other)
    assert kinds(alice, answer.events) == ["on-peer-leave", "on-peer-leave"]
    assert hands() == {}
    assert welcome(again(bob)).attachment is not None
    assert hands() == before


def test_a_hand_that_was_lowered_in_another_tab_is_not_up_again_when_the_first_comes_back(alice, bob):
    other = tab(bob)
    do(bob, "group-join", name=HANDS)
    do(bob, "group-join", name="table")
    be_reaped(bob)
    do(other, "group-leave", name=HANDS)
    assert welcome(again(bob)).attachment is not None
    assert hands() == {}
    # What an app put one tab into is that one's.
    assert (row(bob).groups, row(other).groups) == (["table"], [])


def test_a_hand_goes_to_a_tab_that_is_connected_the_first_of_them(alice, bob):
    away, first, _ = [tab(bob, number) for number in (2, 3, 4)]
    ask(away, disconnect)
    do(bob, "group-join", name=HANDS)
    leave(bob)
    assert list(hands()) == [first.peer_id]


def test_a_tab_that_lost_its_connection_is_there_until_it_is_gone(alice, bob):
    other = tab(bob)
    ask(other, disconnect)
    do(bob, "group-join", name=HANDS)
    leave(bob)
    assert list(hands()) == [other.peer_id]
    be_reaped(other)
    assert hands() == {}


def test_two_raised_hands_of_a_person_are_one_which_is_up_since_the_first(alice, bob, later):
    other = tab(bob)
    do(bob, "group-join", name=HANDS)
    [since] = hands().values()
    later(1)
    do(other, "group-join", name=HANDS)
    assert kinds(alice, leave(bob).events) == ["on-peer-update", "on-peer-leave"]
    assert hands() == {other.peer_id: since}

    later(2)
    third = tab(bob, 3)
    do(third, "group-join", name=HANDS)
    assert kinds(alice, leave(third).events) == ["on-peer-leave"]
    assert hands() == {other.peer_id: since}


def test_a_hand_goes_over_however_many_groups_the_other_tab_is_in(alice, bob):
    other = tab(bob)
    for number in range(MAX_GROUPS):
        do(other, "group-join", name=f"{number}")
    do(bob, "group-join", name=HANDS)
    leave(bob)
    assert row(other).groups == [*map(str, range(MAX_GROUPS)), HANDS]


def test_who_is_removed_keeps_nothing_in_any_tab(alice, bob):
    other = tab(bob)
    do(bob, "group-join", name=HANDS)
    light(alice, bob)
    answer = call(alice, "peer-leave-request", requested_for=other.peer_id)
    assert "on-peer-update" not in kinds(alice, answer.events)
    assert (hands(), spotlight()) == ({}, ("null", ""))


@pytest.mark.parametrize("nobodys", [False, True])
def test_another_person_gets_nothing_however_alike(alice, bob, room, nobodys):
    """Nor does a peer of before there were owners."""
    double = visitor(room, "Bob2", "guest", user_id=bob.user_id)
    do(double, "join", name="Bob")
    do(bob, "group-join", name=HANDS)
    light(alice, bob)
    if nobodys:
        Peer.objects.filter(user_id=bob.user_id).update(owner="", person="")
        memory._remembered.clear()
    leave(bob)
    assert (hands(), spotlight()) == ({}, ("null", ""))


# --- The spotlight ------------------------------------------------------------------------------


@pytest.mark.parametrize("go", [leave, be_reaped, be_closed])
def test_the_spotlight_stays_with_its_person_in_another_tab(alice, bob, go: Callable[[Caller], Answer]):
    other = tab(bob)
    do(alice, "listen-metadata-change", keys=["spotlight", "mine"])
    light(alice, bob)
    do(bob, "set-metadata", key="mine", data=1, owner=True)
    answer = go(bob)

    [(_, news)] = [one for one in told(alice, answer.events) if one[0] == "on-metadata-change"]
    values = {value["key"]: value for value in news["values"]}
    assert (values["spotlight"]["data"], values["spotlight"]["owner"]) == (other.peer_id, other.peer_id)
    assert values["spotlight"]["change_version"] == 2
    # Another entry goes with the peer that it belongs to.
    assert values["mine"]["data"] is None
    assert kinds(alice, answer.events)[-2:] == ["on-metadata-change", "on-peer-leave"]
    assert AuditEntry.objects.filter(key="spotlight", version=2, source="leave", what="metadata.set").exists()

    leave(other)
    assert spotlight() == ("null", "")


def test_a_spotlight_that_belongs_to_nobody_goes_over_and_stays_when_the_person_is_gone(alice, bob):
    other = tab(bob)
    light(alice, bob, owner=False)
    leave(bob)
    assert spotlight() == (f'"{other.peer_id}"', "")
    leave(other)
    assert spotlight() == (f'"{other.peer_id}"', "")


def test_a_spotlight_that_belongs_to_who_set_it_stays_while_that_person_is_there(alice, bob):
    hosts = tab(alice)
    light(alice, bob, owner=True, on_leave="null", expires_in=60)
    until = MetadataEntry.objects.get(key="spotlight").expires_at
    leave(alice)
    assert spotlight() == ('"peer-Bob"', hosts.peer_id)
    assert MetadataEntry.objects.get(key="spotlight").expires_at == until
    leave(hosts)
    assert spotlight() == ("null", "")


def test_a_spotlight_goes_over_and_is_kept_when_whose_it_is_goes_at_the_same_time(room, alice, bob):
    other, dora = tab(bob), joined(room, "Dora", "guest")
    light(dora, bob, on_leave="keep")
    be_reaped(bob, dora)
    assert spotlight() == (f'"{other.peer_id}"', "")


@pytest.mark.parametrize("value", [None, 0, "", "peer-Bob-2", {"peer-Bob": 1}, ["peer-Bob"], "peer-Nobody"])
def test_whatever_else_is_in_the_spotlight_stays_as_it_is(alice, bob, value):
    tab(bob)
    do(bob, "group-join", name=HANDS)
    do(alice, "set-metadata", key="spotlight", data=value)
    do(alice, "set-metadata", key="other", data="peer-Bob")
    leave(bob)
    assert set(MetadataEntry.objects.values_list("key", "change_version")) == {("spotlight", 1), ("other", 1)}


# --- As any change ------------------------------------------------------------------------------


def test_who_was_away_is_told_what_went_over(alice, bob, resume):
    other = tab(bob)
    do(alice, "listen-metadata-change", keys=["spotlight"])
    do(bob, "group-join", name=HANDS)
    light(alice, bob)
    session = live_session(Room.objects.get(id=bob.room_id))
    assert session is not None
    place = {"session_id": session.id, "seq": position(bob.room_id)}
    leave(bob)
    replay = attachment(resume(alice, place)).replay or []
    assert [event.kind for event in replay][:3] == ["on-metadata-change", "on-peer-update", "on-peer-leave"]
    assert f'"{other.peer_id}"' in replay[0].body


def test_the_token_of_a_lock_is_the_number_of_its_event_whatever_goes_over(alice, bob):
    tab(bob)
    do(bob, "group-join", name=HANDS)
    light(alice, bob)
    do(bob, "lock", name="deck")
    do(alice, "lock", name="deck", wait_ms=10_000)
    [seq] = [event.seq for event in leave(bob).events if event.kind == "on-lock-change"]
    assert do(alice, "locks")["locks"] == [{"name": "deck", "holder": "peer-Alice", "token": seq}]


def test_many_tabs_that_go_at_once_cost_as_many_statements_as_a_few(alice, room):
    def statements(many: int) -> int:
        callers = [visitor(room, f"{many}-{number}", "guest") for number in range(many)]
        for caller in callers:
            do(caller, "join", name=caller.name)
            tab(caller)
            do(caller, "group-join", name=HANDS)
        light(alice, callers[0])
        be_late(*callers)
        with CaptureQueriesContext(connection) as queries:
            ask(server(room), reap)
        assert len(hands()) == many
        for peer_id in hands():
            do(alice, "group-remove", name=HANDS, peer_id=peer_id)
        return len(queries)

    assert statements(20) == statements(2)


def test_the_other_tab_costs_nothing_of_who_leaves_with_nothing(alice, bob, victor):
    def statements(caller: Caller) -> int:
        memory._remembered.clear()
        with CaptureQueriesContext(connection) as queries:
            leave(caller)
        return len(queries)

    other = tab(bob)
    do(other, "group-join", name=HANDS)
    assert statements(bob) == (few := statements(victor))
    tab(bob, 3)
    assert statements(other) == few + 2  # the person's peers are read, and the hand of one is written
    assert list(hands()) == ["peer-Bob-3"]
