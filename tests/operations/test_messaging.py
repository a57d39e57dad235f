"""Messages to all, to roles, to one; and those that are sent twice."""

from typing import Any

import pytest
from django.db import transaction

from rooms.models import Message, Room, Session, Template
from rooms.operations.engine import memory
from rooms.operations.engine.gate import run
from rooms.operations.engine.memory import MAX_ABSENT, MAX_OWNERS, Standing
from rooms.operations.engine.transaction import Cursor
from rooms.operations.leaving import disconnect
from tests.operations.driver import (
    ask,
    at_once,
    call,
    change_role,
    do,
    kinds,
    prepare,
    refused,
    row,
    server,
    told,
    visitor,
    welcome,
)

HELLO = {"message": "hello", "type": "chat"}


def test_a_message_reaches_everybody_but_its_sender(alice, bob, victor):
    answer = call(alice, "broadcast", info=HELLO)

    assert set(answer.result) == {"message_id", "timestamp", "seq"}
    assert told(alice, answer.events) == []
    for person in (bob, victor):
        [(kind, message)] = told(person, answer.events)
        assert kind == "on-broadcast"
        assert message == {
            "message_id": answer.result["message_id"],
            "timestamp": answer.result["timestamp"],
            "private": False,
            "info": HELLO,
            "peer": {
                "peer_id": "peer-Alice",
                "person": row(alice).person,
                "role": "host",
                "groups": [],
                "info": {"name": "Alice", "data": "", "user_id": "user-Alice"},
            },
        }


def test_what_the_server_says_has_no_sender_and_reaches_whom_it_is_for(room, alice, bob):
    to_all, to_hosts = (
        call(server(room), "broadcast", info={"message": "closing"}, roles=roles) for roles in (None, ["host"])
    )

    [(_, message)] = told(bob, to_all.events)
    assert message == {
        "message_id": to_all.result["message_id"],
        "timestamp": to_all.result["timestamp"],
        "private": False,
        "info": {"message": "closing", "type": "chat"},
    }
    assert len(told(alice, to_hosts.events)) == 1 and told(bob, to_hosts.events) == []
    assert len(told(bob, call(server(room), "broadcast", info=HELLO, peer_id="peer-Bob").events)) == 1


def test_what_the_server_says_under_a_client_id_is_said_once(room, alice, bob):
    first, again = (call(server(room), "broadcast", info=HELLO, client_id="one") for _ in range(2))
    of_alice = call(alice, "broadcast", info=HELLO, client_id="one")
    assert (again.result["message_id"], again.events) == (first.result["message_id"], [])
    assert of_alice.result["message_id"] != first.result["message_id"]


def test_a_direct_message_reaches_one_peer(alice, bob, victor):
    answer = call(alice, "broadcast", info=HELLO, peer_id="peer-Bob")
    [(_, message)] = told(bob, answer.events)
    assert message["private"] is True
    assert "roles" not in message
    assert told(victor, answer.events) == told(alice, answer.events) == []


def test_a_message_to_roles_reaches_their_holders_but_not_its_sender(alice, bob, victor, room):
    second = visitor(room, "Second", "host")
    do(second, "join", name="Second")
    answer = call(alice, "broadcast", info=HELLO, roles=["host", "viewer", "host"])

    [(_, message)] = told(victor, answer.events)
    assert (message["roles"], message["private"]) == (["host", "viewer"], False)
    assert kinds(second, answer.events) == ["on-broadcast"]
    assert told(alice, answer.events) == told(bob, answer.events) == []


def test_a_message_to_a_role_is_for_those_who_hold_it_then(alice, bob, victor):
    do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    answer = call(alice, "broadcast", info=HELLO, roles=["guest"])
    assert told(bob, answer.events) == told(victor, answer.events) == []


def test_one_peer_wins_over_roles_and_no_roles_are_everybody(alice, bob, victor):
    answer = call(alice, "broadcast", info=HELLO, peer_id="peer-Bob", roles=["viewer"])
    assert (kinds(bob, answer.events), kinds(victor, answer.events)) == (["on-broadcast"], [])
    answer = call(alice, "broadcast", info=HELLO, roles=[], peer_id=None)
    assert kinds(bob, answer.events) == kinds(victor, answer.events) == ["on-broadcast"]


def test_somebody_who_is_reconnecting_can_be_written_to_and_somebody_who_left_cannot(alice, bob, victor):
    ask(bob, disconnect)
    do(alice, "broadcast", info=HELLO, peer_id="peer-Bob")
    do(victor, "leave")
    assert refused(alice, "broadcast", info=HELLO, peer_id="peer-Victor")[0] == 404
    assert refused(alice, "broadcast", info=HELLO, peer_id="nobody")[0] == 404


def test_nobody_writes_into_another_room(alice, carol):
    assert refused(alice, "broadcast", info=HELLO, peer_id="peer-Carol")[0] == 404


def test_the_type_is_free_and_chat_if_there_is_none(alice, bob):
    for info, kind in (({"message": "x"}, "chat"), ({"message": "x", "type": "metadata"}, "metadata")):
        [(_, message)] = told(bob, call(alice, "broadcast", info=info).events)
        assert message["info"] == {"message": "x", "type": kind}


def test_i33_no_field_of_a_message_names_another_sender(alice, bob):
    forged: dict[str, Any] = {
        "info": {**HELLO, "peer": "peer-Alice", "sender": "peer-Alice"},
        "peer": {"peer_id": "peer-Alice", "role": "host"},
        "sender": "peer-Alice",
        "role": "host",
        "name": "Alice",
        "message_id": "mine",
        "timestamp": 1,
    }
    answer = call(bob, "broadcast", **forged)
    [(_, message)] = told(alice, answer.events)
    assert (message["peer"]["peer_id"], message["peer"]["role"]) == ("peer-Bob", "guest")
    assert message["peer"]["info"]["name"] == "Bob"
    assert message["message_id"] != "mine"
    assert message["info"] == HELLO


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, 400),
        ({"info": "hello"}, 400),
        ({"info": {}}, 400),
        ({"info": {"message": ""}}, 400),
        ({"info": {"message": 7}}, 400),
        ({"info": {"message": "x", "type": 7}}, 400),
        ({"info": {"message": "x", "type": "x" * 65}}, 400),
        ({"info": {"message": "x" * 4001}}, 413),
        ({"info": HELLO, "roles": "host"}, 400),
        ({"info": HELLO, "roles": [1]}, 400),
        ({"info": HELLO, "roles": ["x"] * 51}, 413),
        ({"info": HELLO, "roles": ["host"] * 51}, 413),
        ({"info": HELLO, "roles": ["host", "king"]}, 404),
        ({"info": HELLO, "roles": ["host", "X" * 60_000]}, 400),
        ({"info": HELLO, "roles": [""]}, 400),
        ({"info": HELLO, "roles": ["king"], "peer_id": "peer-Bob"}, 404),
        ({"info": HELLO, "peer_id": 7}, 400),
        ({"info": HELLO, "client_id": "x" * 65}, 400),
    ],
)
def test_what_is_no_message(alice, bob, params, code):
    assert refused(alice, "broadcast", **params)[0] == code
    assert not Message.objects.exists()


def test_the_session_counts_its_messages(alice, bob):
    do(alice, "broadcast", info=HELLO)
    do(bob, "broadcast", info=HELLO, client_id="1")
    do(bob, "broadcast", info=HELLO, client_id="1")
    refused(bob, "broadcast", info={})
    assert Session.objects.get().messages == 2


# --- Sent twice ---------------------------------------------------------------------------------


def test_i24_a_repeated_message_is_one_message(alice, bob):
    first = call(alice, "broadcast", info=HELLO, client_id="1")
    do(bob, "broadcast", info=HELLO)
    second = call(alice, "broadcast", info=HELLO, client_id="1")

    assert second.result == first.result
    assert not second.events
    assert Message.objects.count() == 2


def test_i24_a_message_repeated_within_one_transaction_is_one_message(alice, bob):
    again = prepare(alice, "broadcast", info=HELLO, client_id="1")
    other = prepare(bob, "broadcast", info=HELLO, client_id="1")
    first, second, third = run([again, again, other])
    assert second.result == first.result
    assert third.result["message_id"] != first.result["message_id"]
    assert Message.objects.count() == 2


@pytest.mark.matrix
def test_i24_a_message_repeated_at_once_is_one_message(database, room):
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    answers = at_once([prepare(alice, "broadcast", info=HELLO, client_id="1")] * 6)
    assert len({answer.result["message_id"] for answer in answers}) == 1
    assert Message.objects.count() == 1


def test_i24_a_repetition_is_answered_although_its_receiver_left(alice, bob):
    first = do(alice, "broadcast", info=HELLO, client_id="1", peer_id="peer-Bob")
    do(bob, "leave")
    assert do(alice, "broadcast", info=HELLO, client_id="1", peer_id="peer-Bob") == first


def test_a_client_id_is_its_peers_own(alice, bob):
    first = do(alice, "broadcast", info=HELLO, client_id="1")
    second = do(bob, "broadcast", info=HELLO, client_id="1")
    assert first["message_id"] != second["message_id"]
    assert do(bob, "broadcast", info=HELLO, client_id="2")["message_id"] != second["message_id"]


def test_a_refused_message_leaves_no_trace_of_its_client_id(alice, bob):
    refused(alice, "broadcast", info={"message": ""}, client_id="1")
    assert not Message.objects.exists()
    do(alice, "broadcast", info=HELLO, client_id="1")
    assert Message.objects.count() == 1


def test_who_lost_the_right_to_write_does_not_even_repeat(alice, bob, room):
    do(bob, "broadcast", info=HELLO, client_id="1")
    change_role(room, "guest", permissions={"sendMessages": False})
    assert refused(bob, "broadcast", info=HELLO, client_id="1")[0] == 403


@pytest.mark.matrix
def test_i33_a_right_taken_away_is_gone_for_the_next_message(database, room):
    """What is remembered between transactions must not outlive a change of roles, of whatever kind."""
    alice, bob = visitor(room, "Alice", "host"), visitor(room, "Bob", "guest")
    for person in (alice, bob):
        do(person, "join", name=person.name)
        do(person, "broadcast", info=HELLO)
        do(person, "broadcast", info=HELLO)

    do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    assert refused(bob, "broadcast", info=HELLO)[0] == 403
    do(alice, "role-change-request", requested_for="peer-Bob", role="guest", force=True)
    do(bob, "broadcast", info=HELLO)

    change_role(room, "guest", permissions={"sendMessages": False})
    assert refused(bob, "broadcast", info=HELLO)[0] == 403
    change_role(room, "guest", permissions={"sendMessages": True})
    do(bob, "broadcast", info=HELLO)

    do(alice, "peer-leave-request", requested_for="peer-Bob")
    assert refused(bob, "broadcast", info=HELLO)[0] == 410
    assert refused(alice, "broadcast", info=HELLO, peer_id="peer-Bob")[0] == 404


@pytest.mark.matrix
def test_i33_a_template_that_is_exchanged_holds_at_once(database, room):
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    do(alice, "broadcast", info=HELLO)
    silent = Template.objects.create(name="silent", roles={"host": {"permissions": {"sendMessages": False}}})
    Room.objects.filter(pk=room.pk).update(template=silent)
    assert refused(alice, "broadcast", info=HELLO)[0] == 403


def remembered(room: Room) -> Standing:
    """What this process remembers of the room at this moment."""
    with transaction.atomic(), Cursor() as cursor:
        held = memory.recall(memory.lock(cursor, [room.id], patience=1)[0][room.id])
    assert held is not None
    return held


@pytest.mark.matrix
def test_i33_what_another_process_changed_is_not_overlooked(database, room):
    """Of each change this process remembers only how it was before, as if another one had made it."""
    alice, bob, eve = (visitor(room, *who) for who in (("Alice", "host"), ("Bob", "guest"), ("Eve", "guest")))
    for person in (alice, bob, eve):
        do(person, "join", name=person.name)
        do(person, "broadcast", info=HELLO)
    before = remembered(room)

    do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    memory.remember(before)
    assert refused(bob, "broadcast", info=HELLO)[0] == 403

    do(bob, "leave")
    memory.remember(before)
    assert refused(bob, "broadcast", info=HELLO)[0] == 410
    memory.remember(before)
    assert refused(alice, "broadcast", info=HELLO, peer_id="peer-Bob")[0] == 404

    do(eve, "peer-update", name="Eva")
    memory.remember(before)
    assert '"name":"Eva"' in call(eve, "broadcast", info=HELLO).events[0].body

    before = remembered(room)
    change_role(room, "guest", permissions={"sendMessages": False})
    memory.remember(before)
    assert refused(eve, "broadcast", info=HELLO)[0] == 403


def test_of_those_who_came_to_the_door_and_no_further_few_are_remembered(database, room):
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    do(alice, "broadcast", info=HELLO)
    for number in range(2 * MAX_OWNERS):
        welcome(visitor(room, f"{number}", "guest"))
    do(alice, "broadcast", info=HELLO)

    held = remembered(room)
    assert len(held.owned) <= MAX_OWNERS
    assert len(held.absent) <= MAX_ABSENT


@pytest.mark.matrix
def test_what_is_remembered_is_dropped_with_the_session(database, room):
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    first = call(alice, "broadcast", info=HELLO)
    do(alice, "leave")
    assert refused(alice, "broadcast", info=HELLO)[0] == 410
    do(alice, "join", name="Alicia")
    second = call(alice, "broadcast", info=HELLO)
    assert second.session_id != first.session_id
    assert second.seq == 2
    assert '"name":"Alicia"' in second.events[0].body
    assert row(alice).name == "Alicia"
