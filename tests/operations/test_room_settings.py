"""What who may manage a room sets in it: title, description, lock, slow mode, history, codes."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from rooms.creation.rooms import change_room
from rooms.models import Peer, Room, RoomCode, Session
from rooms.operations.admission import admit
from rooms.operations.arriving import connect
from rooms.operations.engine.calls import Author
from rooms.operations.leaving import disconnect
from rooms.operations.reaping import reap
from rooms.wire.errors import NotFound
from tests.operations.driver import again, ask, attachment, call, change_role, do, error_of, refused, say, visitor
from tests.operations.driver import server as by_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(room):
    """Alice, who is inside and may manage the room."""
    caller = visitor(room, "Alice", "host")
    do(caller, "join", name="Alice")
    return caller


@pytest.fixture
def guest(room, host):
    caller = visitor(room, "Bob", "guest")
    do(caller, "join", name="Bob")
    return caller


# --- What is told -------------------------------------------------------------------------------


def test_everybody_is_told_what_was_changed_and_newcomers_find_it(room, host, guest):
    answer = call(host, "set-room", title=" Tea  room ", slow_mode=30, description="What we do here", history=7)

    [event] = answer.events
    told = {"title": "Tea room", "description": "What we do here", "locked": False, "slow_mode": 30, "history": 7}
    assert answer.result.items() >= told.items()
    told["name"] = "Tea room"
    assert event.kind == "on-room-change" and event.audience.includes(guest.peer_id, "guest", frozenset())
    assert told.items() <= json.loads(event.body).items()
    newcomer = attachment(call(visitor(room, "Carol", "guest"), "join", name="Carol"))
    assert newcomer.room == json.loads(event.body)


def test_what_changes_nothing_is_no_news(host):
    do(host, "set-room", slow_mode=30)

    assert not call(host, "set-room", slow_mode=30, locked=False, description="").events


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"slow_mode": -1}, "slow_mode"),
        ({"slow_mode": 3_601}, "slow_mode"),
        ({"slow_mode": 1.5}, "slow_mode"),
        ({"description": "x" * 2_001}, "description"),
        ({"title": "x" * 201}, "title"),
        ({"history": 10_001}, "history"),
        ({"history": -1}, "history"),
        ({"locked": 1}, "locked"),
    ],
)
def test_values_out_of_bounds_are_refused(host, given, field):
    error = error_of(host, "set-room", **given)

    assert error.message.startswith(f"{field}:")


def test_a_back_end_changes_the_room_by_the_same_operation(room, host, guest):
    changed = change_room(room.pk, author=Author("back end", "rest"), slow_mode=9, description="Tea", title="Tea room")

    assert (changed.slow_mode, changed.description) == (9, "Tea")
    assert Room.objects.values_list("slow_mode", "description", "title").get(pk=room.pk) == (9, "Tea", "Tea room")
    assert error_after_speaking_twice(guest).data["slow_mode"] == 9


def test_a_room_that_loses_its_title_is_told_by_its_name(room, host):
    [event] = call(host, "set-room", title=" ").events

    told = json.loads(event.body)
    assert (told["title"], told["name"]) == ("", room.name)


def test_how_far_back_newcomers_see_is_set_while_the_room_runs(room, host):
    for text in ("one", "two", "three"):
        say(host, text)
    do(host, "set-room", history=2)
    carol = visitor(room, "Carol", "guest")
    do(carol, "join", name="Carol")

    shown = do(carol, "message-history")

    assert [one["info"]["message"] for one in shown["messages"]] == ["three", "two"]
    assert shown["withheld"]


def error_after_speaking_twice(who):
    say(who, "one")
    return error_of(who, "broadcast", info={"message": "two"})


# --- Lock ---------------------------------------------------------------------------------------


def test_nobody_new_enters_a_locked_room_by_any_door(room, host):
    do(host, "set-room", locked=True)

    for role in ("guest", "host"):
        stranger = visitor(room, "Eve", role)
        for answer in (ask(stranger, admit), ask(stranger, connect), call(stranger, "join", name="Eve")):
            assert answer.error and answer.error.as_wire() == {
                "code": 403,
                "message": "the room is locked: nobody new can enter now",
                "data": {"locked": True},
            }


def test_who_is_inside_a_locked_room_comes_back_and_may_open_another_tab(room, host, guest):
    do(host, "set-room", locked=True)
    ask(guest, disconnect)

    assert attachment(ask(again(guest), connect)).peer_id == guest.peer_id
    second = visitor(room, "Bob", "guest", peer_id="second-tab", conn_id="conn-second")
    assert do(second, "join", name="Bob")["session_id"]


def test_who_left_a_locked_room_is_new_to_it(host, guest):
    do(host, "set-room", locked=True)
    do(guest, "leave")

    assert error_of(guest, "join", name="Bob").data == {"locked": True}


def test_whoever_is_let_in_again_passes_the_lock_that_stands_and_no_later_one(host, guest):
    person = Peer.objects.get(peer_id=guest.peer_id).person
    do(host, "set-room", locked=True)
    do(host, "peer-leave-request", requested_for=guest.peer_id)
    assert error_of(guest, "join", name="Bob").data["removed"]
    do(host, "peer-let-in", person=person)
    do(guest, "join", name="Bob")
    do(guest, "leave")
    do(guest, "join", name="Bob")
    do(guest, "leave")
    for locked in (False, True):
        do(host, "set-room", locked=locked)
    assert error_of(guest, "join", name="Bob").data == {"locked": True}


def test_a_lock_ends_when_it_is_taken_off_or_the_session_ends(room, host):
    do(host, "set-room", locked=True)
    do(host, "set-room", locked=False)
    eve = visitor(room, "Eve", "guest")
    do(eve, "join", name="Eve")
    do(eve, "leave")
    do(host, "set-room", locked=True)
    do(host, "leave")

    assert do(eve, "join", name="Eve")["session_id"]
    assert not Session.objects.get(ended_at=None).locked


def test_a_room_that_nobody_is_in_cannot_be_locked(room):
    error = error_of(by_server(room), "set-room", locked=True)

    assert isinstance(error, NotFound)
    assert do(by_server(room), "set-room", locked=False)["locked"] is False


# --- Slow mode ----------------------------------------------------------------------------------


def test_slow_mode_says_how_long_to_wait(host, guest):
    do(host, "set-room", slow_mode=30)

    error = error_after_speaking_twice(guest)

    assert error.code == 403  # clients repeat a 429 by themselves
    assert error.data["slow_mode"] == 30 and 25_000 < error.data["retry_after_ms"] <= 30_000
    assert error.message == "slow mode: one message in 30 seconds, wait 30 more"


def test_slow_mode_is_of_a_person_over_tabs_and_new_peers(room, host, guest):
    do(host, "set-room", slow_mode=30)
    say(guest, "one")
    tab = visitor(room, "Bob", "guest", peer_id="second-tab", conn_id="conn-second")
    do(tab, "join", name="Bob")

    assert error_of(tab, "broadcast", info={"message": "two"}).data["slow_mode"] == 30
    do(guest, "leave")
    do(tab, "leave")
    for number in range(15):
        anew = visitor(room, "Bob", "guest", peer_id=f"tab-{number}", conn_id=f"conn-{number}")
        do(anew, "join", name="Bob")
        do(anew, "leave")
    do(anew, "join", name="Bob")
    assert error_of(anew, "broadcast", info={"message": "three"}).data["slow_mode"] == 30


def test_slow_mode_lets_one_speak_when_the_time_is_over_and_again_after_that_not(host, guest):
    do(host, "set-room", slow_mode=30)
    say(guest, "one")
    Peer.objects.filter(peer_id=guest.peer_id).update(said_at=1)
    forget(guest)

    say(guest, "two")

    assert error_of(guest, "broadcast", info={"message": "three"}).data["slow_mode"] == 30


def forget(caller):
    """Let nothing that is remembered of the room hold."""
    Session.objects.filter(room=caller.room_id, ended_at=None).update(generation=7)


def test_slow_mode_concerns_neither_hosts_nor_the_server_nor_events_of_apps(room, host, guest):
    do(host, "set-room", slow_mode=30)

    for who in (host, by_server(room)):
        say(who, "one")
        say(who, "two")
    say(guest, "mine")
    do(guest, "broadcast", info={"message": "ring", "type": "bell"})


def test_a_repetition_is_not_too_soon(host, guest):
    do(host, "set-room", slow_mode=30)
    first = do(guest, "broadcast", info={"message": "one"}, client_id="a")

    assert do(guest, "broadcast", info={"message": "one"}, client_id="a")["message_id"] == first["message_id"]


# --- Codes --------------------------------------------------------------------------------------


def test_a_leaked_code_is_dead_at_once_and_everybody_hears_that_but_not_the_new_one(room, host, guest):
    RoomCode.objects.bulk_create([RoomCode(room=room, role=role) for role in ("host", "guest")])
    held = {one["role"]: one["code"] for one in do(host, "room-codes")["codes"]}

    answer = call(host, "replace-room-code", role="guest")

    new = answer.result["code"]
    assert new != held["guest"]
    [event] = answer.events
    assert (event.kind, json.loads(event.body)) == ("on-room-code-change", {"role": "guest"})
    assert {one["role"]: one["code"] for one in do(host, "room-codes")["codes"]} == held | {"guest": new}
    assert not RoomCode.objects.get(code=held["guest"]).enabled


def test_nobody_gets_codes_of_roles_that_may_do_more(room, host):
    change_role(room, "guest", permissions={"manageRoom": True})
    guest = visitor(room, "Bob", "guest")
    do(guest, "join", name="Bob")

    assert {one["role"] for one in do(guest, "room-codes")["codes"]} == {"guest", "viewer"}
    assert refused(guest, "replace-room-code", role="host") == (403, "role: host may do more than you may")
    assert refused(guest, "replace-room-code", role="nobody")[0] == 404


# --- A tab that closes --------------------------------------------------------------------------


@pytest.mark.parametrize(("page_closed", "stays"), [(True, False), (False, True)])
def test_a_tab_that_says_it_closes_goes_after_its_own_grace(host, guest, settings, page_closed, stays):
    settings.PEER_GRACE, settings.TAB_GRACE = 60, 10
    ask(guest, disconnect, page_closed=page_closed)
    Peer.objects.filter(peer_id=guest.peer_id).update(gone_at=timezone.now() - timedelta(seconds=11))

    ask(by_server_of(guest), reap)

    assert Peer.objects.get(peer_id=guest.peer_id).present is stays


def by_server_of(caller):
    return by_server(Room.objects.get(pk=caller.room_id))


def test_a_tab_that_came_back_has_the_whole_grace_again(host, guest, settings):
    settings.PEER_GRACE, settings.TAB_GRACE = 60, 10
    ask(guest, disconnect, page_closed=True)
    back = again(guest)
    ask(back, connect)
    ask(back, disconnect)
    Peer.objects.filter(peer_id=guest.peer_id).update(gone_at=timezone.now() - timedelta(seconds=11))

    ask(by_server_of(guest), reap)

    assert Peer.objects.get(peer_id=guest.peer_id).present
