"""Whose a peer is: what its owner alone may do with it, and what holds for all of an owner's peers."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from rooms.creation.rooms import create_room
from rooms.delivery.hub import perform_now
from rooms.models import Peer, Person, Room, milliseconds
from rooms.operations import persons
from rooms.operations.admission import admit
from rooms.operations.arriving import MAX_LEFT_OF_OWNER, connect
from rooms.operations.engine import memory
from rooms.operations.engine.calls import Answer, Caller
from rooms.operations.engine.transaction import Cursor
from rooms.operations.leaving import disconnect
from rooms.operations.reaping import reap
from rooms.wire.effects import SentAway
from tests.operations.driver import (
    again,
    ask,
    at_once,
    attachment,
    call,
    change_role,
    do,
    journalled,
    kinds,
    live_session,
    position,
    prepare,
    refused,
    row,
    say,
    server,
    told,
    visitor,
    welcome,
)

TAKEN = (403, "peer: this peer id belongs to another user or role")


def tab(caller: Caller, number: int = 2, **claims: Any) -> Caller:
    """Another peer of the same owner, which has not joined."""
    own = {"peer_id": f"{caller.peer_id}-{number}", "conn_id": f"{caller.conn_id}-{number}"}
    return again(caller, **{**own, **claims})


def joined(caller: Caller) -> Caller:
    do(caller, "join", name=caller.name)
    return caller


def time_out(caller: Caller) -> None:
    """The peer's connection is lost, and it stays away for longer than the grace."""
    ask(caller, disconnect)
    Peer.objects.filter(peer_id=caller.peer_id).update(gone_at=timezone.now() - timedelta(days=1))
    ask(server_of(caller), reap)


def server_of(caller: Caller) -> Caller:
    return server(Room.objects.get(id=caller.room_id))


def doors(caller: Caller, **place: Any) -> list[Answer]:
    """What a caller is told at every door: /init, the socket, joining, and resuming at its first number either way."""
    resume = {"session_id": Peer.objects.latest("pk").session_id, "seq": 1, **place}
    join = call(caller, "join", name=caller.name), call(caller, "join", name=caller.name, resume=resume)
    return [ask(caller, admit), ask(caller, connect), ask(caller, connect, place=resume), *join]


def refusals(caller: Caller) -> list[tuple[int, str] | None]:
    return [(answer.error.code, answer.error.message) if answer.error else None for answer in doors(caller)]


def let_in(host: Caller, caller: Caller) -> None:
    do(host, "peer-let-in", person=row(caller).person)


# --- What is an owner's own ---------------------------------------------------------------------


@pytest.mark.parametrize("away", ["present", "reconnecting", "timed out", "left"])
@pytest.mark.parametrize(
    "claims",
    [
        {"owner": "code:0123456789abcdef"},
        {"owner": "code:user-Bob"},
        {"owner": "jti:user-Bob"},
        {"owner": "user-Bob"},
        {"owner": ""},
        {"role": "viewer"},
        {"role": "host"},
        {"owner": "user:user-Alice", "role": "host"},
    ],
    ids=str,
)
def test_a_peer_is_taken_over_by_its_owner_with_its_role_alone(alice, bob, victor, room, away, claims):
    """Whatever else is known of the peer, its user id and name included, opens no door."""
    say(alice, "for Bob alone", peer_id="peer-Bob")
    if away == "reconnecting":
        ask(bob, disconnect)
    elif away == "timed out":
        time_out(bob)
    elif away == "left":
        do(bob, "leave")
    before, at = Peer.objects.filter(peer_id="peer-Bob").values().get(), position(room.id)

    for answer in doors(again(bob, "conn-of-a-thief", **claims)):
        assert answer.error is not None
        assert (answer.error.code, answer.error.message) == TAKEN
        assert (answer.for_socket, list(answer.events)) == (None, [])

    assert Peer.objects.filter(peer_id="peer-Bob").values().get() == before
    assert position(room.id) == at
    if away != "left":
        assert attachment(call(again(bob), "join", name="Bob")).peer_id == "peer-Bob"


def test_a_peer_comes_back_with_the_role_that_it_joined_with_although_it_has_another_now(alice, bob):
    do(alice, "role-change-request", requested_for="peer-Bob", role="host", force=True)
    assert welcome(again(bob)).policy["name"] == "host"
    assert refusals(again(bob, "conn-3", role="host")) == [TAKEN] * 5


def test_an_owner_is_one_person_in_a_session_and_another_in_the_next_and_elsewhere(alice, bob, room):
    other = joined(tab(bob))
    assert row(bob).person == row(other).person != row(alice).person
    assert len(row(bob).person) == 22
    elsewhere = Caller(create_room(name="elsewhere").id, "p", bob.owner, bob.user_id, "guest", "c", "w", name="Bob")
    joined(elsewhere)
    first = row(bob).person
    do(alice, "end-room")
    joined(bob)
    assert len({first, row(bob).person, row(elsewhere).person}) == 3


def test_a_peer_id_of_an_earlier_session_proves_nothing_in_the_next(alice, bob, room):
    hello = say(alice, "for Bob alone", peer_id="peer-Bob")
    do(alice, "role-change-request", requested_for="peer-Bob", role="host", force=True)
    do(alice, "end-room")
    # Anybody may be first to use the id, and is a stranger with it.
    eve = again(bob, owner="user:user-Eve", user_id="user-Eve")
    earlier = Peer.objects.filter(peer_id="peer-Bob").latest("pk")
    answer = call(eve, "join", name="Eve", resume={"session_id": earlier.session_id, "seq": 1})
    assert answer.result["resync"] is True
    assert attachment(answer).replay is None
    assert (row(eve).role, row(eve).owner, row(eve).person != earlier.person) == ("guest", "user:user-Eve", True)
    assert refusals(bob) == [TAKEN] * 5
    assert refused(eve, "pin-message", id=hello)[0] == 404


@pytest.mark.parametrize("ended", [False, True])
def test_owners_are_told_to_nobody(alice, bob, room, ended):
    other = joined(tab(bob))
    say(other, "hello")
    do(other, "peer-update", data="{}")
    do(alice, "set-metadata", key="topic", data="tea")
    do(bob, "group-join", name="_handraise")
    do(alice, "role-change-request", requested_for="peer-Bob", role="host", force=True)
    stranger = visitor(room, "Eve", "guest")
    said = [json.dumps(welcome(stranger).preview), repr(welcome(again(bob)).attachment)]
    for method, params in (
        ("get-peer", {"peer_id": "peer-Bob"}),
        ("find-peer", {}),
        ("peer-name-search", {"query": ""}),
        ("peers-removed", {}),
    ):
        said.append(json.dumps(do(alice, method, **params)))
    said += [f"{answer.error} {answer.result}" for answer in doors(again(bob, owner="user:user-Eve"))]
    do(alice, "peer-leave-request", requested_for=other.peer_id, reason="enough")
    said.append(json.dumps(do(alice, "peers-removed")))
    said += [f"{answer.error} {answer.error.data} {answer.result}" for answer in doors(other) if answer.error]
    said += [f"{event.body} {event.effect}" for event in journalled(room.id)]
    for owner in (alice.owner, bob.owner):
        assert not [text for text in said if owner in text]
    if ended:
        do(alice, "end-room")
        assert not Person.objects.exists()
        assert set(Peer.objects.values_list("owner", flat=True)) == {""}


def test_an_owner_has_a_number_of_peers_at_once(alice, bob, settings):
    settings.MAX_PEERS_PER_OWNER = 3
    tabs = [joined(tab(bob, number)) for number in (2, 3)]
    more = tab(bob, 4)
    assert refusals(more) == [(403, "the room has 3 peers of this user already")] * 5
    assert ask(again(bob), admit).error is None  # who is inside is not counted again
    ask(tabs[0], disconnect)
    assert refusals(more)[0] is not None  # nor is who only lost its connection away
    do(tabs[1], "leave")
    joined(more)
    do(alice, "get-peer", peer_id=more.peer_id)


@pytest.mark.matrix
def test_an_owner_has_no_more_peers_by_coming_all_at_once(database, room, settings):
    settings.MAX_PEERS_PER_OWNER = 3
    first = visitor(room, "Bob", "guest")
    answers = at_once([prepare(tab(first, number), "join", name="Bob") for number in range(8)])
    assert sum(answer.error is None for answer in answers) == 3


def test_of_the_peers_of_an_owner_that_left_few_rows_stay_and_only_who_they_were(alice, bob):
    for number in range(MAX_LEFT_OF_OWNER + 5):
        other = joined(tab(bob, number))
        do(other, "peer-update", data="x" * 1000)
        do(other, "listen-metadata-change", keys=["topic"])
        do(other, "group-join", name="_handraise")
        do(other, "leave")
    joined(tab(bob, 99))
    left = Peer.objects.filter(owner=bob.owner, state="left").order_by("joined_seq")
    numbers = range(5, MAX_LEFT_OF_OWNER + 5)
    assert [peer.peer_id for peer in left] == [f"peer-Bob-{number}" for number in numbers]
    assert {(p.name, p.metadata, str(p.groups), str(p.observed), p.hand_raised_at) for p in left} == {
        ("Bob", "", "[]", "[]", 0)
    }
    assert row(bob).present


@pytest.mark.parametrize("how", ["timed out", "removed"])
def test_however_the_peers_of_an_owner_left_few_rows_stay(alice, bob, how):
    for number in range(MAX_LEFT_OF_OWNER + 5):
        other = joined(tab(bob, number))
        if how == "timed out":
            time_out(other)
        else:
            do(bob, "peer-update", name=f"Bob {number}")
            do(server_of(bob), "peer-leave-request", requested_for=other.peer_id)
            let_in(alice, other)
            joined(again(bob, bob.conn_id))
    joined(tab(bob, 99))
    assert Peer.objects.filter(owner=bob.owner, state="left").count() == MAX_LEFT_OF_OWNER


@pytest.mark.parametrize("remembers", [True, False])
def test_a_session_remembers_so_many_owners_and_forgets_the_first(alice, room, settings, monkeypatch, remembers):
    monkeypatch.setattr(persons, "MAX_PERSONS", 4)
    settings.MAX_ROOM_PEERS = 3
    guests = [visitor(room, f"Guest {number}", "guest") for number in range(10)]
    for guest in guests:
        joined(guest)
        do(alice, "peer-leave-request", requested_for=guest.peer_id)
        if not remembers:
            memory._remembered.clear()

    assert [one["name"] for one in do(alice, "peers-removed")["removed"]] == [f"Guest {n}" for n in (9, 8, 7, 6, 5, 4)]
    assert Person.objects.count() == 6
    assert refused(guests[4], "join", name="Guest 4")[0] == 403
    assert do(guests[3], "join", name="Guest 3")["seq"]


# --- Given roles --------------------------------------------------------------------------------


def come_back(bob: Caller, how: str) -> Caller:
    """The same owner, after the peer went and came in some way."""
    if how == "leave":
        do(bob, "leave")
        return joined(again(bob))
    if how == "time out, socket":
        time_out(bob)
        assert welcome(again(bob)).attachment is not None
        return again(bob)
    if how == "time out, join":
        time_out(bob)
        return joined(again(bob))
    if how == "new peer id":
        do(bob, "leave")
        return joined(tab(bob))
    if how == "second tab":
        return joined(tab(bob))
    if how == "another process":
        do(bob, "leave")
        memory._remembered.clear()
        return joined(tab(bob, worker="worker-2"))
    assert how == "token of another role"
    do(bob, "leave")
    return joined(tab(bob, role="host"))


@pytest.mark.parametrize(
    "how",
    [
        "leave",
        "time out, socket",
        "time out, join",
        "new peer id",
        "second tab",
        "another process",
        "token of another role",
    ],
)
def test_a_given_role_stays_with_its_owner_until_the_session_ends(alice, bob, room, how):
    do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    back = come_back(bob, how)

    assert row(back).role == "viewer"
    assert welcome(again(back, "conn-9")).policy["name"] == "viewer"
    back = again(back, "conn-9")
    assert refused(back, "broadcast", info={"message": "still here"}) == (
        403,
        "the role viewer lacks the permission sendMessages",
    )
    assert refused(back, "role-change-request", requested_for=back.peer_id, role="host", force=True)[0] == 403
    # At the door, before joining, it is the given role that counts.
    assert welcome(tab(back, 7)).policy["name"] == "viewer"

    do(alice, "end-room")
    fresh = joined(back)
    assert row(fresh).role == back.role


def test_a_given_role_holds_for_its_owner_alone_and_in_its_room_alone(alice, bob, room):
    do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    lookalike = joined(visitor(room, "Bob2", "guest", user_id=bob.user_id))
    assert row(lookalike).role == "guest"
    other = create_room(name="elsewhere")
    assert row(joined(Caller(other.id, "p", bob.owner, bob.user_id, "guest", "c", "w", name="Bob"))).role == "guest"


def test_a_role_that_is_given_back_holds_as_well(alice, bob):
    for role in ("viewer", "guest", "host"):
        do(alice, "role-change-request", requested_for="peer-Bob", role=role, force=True)
    do(bob, "leave")
    assert row(joined(tab(bob))).role == "host"


def test_all_peers_of_somebody_who_is_given_a_role_get_it(alice, bob, victor):
    tabs = [joined(tab(bob, number)) for number in (2, 3)]
    ask(tabs[1], disconnect)
    answer = call(alice, "role-change-request", requested_for=tabs[0].peer_id, role="viewer", force=True)
    assert [row(peer).role for peer in (bob, *tabs)] == ["viewer"] * 3
    for peer in (bob, *tabs):
        [policy] = [body for kind, body in told(peer, answer.events) if kind == "on-policy-change"]
        assert policy["name"] == "viewer"
    assert kinds(victor, answer.events) == ["on-peer-update"] * 3
    assert row(alice).role == "host"


def test_the_peers_of_one_owner_count_against_the_limit_of_the_role_that_they_get(alice, bob, room):
    joined(tab(bob))
    change_role(room, "host", maxPeerCount=2)
    assert refused(alice, "role-change-request", requested_for="peer-Bob", role="host", force=True)[0] == 403
    assert [peer.role for peer in Peer.objects.filter(owner=bob.owner)] == ["guest", "guest"]
    do(bob, "leave")
    assert row(joined(tab(bob, 3))).role == "guest"


def test_a_role_that_one_gives_to_ones_own_other_peer_concerns_that_one_alone(alice):
    other = joined(tab(alice))
    do(alice, "role-change-request", requested_for=other.peer_id, role="viewer", force=True)
    assert (row(alice).role, row(other).role) == ("host", "viewer")
    do(other, "leave")
    assert row(joined(tab(alice, 3))).role == "host"


def test_a_role_that_is_accepted_holds_as_well(alice, bob):
    [(_, offer)] = told(bob, call(alice, "role-change-request", requested_for="peer-Bob", role="host").events)
    do(bob, "role-change", role="host", token=offer["token"])
    do(bob, "leave")
    assert row(joined(tab(bob))).role == "host"


# --- Removal ------------------------------------------------------------------------------------

OUT = (403, "removed from this session: enough")


def test_who_was_removed_finds_every_door_closed_until_let_in_again(alice, bob, room):
    tabs = [joined(tab(bob, number)) for number in (2, 3)]
    time_out(tabs[1])
    answer = call(alice, "peer-leave-request", requested_for="peer-Bob", reason="enough")

    sent_away = {event.effect for event in answer.events if isinstance(event.effect, SentAway)}
    assert sent_away == {SentAway("peer-Bob"), SentAway("peer-Bob-2")}
    for peer in (bob, tabs[0]):
        told_first = told(peer, answer.events)[0]
        assert told_first == (
            "on-peer-leave-request",
            {"requested_by": "peer-Alice", "reason": "enough", "room_end": False},
        )
        assert (row(peer).present, row(peer).leave_reason) == (False, "peer kicked")
    everywhere = [bob, *tabs, tab(bob, 4), again(bob, "conn-8"), tab(bob, 5, role="host"), tab(bob, 6, user_id="other")]
    for peer in everywhere:
        assert refusals(peer) == [OUT] * 5
        for answer in doors(peer):
            assert answer.error is not None
            assert answer.error.data == {"removed": True, "reason": "enough"}
    assert not Peer.objects.filter(owner=bob.owner).exclude(state="left").exists()
    # Others with the same user id and name are others.
    joined(visitor(room, "Bob2", "guest", user_id=bob.user_id))

    let_in(alice, bob)
    assert refusals(bob)[0] is None
    joined(tab(bob, 4))


def test_a_removal_ends_with_the_session(alice, bob):
    do(alice, "peer-leave-request", requested_for="peer-Bob")
    do(alice, "end-room")
    joined(bob)
    assert row(bob).present


def test_a_removed_person_is_back_with_the_role_that_it_was_given(alice, bob):
    do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    do(alice, "peer-leave-request", requested_for="peer-Bob")
    let_in(alice, bob)
    assert row(joined(tab(bob))).role == "viewer"


def test_whoever_was_let_in_again_before_hearing_of_it_comes_back_with_the_full_state(alice, bob):
    place = {"session_id": row(bob).session_id, "seq": row(bob).joined_seq}
    do(alice, "peer-leave-request", requested_for="peer-Bob")
    let_in(alice, bob)
    assert do(again(bob), "join", name="Bob", resume=place)["resync"] is True


def test_a_second_removal_counts_like_the_first(alice, bob):
    for reason in ("first", "second"):
        do(alice, "peer-leave-request", requested_for="peer-Bob", reason=reason)
        assert [one["reason"] for one in do(alice, "peers-removed")["removed"]] == [reason]
        let_in(alice, bob)
        assert do(alice, "peers-removed")["removed"] == []
        joined(bob)


def test_ones_own_other_peer_is_closed_and_may_come_back(alice, bob):
    other = joined(tab(alice))
    answer = call(alice, "peer-leave-request", requested_for=other.peer_id, reason="moved")
    assert kinds(other, answer.events) == ["on-peer-leave-request"]
    assert kinds(alice, answer.events) == ["on-peer-leave"]
    assert (row(other).present, row(alice).present) == (False, True)
    assert do(alice, "peers-removed")["removed"] == []
    joined(other)


def test_a_removal_by_the_server_holds_as_well(alice, bob, room):
    answer = call(server(room), "peer-leave-request", requested_for="peer-Bob", reason="enough")
    assert kinds(alice, answer.events) == ["on-removed-change", "on-peer-leave"]
    assert refusals(tab(bob)) == [OUT] * 5
    [removed] = do(alice, "peers-removed")["removed"]
    assert removed["removed_by"] == "operator"
    assert do(server(room), "peers-removed")["removed"] == [removed]
    do(server(room), "peer-let-in", person=removed["person"])
    joined(bob)


def test_who_was_removed_is_told_to_those_who_may_let_them_in_and_to_nobody_else(alice, bob, victor, room):
    change_role(room, "viewer", permissions={"removeOthers": True})
    guest = joined(visitor(room, "Carl", "guest"))
    do(bob, "peer-update", name="Bobby")
    answer = call(alice, "peer-leave-request", requested_for="peer-Bob", reason="enough")

    [(_, news)] = [one for one in told(alice, answer.events) if one[0] == "on-removed-change"]
    [removed] = news["removed"]
    removed_at = Person.objects.get(owner=bob.owner).removed_at
    assert removed_at
    assert removed.pop("removed_at") == milliseconds(removed_at)
    assert removed == {
        "person": row(bob).person,
        "name": "Bobby",
        "role": "guest",
        "reason": "enough",
        "removed_by": "Alice",
        "removed_by_person": row(alice).person,
    }
    assert "on-removed-change" in kinds(victor, answer.events)
    assert kinds(guest, answer.events) == ["on-peer-leave"]
    [listed] = do(victor, "peers-removed")["removed"]
    assert {name: listed[name] for name in removed} == removed
    for method, params in (("peers-removed", {}), ("peer-let-in", {"person": row(bob).person})):
        assert refused(guest, method, **params) == (403, "the role guest lacks the permission removeOthers")

    answer = call(victor, "peer-let-in", person=row(bob).person)
    assert answer.result["person"] == row(bob).person
    assert [body for kind, body in told(alice, answer.events)] == [{"removed": []}]
    assert kinds(guest, answer.events) == []


def test_where_no_role_may_remove_others_nobody_is_told_of_a_removal(alice, bob, victor, room):
    change_role(room, "host", permissions={"removeOthers": False})
    answer = call(server(room), "peer-leave-request", requested_for="peer-Bob")
    for person in (alice, victor):
        assert kinds(person, answer.events) == ["on-peer-leave"]


def test_those_who_were_removed_are_listed_the_last_one_first(alice, bob, victor):
    for peer in ("peer-Victor", "peer-Bob"):
        do(alice, "peer-leave-request", requested_for=peer)
    assert [one["name"] for one in do(alice, "peers-removed")["removed"]] == ["Bob", "Victor"]


def test_nobody_is_let_in_who_was_not_removed(alice, bob, carol):
    do(alice, "peer-leave-request", requested_for="peer-Bob")
    for person in (row(alice).person, row(carol).person, "nobody", bob.user_id, bob.peer_id, row(bob).person[:-1]):
        assert refused(alice, "peer-let-in", person=person) == (404, "person: nobody like that was removed")
    for wrong in ({}, {"person": ""}, {"person": 7}, {"person": "x" * 23}, {"person": None}):
        assert refused(alice, "peer-let-in", **wrong)[0] == 400
    assert refused(carol, "peer-let-in", person=row(bob).person)[0] == 404
    let_in(alice, bob)
    assert refused(alice, "peer-let-in", person=row(bob).person)[0] == 404


@pytest.mark.matrix
def test_a_removal_and_a_join_of_the_same_owner_at_once_leave_nobody_inside(database, room):
    host, bob = joined(visitor(room, "Alice", "host")), joined(visitor(room, "Bob", "guest"))
    calls = [prepare(host, "peer-leave-request", requested_for="peer-Bob")]
    calls += [prepare(tab(bob, number), "join", name="Bob") for number in range(5)]
    at_once(calls)
    assert not Peer.objects.filter(owner=bob.owner).exclude(state="left").exists()
    assert refused(tab(bob, 9), "join", name="Bob")[0] == 403


@pytest.mark.matrix
def test_what_another_process_did_to_an_owner_is_not_overlooked(database, room):
    """This process remembers only how it was before, as if another one had made the change."""
    host, bob = joined(visitor(room, "Alice", "host")), joined(visitor(room, "Bob", "guest"))
    for person in (host, bob):
        say(person, "hello")
    before = memory._remembered.copy()
    do(host, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    memory._remembered.clear()
    memory._remembered.update(before)
    assert row(joined(tab(bob))).role == "viewer"
    before = memory._remembered.copy()
    do(host, "peer-leave-request", requested_for="peer-Bob")
    memory._remembered.clear()
    memory._remembered.update(before)
    assert refused(tab(bob, 3), "join", name="Bob")[0] == 403


@pytest.mark.matrix
def test_who_asks_whether_it_may_come_waits_for_nobody_who_writes(database, room):
    asked, answered = Event(), Event()

    def write() -> None:
        with transaction.atomic(), Cursor() as cursor:
            memory.lock(cursor, [room.id], patience=1)
            asked.set()
            answered.wait(30)
        connection.close()

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        asked.wait(30)
        try:
            perform_now(admit, visitor(room, "Bob", "guest"), patience=0.05)
        finally:
            answered.set()
            writing.result()


# --- Coming back past a limit -------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["size", "role", "given role", "closed"])
def test_a_peer_that_timed_out_comes_back_within_the_limits_whatever_the_door(alice, bob, room, limit):
    time_out(bob)
    if limit == "size":
        Room.objects.filter(pk=room.pk).update(size=2)
        joined(visitor(room, "Dora", "guest"))
        expected = (403, "the room is full")
    elif limit == "role":
        joined(visitor(room, "Dora", "guest"))
        change_role(room, "guest", maxPeerCount=1)
        expected = (403, "the room takes no more of the role guest")
    elif limit == "given role":
        joined(again(bob))
        do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
        time_out(again(bob))
        joined(visitor(room, "Victor", "viewer"))
        change_role(room, "viewer", maxPeerCount=1)
        expected = (403, "the room takes no more of the role viewer")
    else:
        Room.objects.filter(pk=room.pk).update(enabled=False)
        expected = (403, "room not available")
    assert refusals(again(bob, "conn-3")) == [expected] * 5
    assert not row(bob).present
    assert live_session(room) is not None


# --- Names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u2060\u200d", "\u00ad", "\ufe0f", "\u034f", "\x00"])
def test_whoever_comes_without_a_visible_name_is_a_guest(room, alice, name):
    eve = visitor(room, "Eve", "guest")
    answer = call(eve, "join", name=name)
    [(_, peer)] = told(alice, answer.events)
    assert peer["info"]["name"] == row(eve).name == "Guest"
    assert refused(eve, "peer-update", name=name) == (400, "name: empty")
    assert json.loads(call(eve, "broadcast", info={"message": "hi"}).events[0].body)["peer"]["info"]["name"] == "Guest"
