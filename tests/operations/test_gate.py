"""Who may do what, and several calls in one transaction."""

import gc
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rooms.creation.rooms import create_room
from rooms.models import Message, MetadataEntry, Peer, Room, Template
from rooms.operations.engine import memory
from rooms.operations.engine.calls import Call, Caller
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import METHODS, operation, run
from rooms.operations.engine.work import Work
from rooms.operations.leaving import disconnect
from rooms.wire.errors import HeldUp
from rooms.wire.events import EVERYBODY
from rooms.wire.events import Event as News
from rooms.wire.results import Outcome
from rooms.wire.roles import DEFAULT_TEMPLATE, PERMISSIONS
from tests.operations.driver import (
    again,
    ask,
    call,
    do,
    journalled,
    kinds,
    position,
    prepare,
    refused,
    row,
    say,
    server,
    visitor,
    welcome,
)
from tests.support.permissions import FREE, HELLO, NEEDS, OTHER, SOUP, filled


@pytest.fixture
def stage(room: Room) -> Room:
    """Somebody else is there and said something, there are polls in every state, and a role that may do nothing."""
    template = Template.objects.get(pk=room.template_id)
    template.roles["tester"] = {"permissions": dict.fromkeys(PERMISSIONS, False)}
    template.save()
    other = visitor(room, "Other", "guest")
    do(other, "join", name="Other")
    say(other, "hello")
    do(server(room), "set-metadata", key="timer", data=1)
    for poll_id in ("draft", "running", "over"):
        do(server(room), "poll-info-set", poll_id=poll_id, title="Lunch")
        do(server(room), "poll-questions-set", poll_id=poll_id, questions=[SOUP])
    for poll_id in ("running", "over"):
        do(server(room), "poll-start", poll_id=poll_id)
    do(server(room), "poll-stop", poll_id="over")
    return room


def said(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the id of what was said first."""
    return filled(params, Message.objects.earliest("seq").message_id)


def actor(room: Room, permissions: set[str]) -> Caller:
    """A peer whose role has just these permissions."""
    template = Template.objects.get(pk=room.template_id)
    template.roles["tester"] = {"permissions": {name: name in permissions for name in PERMISSIONS}}
    template.save()
    caller = visitor(room, "Tester", "tester")
    do(caller, "join", name="Tester")
    return caller


# --- Permissions --------------------------------------------------------------------------------


@pytest.mark.parametrize(("permission", "method", "params"), NEEDS, ids=lambda value: str(value)[:40])
def test_i33_a_call_needs_its_permission_and_no_other(stage, permission, method, params):
    # Who may make polls may see them too.
    without = set(PERMISSIONS) - {permission} - ({"pollWrite"} if permission == "pollRead" else set())
    caller, params = actor(stage, without), said(params)
    before = list(Peer.objects.order_by("pk").values()), list(MetadataEntry.objects.values())
    code, message = refused(caller, method, **params)
    assert (code, message) == (403, f"the role tester lacks the permission {permission}")
    assert (list(Peer.objects.order_by("pk").values()), list(MetadataEntry.objects.values())) == before

    stage.template.refresh_from_db()
    stage.template.roles["tester"]["permissions"] = {name: name == permission for name in PERMISSIONS}
    stage.template.save()
    do(caller, method, **params)


@pytest.mark.parametrize(("method", "params"), FREE, ids=lambda value: str(value)[:40])
def test_what_everybody_in_the_room_may_do(stage, method, params):
    do(actor(stage, set()), method, **params)


@pytest.mark.parametrize("role", sorted(DEFAULT_TEMPLATE))
@pytest.mark.parametrize(("permission", "method", "params"), NEEDS, ids=lambda value: str(value)[:40])
def test_the_default_roles(stage, role, permission, method, params):
    caller = visitor(stage, "Tester", role)
    do(caller, "join", name="Tester")
    allowed = {
        "host": set(PERMISSIONS),
        "guest": {"pollRead", "sendMessages", "writeMetadata", "raiseHand"},
        "viewer": {"pollRead", "raiseHand"},
    }
    answer = call(caller, method, **said(params))
    if permission in allowed[role]:
        assert answer.error is None
    else:
        assert answer.error is not None
        assert answer.error.code == 403


def test_every_method_is_free_or_needs_something():
    tried = {method for _, method, _ in NEEDS} | {method for method, _ in FREE}
    assert set(METHODS) - tried == {
        "join", "message-edit", "peer-iter-next", "peer-let-in", "role-change", "unlock",
    }  # fmt: skip


def test_every_permission_is_needed_for_something():
    assert {permission for permission, _, _ in NEEDS} == set(PERMISSIONS)


def test_every_method_is_called_in_a_test():
    tests = "".join(path.read_text() for path in Path(__file__).parent.rglob("test_*.py"))
    assert [method for method in METHODS if f'"{method}"' not in tests] == []


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"join"}))
def test_nothing_can_be_done_before_joining(stage, method):
    params = {name: params for _, name, params in NEEDS} | dict(FREE)
    params |= {"peer-iter-next": {"iterator": "x"}, "role-change": {"role": "host", "token": "x"}}
    params |= {"peer-let-in": {"person": "x"}, "unlock": {"name": "x", "token": 1}}
    params |= {"message-edit": {"id": "x", "message": "x"}}
    assert refused(visitor(stage, "Eve", "host"), method, **params[method]) == (410, "not joined")


def test_i33_the_role_of_the_token_counts_at_the_door_and_that_of_the_row_inside(alice, bob):
    """A token of a host's role does nothing for a peer that is a guest now."""
    do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    claims = {"peer_id": bob.peer_id, "owner": bob.owner, "user_id": bob.user_id, "conn_id": bob.conn_id}
    assert refused(Caller(bob.room_id, role="host", **claims), "broadcast", info=HELLO)[0] == 403


def test_i33_permissions_are_those_of_this_transaction(alice, bob):
    """Bob loses his role in the very transaction in which he writes."""
    answers = run(
        [
            prepare(bob, "set-metadata", data="before"),
            prepare(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True),
            prepare(bob, "set-metadata", data="after"),
        ]
    )
    assert [answer.error.code if answer.error else 200 for answer in answers] == [200, 200, 403]
    assert do(alice, "get-metadata")["data"] == "before"


def test_whoever_holds_a_role_that_is_gone_from_the_template_may_leave_and_is_told_what_is_the_matter(
    alice, bob, victor, room
):
    template = Template.objects.get(pk=room.template_id)
    del template.roles["guest"]
    template.save()
    gone = (403, "the room has the role guest no longer")
    say(alice, "hello")
    for permission, method, params in NEEDS:
        if permission != "raiseHand":
            assert refused(bob, method, **said(params) if Message.objects.exists() else params) == gone, method
    assert refused(bob, "group-join", name="_handraise") == gone

    lost = ask(bob, disconnect)
    assert (lost.error, row(bob).state) == (None, "reconnecting")
    assert welcome(again(bob)).attachment is not None
    assert do(again(bob), "join", name="Bob")["resync"] is True
    answer = call(again(bob), "leave")
    assert (answer.error, row(bob).state) == (None, "left")
    assert kinds(alice, answer.events) == ["on-peer-leave"]
    # Who is not inside does not come in with it.
    assert refused(again(bob), "join", name="Bob") == (403, "room not available")


def test_the_server_may_do_everything_but_what_only_a_peer_can(stage):
    operator = server(stage)
    for method, params in (
        ("set-metadata", {"data": "tea"}),
        ("group-add", {"name": "_handraise", "peer_id": "peer-Other"}),
        ("role-change-request", {**OTHER, "role": "host", "force": True}),
        ("peer-leave-request", OTHER),
    ):
        do(operator, method, **params)


def test_an_unknown_room_answers_like_a_forbidden_one(db):
    assert call(Caller("0" * 24), "get-metadata").error is not None
    assert refused(Caller("0" * 24, peer_id="p"), "get-metadata") == (403, "room not available")


# --- Several calls in one transaction -----------------------------------------------------------


def test_a_refused_call_leaves_the_others_alone(alice, bob, victor):
    answers = run(
        [
            prepare(alice, "broadcast", info=HELLO),
            prepare(victor, "broadcast", info=HELLO),
            prepare(bob, "set-metadata", data="tea", if_change_version=9),
            prepare(bob, "broadcast", info=HELLO),
        ]
    )
    assert [answer.error.code if answer.error else 200 for answer in answers] == [200, 403, 409, 200]
    sent = [event.seq for answer in answers for event in answer.events]
    assert sent == [event.seq for event in journalled(alice.room_id, after=sent[0] - 1)]
    assert len(sent) == 2


def test_each_call_sees_what_those_before_it_did(alice, bob):
    answers = run(
        [
            prepare(alice, "set-metadata", key="n", data=1),
            prepare(bob, "set-metadata", key="n", data=2, if_change_version=1),
            prepare(alice, "get-metadata", key="n"),
            prepare(bob, "leave"),
            prepare(alice, "broadcast", info=HELLO, peer_id="peer-Bob"),
            prepare(alice, "get-peer", peer_id="peer-Bob"),
        ]
    )
    assert answers[2].result["data"] == 2
    assert answers[4].error is not None
    assert answers[5].error is not None
    assert MetadataEntry.objects.get().change_version == 2


def test_an_answer_has_its_place_among_the_events(alice, bob):
    answers = run(
        [
            prepare(alice, "get-metadata"),
            prepare(alice, "set-metadata", data=1),
            prepare(bob, "get-metadata"),
            prepare(bob, "set-metadata", data=2, if_change_version=7),
            prepare(bob, "broadcast", info=HELLO),
        ]
    )
    first = answers[0].seq
    assert [answer.seq - first for answer in answers] == [0, 1, 1, 1, 2]
    assert [answer.result.get("seq", 0) - first for answer in answers if not answer.error] == [0, 1, 1, 2]


def test_rooms_in_one_transaction_do_not_mix(alice, carol):
    answers = run([prepare(alice, "set-metadata", data="a"), prepare(carol, "set-metadata", data="c")])
    assert answers[0].session_id != answers[1].session_id
    assert (do(alice, "get-metadata")["data"], do(carol, "get-metadata")["data"]) == ("a", "c")


def test_a_session_that_begins_and_ends_in_one_transaction(room):
    alice = visitor(room, "Alice", "host")
    answers = run(
        [
            prepare(alice, "join", name="Alice"),
            prepare(alice, "set-metadata", data=1),
            prepare(alice, "poll-info-set", title="Lunch"),
            prepare(alice, "leave"),
            prepare(alice, "join", name="Alice"),
            prepare(alice, "get-metadata"),
        ]
    )
    assert [answer.error for answer in answers] == [None] * 6
    assert answers[5].result["change_version"] == 0
    assert Peer.objects.filter(state="connected").count() == 1


@operation()
def change_and_fail(context: Context) -> Outcome:
    """Changes what it can, and has a bug."""
    context.peer.name = "broken"
    context.work.changed(context.peer, "name")
    MetadataEntry.objects.create(session=context.session, key="broken", change_version=1, updated_at=context.now)
    raise ZeroDivisionError


@operation()
def store_the_impossible(context: Context) -> Outcome:
    """Fails only when it is written."""
    context.work.add(MetadataEntry(session=context.session, key=None, updated_at=context.now))
    return Outcome({}, [News("on-broadcast", "{}", EVERYBODY)])


@pytest.mark.parametrize("failing", [change_and_fail, store_the_impossible])
def test_i19_what_fails_publishes_nothing_and_spares_the_others(alice, bob, room, failing):
    before = position(room.id)
    answers = run(
        [
            prepare(alice, "broadcast", info=HELLO),
            Call(failing, bob),
            prepare(alice, "set-metadata", data="tea"),
        ]
    )
    assert [answer.error.code if answer.error else 200 for answer in answers] == [200, 500, 200]
    assert not answers[1].events
    assert row(bob).name == "Bob"
    assert not MetadataEntry.objects.filter(key="broken").exists()
    assert position(room.id) == before + 2
    assert [(event.seq, event.kind) for event in journalled(room.id, after=before)] == [
        (before + 1, "on-broadcast"),
        (before + 2, "on-metadata-change"),
    ]


def test_the_refusal_of_a_bug_tells_nothing_of_it(bob):
    error = ask(bob, change_and_fail).error
    assert error is not None
    assert error.as_wire() == {"code": 500, "message": "internal error"}


@pytest.mark.matrix
def test_i19_what_failed_is_not_remembered(database, room):
    bob = visitor(room, "Bob", "guest")
    do(bob, "join", name="Bob")
    do(bob, "broadcast", info=HELLO)
    ask(bob, change_and_fail)
    [event] = call(bob, "broadcast", info=HELLO).events
    assert json.loads(event.body)["peer"]["info"]["name"] == "Bob"
    assert event.seq == 3


# --- Parameters ---------------------------------------------------------------------------------


def test_unknown_parameters_are_passed_over(alice):
    do(alice, "set-metadata", data=1, version="1.0", context="x", self="y")
    do(alice, "poll-list", self=True)


def test_i31_a_token_for_one_room_does_nothing_in_another(alice, carol):
    claims = {"peer_id": alice.peer_id, "owner": alice.owner, "user_id": alice.user_id, "conn_id": alice.conn_id}
    elsewhere = Caller(carol.room_id, role=alice.role, **claims)
    assert refused(elsewhere, "get-metadata")[0] == 410
    assert welcome(elsewhere).attachment is None


@pytest.mark.django_db(transaction=True)
def test_a_transaction_lets_go_of_all_that_it_was_about(database):
    alice = visitor(create_room(), "Alice", "host")
    do(alice, "join", name="Alice")
    gc.collect()
    gc.disable()
    try:
        do(alice, "broadcast", info={"message": "x" * 1000})
        assert not [held for held in gc.get_objects() if type(held) is Work]
    finally:
        gc.enable()


def test_what_comes_after_a_call_that_is_held_up_waits_with_it(alice, bob, monkeypatch):
    def fail(context: Context) -> Outcome:
        raise RuntimeError("a bug")

    first, last = prepare(alice, "set-metadata", key="topic", data=1), prepare(bob, "set-metadata", key="topic", data=2)
    failing = first._replace(operation=replace(first.operation, function=fail), arguments={})
    lock, taken = memory.lock, []

    def busy_for_the_second(cursor, room_ids, *, patience):
        taken.append(room_ids)
        found = lock(cursor, room_ids, patience=patience)
        return ({}, set(room_ids)) if len(taken) == 2 else found

    # The set fails, so each is run by itself, and meanwhile somebody else has the room's lock.
    monkeypatch.setattr(memory, "lock", busy_for_the_second)
    answers = run([first, failing, last])

    assert [type(answer.error) for answer in answers] == [HeldUp] * 3
    assert not MetadataEntry.objects.exists()
