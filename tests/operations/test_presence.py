"""Coming and going, and who is let in."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rooms.models import Event, Message, MetadataEntry, Peer, Person, Room, Session, milliseconds
from rooms.operations.admission import admit
from rooms.operations.arriving import connect
from rooms.operations.engine.calls import Call, Caller
from rooms.operations.engine.gate import run
from rooms.operations.leaving import disconnect
from rooms.operations.reaping import reap
from tests.operations.driver import (
    again,
    ask,
    at_once,
    attachment,
    call,
    change_role,
    do,
    kinds,
    live_session,
    position,
    prepare,
    refused,
    row,
    server,
    told,
    visitor,
    welcome,
)

# --- Joining ------------------------------------------------------------------------------------


def test_the_first_to_join_starts_a_session(room):
    alice = visitor(room, "Alice", "host")
    answer = call(alice, "join", name=" Alice ", data='{"a":1}')

    session = live_session(room)
    assert session is not None
    assert {**answer.result, "limits": {}} == {
        "session_id": session.id,
        "seq": 1,
        "history": "",
        "timestamp": milliseconds(session.started_at),
        "limits": {},
    }
    peer = row(alice)
    assert (peer.name, peer.role, peer.metadata, peer.user_id) == ("Alice", "host", '{"a":1}', "user-Alice")
    assert (peer.state, peer.joined_seq, peer.conn_id, peer.worker) == ("connected", 1, "conn-Alice", "worker-1")
    assert attachment(answer).replay is None


def test_the_others_are_told_of_a_newcomer_and_it_is_told_of_them(alice, room):
    bob = visitor(room, "Bob", "guest")
    answer = call(bob, "join", name="Bob")

    [(kind, peer)] = told(alice, answer.events)
    assert (kind, peer["peer_id"], peer["realtime"], peer["groups"], peer["tracks"]) == (
        "on-peer-join", "peer-Bob", True, [], {}
    )  # fmt: skip
    assert peer["info"] == {"name": "Bob", "data": "", "user_id": "user-Bob", "type": "regular"}
    assert told(bob, answer.events) == []
    peers = attachment(answer).peers
    assert peers is not None
    assert {peer_id: json.loads(wire)["info"]["name"] for peer_id, wire in peers.items()} == {
        "peer-Alice": "Alice", "peer-Bob": "Bob"
    }  # fmt: skip


def test_a_process_that_follows_the_session_is_not_given_everybody_again(alice, room):
    session = live_session(room)
    assert session is not None
    prepared = prepare(visitor(room, "Bob", "guest"), "join", name="Bob")
    [answer] = run([Call(prepared.operation, prepared.caller, prepared.arguments, follows=session.id)])
    assert attachment(answer).peers is None


def test_one_room_does_not_see_the_other(alice, carol):
    peers = attachment(call(again(alice), "join", name="Alice")).peers
    assert peers is not None
    assert set(peers) == {"peer-Alice"}


def test_i01_a_room_has_one_live_session(alice, room):
    with pytest.raises(IntegrityError):
        Session.objects.create(room=room)


@pytest.mark.matrix
def test_i01_racing_first_joiners_share_one_session(database, room):
    callers = [visitor(room, f"Racer {number}", "guest") for number in range(8)]
    answers = at_once([prepare(caller, "join", name=caller.name) for caller in callers])

    assert [answer.error for answer in answers] == [None] * 8
    assert len({answer.session_id for answer in answers}) == 1
    assert sorted(answer.seq for answer in answers) == list(range(1, 9))
    assert Session.objects.count() == 1
    assert Peer.objects.filter(state="connected").count() == 8


def test_the_last_leaves_and_the_next_joins_in_one_transaction(alice, room):
    bob = visitor(room, "Bob", "guest")
    with CaptureQueriesContext(connection) as queries:
        answers = run([prepare(alice, "leave"), prepare(bob, "join", name="Bob")])

    assert [answer.error for answer in answers] == [None, None]
    assert sum(query["sql"].startswith("SAVEPOINT") for query in queries) == 1
    first, second = answers
    assert first.session_id != second.session_id
    assert second.seq == 1
    assert live_session(room) == Session.objects.get(id=second.session_id)


def test_a_name_is_cleaned_and_metadata_has_a_limit(room, settings):
    settings.MAX_PEER_METADATA_BYTES = 8
    eve = visitor(room, "Eve", "guest")
    assert refused(eve, "join", name="Eve", data="é" * 5)[0] == 413
    assert refused(eve, "join", name="x" * 101)[0] == 400
    do(eve, "join", name="\u202eEve\u0000\n  B", data="é" * 4)
    assert row(eve).name == "Eve B"


@pytest.mark.parametrize(
    "resume", [{}, {"session_id": 1, "seq": 1}, {"session_id": "x"}, {"session_id": "x", "seq": True}, []]
)
def test_a_place_has_a_form(alice, resume):
    assert refused(alice, "join", name="Alice", resume=resume)[0] == 400


def test_a_present_peer_that_joins_again_is_the_same_peer(alice, bob):
    before = row(bob)
    answer = call(again(bob), "join", name="Bob")

    assert answer.result["resync"] is True
    assert kinds(alice, answer.events) == []
    assert (row(bob).joined_at, row(bob).joined_seq, row(bob).conn_id) == (
        before.joined_at,
        before.joined_seq,
        "conn-2",
    )

    answer = call(again(bob), "join", name="Bobby")
    assert kinds(alice, answer.events) == ["on-peer-update"]
    assert row(bob).name == "Bobby"


# --- Admission ----------------------------------------------------------------------------------


def test_i35_unknown_and_disabled_rooms_and_roles_answer_alike(room):
    nowhere = Caller("0" * 24, peer_id="p", user_id="u", role="host", conn_id="c")
    nobody = visitor(room, "Eve", "emperor")
    Room.objects.filter(pk=room.pk).update(enabled=False)
    closed = visitor(room, "Eve", "host")
    for caller in (nowhere, nobody, closed):
        for operation in (admit, connect):
            error = ask(caller, operation).error
            assert error is not None
            assert (error.code, error.message) == (403, "room not available")
        assert refused(caller, "join", name="Eve") == (403, "room not available")


def test_a_disabled_room_keeps_those_inside(alice, room):
    Room.objects.filter(pk=room.pk).update(enabled=False)
    assert ask(again(alice), admit).error is None
    assert welcome(again(alice)).attachment is not None
    do(again(alice), "set-metadata", data="still here")


def test_a_full_room_takes_nobody_more_and_keeps_those_inside(alice, bob, room):
    Room.objects.filter(pk=room.pk).update(size=2)
    victor = visitor(room, "Victor", "viewer")
    assert ask(victor, admit).error is not None
    assert refused(victor, "join", name="Victor") == (403, "the room is full")
    assert ask(again(bob), admit).error is None

    do(bob, "leave")
    do(victor, "join", name="Victor")


def test_a_reconnecting_peer_keeps_its_place_in_a_full_room(alice, bob, room):
    Room.objects.filter(pk=room.pk).update(size=2)
    ask(bob, disconnect)
    assert refused(visitor(room, "Victor", "viewer"), "join", name="Victor")[0] == 403


def test_a_role_takes_no_more_than_it_may(alice, room):
    change_role(room, "host", maxPeerCount=1)
    change_role(room, "viewer", maxPeerCount=-1)
    assert refused(visitor(room, "Eve", "host"), "join", name="Eve")[0] == 403
    assert refused(visitor(room, "Victor", "viewer"), "join", name="Victor")[0] == 403
    do(visitor(room, "Bob", "guest"), "join", name="Bob")


def test_a_peer_id_belongs_to_one_owner(alice, room):
    thief = again(alice, owner="user:user-Eve")
    for operation in (admit, connect):
        error = ask(thief, operation).error
        assert error is not None
        assert error.code == 403
    assert refused(thief, "join", name="Alice")[0] == 403
    assert row(alice).conn_id == "conn-Alice"


def test_an_id_that_was_used_in_the_session_stays_its_owners(alice, bob, room):
    do(bob, "leave")
    assert refused(again(bob, owner="user:user-Eve"), "join", name="Bob")[0] == 403


# --- At the door --------------------------------------------------------------------------------


def test_a_socket_alone_is_not_being_in_the_room(room, alice):
    before = position(room.id)
    eve = visitor(room, "Eve", "guest")
    seen = welcome(eve)

    assert (seen.attachment, seen.policy["name"]) == (None, "guest")
    assert seen.preview["peer_count"] == 1
    assert list(seen.preview["peers"]) == ["peer-Alice"]
    assert position(room.id) == before
    assert not Peer.objects.filter(peer_id="peer-Eve").exists()
    assert refused(eve, "broadcast", info={"message": "hi"})[0] == 410
    assert refused(eve, "get-metadata")[0] == 410


def test_a_template_may_hide_the_room_from_the_door(alice, room):
    change_role(room, "guest", permissions={"sendRoomState": False})
    assert welcome(visitor(room, "Eve", "guest")).preview == {}
    assert welcome(visitor(room, "Eve", "viewer")).preview != {}
    room.template.refresh_from_db()
    room.template.settings = {"roomState": {"sendPeerList": False}}
    room.template.save()
    assert "peers" not in welcome(visitor(room, "Eve", "viewer")).preview
    room.template.settings = {"roomState": {"enabled": False}}
    room.template.save()
    assert welcome(visitor(room, "Eve", "viewer")).preview == {}


# --- Leaving ------------------------------------------------------------------------------------


def test_those_who_stay_are_told_who_left(alice, bob, victor):
    answer = call(bob, "leave")
    for person in (alice, victor):
        assert told(person, answer.events) == [
            ("on-peer-leave", {"peer_id": "peer-Bob", "role": "guest", "reason": "client request"})
        ]
    assert told(bob, answer.events) == []
    assert (row(bob).state, row(bob).leave_reason) == ("left", "client request")
    assert row(bob).left_at is not None


def test_i03_a_session_with_somebody_reconnecting_lives_and_keeps_its_keys(alice, bob, room):
    do(alice, "set-metadata", key="topic", data="tea")
    session = live_session(room)
    ask(bob, disconnect)
    do(alice, "leave")

    assert live_session(room) == session
    ask(again(bob), connect)
    assert do(again(bob), "get-metadata", key="topic")["data"] == "tea"


def test_i04_with_the_last_peer_everything_goes_and_the_next_finds_nothing(alice, bob, room):
    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "set-metadata", data="tea")
    do(alice, "broadcast", info={"message": "hi"}, client_id="1")
    do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    do(bob, "leave")
    answer = call(alice, "leave")

    assert answer.end is not None
    ended = Session.objects.get()
    assert ended.ended_at is not None
    assert ended.seq == answer.seq
    for kind in (MetadataEntry, Event, Message, Person):
        assert not kind.objects.exists()

    do(bob, "join", name="Bob")
    assert do(bob, "get-metadata", key="topic")["change_version"] == 0
    assert do(bob, "get-metadata")["data"] is None
    assert do(bob, "set-metadata", key="topic", data="milk")["change_version"] == 1
    assert Session.objects.filter(ended_at=None).count() == 1


def test_i02_an_ended_session_does_not_end_again(alice, room):
    do(alice, "leave")
    ended_at = Session.objects.get().ended_at
    assert refused(alice, "leave")[0] == 410
    ask(server(room), reap)
    assert Session.objects.get().ended_at == ended_at


@pytest.mark.matrix
def test_i02_when_all_leave_at_once_one_of_them_ends_the_session(database, room):
    callers = [visitor(room, f"Peer {number}", "guest") for number in range(6)]
    for caller in callers:
        do(caller, "join", name=caller.name)
    answers = at_once([prepare(caller, "leave") for caller in callers])
    assert [answer.error for answer in answers] == [None] * 6
    assert [answer.end is not None for answer in answers].count(True) == 1
    assert not Event.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("way", ["socket", "join"])
def test_a_session_that_somebody_came_back_to_is_empty_no_more(alice, room, settings, way):
    settings.SESSION_LINGER, settings.PEER_GRACE = 30, 0
    ask(alice, disconnect)
    ask(server(room), reap)
    assert row(alice).leave_reason == Peer.Leave.TIMED_OUT

    if way == "socket":
        welcome(again(alice))
    else:
        do(again(alice), "join", name="Alice")
    Session.objects.filter(empty_since__isnull=False).update(empty_since=timezone.now() - timedelta(seconds=31))
    assert ask(server(room), reap).end is None
    assert row(alice).present


def test_an_empty_session_can_be_kept_for_a_while(alice, room, settings):
    settings.SESSION_LINGER = 30
    do(alice, "set-metadata", data="tea")
    session = live_session(room)
    do(alice, "leave")
    assert ask(server(room), reap).end is None
    assert live_session(room) == session

    do(alice, "join", name="Alice")
    assert do(alice, "get-metadata")["data"] == "tea"

    do(alice, "leave")
    Session.objects.update(empty_since=timezone.now() - timedelta(seconds=31))
    assert ask(server(room), reap).end is not None
    assert not MetadataEntry.objects.exists()
