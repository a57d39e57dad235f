"""Who is in a room, and what a back end does there, as the room's people hear of it."""

import pytest

from rooms.models import Peer, Room, Session
from tests.api.rest.conftest import is_moment
from tests.operations.driver import (
    change_role,
    do,
    journalled,
    kinds,
    live_session,
    position,
    refused,
    row,
    told,
    visitor,
)


def test_an_active_room_is_told_with_those_who_are_in_it(rest, room, bob, alice):
    status, answer = rest("GET", f"/active-rooms/{room.pk}")

    assert status == 200 and is_moment(answer["session"].pop("created_at"))
    session = live_session(room)
    assert session
    assert answer == {
        "id": room.pk,
        "name": "team",
        "customer_id": "access-key-of-the-test-run",
        "session": {"id": session.pk, "locked": False, "peers": ["peer-Alice", "peer-Bob"]},
    }


def test_a_room_that_nobody_is_in_is_not_active(rest, room, alice, settings):
    settings.SESSION_LINGER = 60
    do(alice, "leave")

    assert live_session(room)
    for path in ("", "/peers"):
        assert rest("GET", f"/active-rooms/{room.pk}{path}")[1]["message"] == "room: nobody is in it"
    assert rest("GET", f"/active-rooms/{room.pk}/peers/peer-Alice")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/peers", None),
        ("GET", "/peers/p", None),
        ("POST", "/peers/p", {"name": "x"}),
        ("POST", "/send-message", {"message": "hi"}),
        ("POST", "/remove-peers", {"peer_id": "p"}),
        ("POST", "/remove-peers", {"role": "guest"}),
        ("POST", "/end-room", {}),
    ],
)
def test_a_room_that_does_not_exist_and_one_without_people_are_not_found(rest, room, method, path, body):
    status, answer = rest(method, f"/active-rooms/{'0' * 24}{path}", body)
    assert (status, answer["message"]) == (404, "room: no such room")
    status, answer = rest(method, f"/active-rooms/{room.pk}{path}", body)
    assert (status, answer["code"]) == (404, 404)


def test_peers_are_listed_by_id(rest, room, bob):
    do(bob, "peer-update", data="data of Bob")
    status, answer = rest("GET", f"/active-rooms/{room.pk}/peers")

    assert status == 200 and list(answer["peers"]) == ["peer-Alice", "peer-Bob"]
    peer = answer["peers"]["peer-Bob"]
    assert is_moment(peer.pop("joined_at"))
    assert peer == {"id": "peer-Bob", "name": "Bob", "user_id": "user-Bob", "metadata": "data of Bob", "role": "guest"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?role=guest", ["peer-Bob"]),
        ("?user_id=user-Alice", ["peer-Alice"]),
        ("?user_id=user-Alice&role=guest", []),
        ("?user_id=nobody", []),
        ("?role=&user_id=undefined", ["peer-Alice", "peer-Bob"]),
    ],
)
def test_peers_are_looked_for_and_none_is_an_empty_answer(rest, room, bob, query, found):
    status, answer = rest("GET", f"/active-rooms/{room.pk}/peers{query}")
    assert (status, list(answer["peers"])) == (200, found)


def test_one_peer_is_told_with_the_tracks_that_it_has_not(rest, room, bob):
    status, answer = rest("GET", f"/active-rooms/{room.pk}/peers/peer-Bob")
    assert (status, answer["id"], answer["tracks"]) == (200, "peer-Bob", {})
    assert rest("GET", f"/active-rooms/{room.pk}/peers/peer-Carol")[0] == 404


def test_a_peer_whose_id_has_a_slash_is_found_and_changed(rest, room):
    do(visitor(room, "Ann", "guest", peer_id="a/b c"), "join", name="Ann")
    assert rest("GET", f"/active-rooms/{room.pk}/peers/a%2Fb%20c")[1]["name"] == "Ann"
    assert rest("POST", f"/active-rooms/{room.pk}/peers/a/b%20c", {"name": "Anna"})[1]["name"] == "Anna"


# --- Changing somebody ----------------------------------------------------------------------------


def test_a_peer_gets_another_name_role_and_metadata_and_all_are_told(rest, room, alice, bob):
    before = position(room.pk)
    body = {"name": "Robert", "role": "host", "metadata": "new"}
    status, answer = rest("POST", f"/active-rooms/{room.pk}/peers/peer-Bob", body)

    assert status == 200 and is_moment(answer.pop("joined_at"))
    assert answer == {"id": "peer-Bob", "user_id": "user-Bob", "tracks": {}, **body}
    assert answer | {"joined_at": None} == rest("GET", f"/active-rooms/{room.pk}/peers/peer-Bob")[1] | {
        "joined_at": None
    }
    events = journalled(room.pk, after=before)
    assert kinds(alice, events) == ["on-peer-update", "on-peer-update"]
    assert kinds(bob, events) == ["on-policy-change", "on-peer-update", "on-peer-update"]
    assert told(alice, events)[-1][1]["info"] | {"user_id": ""} == {
        "name": "Robert", "data": "new", "user_id": "", "type": "regular",
    }  # fmt: skip


def test_what_is_left_out_of_a_peer_stays(rest, room, bob):
    assert rest("POST", f"/active-rooms/{room.pk}/peers/peer-Bob", {"metadata": ""})[1]["name"] == "Bob"
    assert (row(bob).name, row(bob).metadata, row(bob).role) == ("Bob", "", "guest")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"name": " "}, 400, "name: empty"),
        ({"name": "Robert", "role": "king"}, 404, "role: no such role"),
        ({"name": "Robert", "role": "viewer"}, 403, "role: the room takes no more of the role viewer"),
        ({"role": "host", "metadata": 5}, 400, "metadata: "),
        ({"role": "host", "metadata": "x" * 5000}, 413, "metadata: "),
    ],
)
def test_a_change_of_a_peer_that_is_refused_changes_nothing_of_it(rest, room, bob, body, status, message):
    change_role(room, "viewer", maxPeerCount=-1)
    before = position(room.pk)
    code, answer = rest("POST", f"/active-rooms/{room.pk}/peers/peer-Bob", body)
    assert code == status and answer["message"].startswith(message)
    assert (row(bob).name, row(bob).role, position(room.pk)) == ("Bob", "guest", before)


# --- Messages -------------------------------------------------------------------------------------


def heard(rest, room, alice, bob, body):
    """What Alice and what Bob hear of a message that the back end sends."""
    before = position(room.pk)
    assert rest("POST", f"/active-rooms/{room.pk}/send-message", body) == (200, {"message": "message sent"})
    events = journalled(room.pk, after=before)
    return [[message["info"] for _, message in told(who, events)] for who in (alice, bob)]


HI = {"message": "hi", "type": "chat"}


@pytest.mark.parametrize(
    ("to", "to_alice", "to_bob"),
    [
        ({}, [HI], [HI]),
        ({"type": ""}, [HI], [HI]),
        ({"role": "guest"}, [], [HI]),
        ({"peer_id": "peer-Alice", "role": "guest"}, [HI], []),
        ({"peerId": "peer-Alice"}, [HI], []),
        ({"peerId": "peer-Alice", "peer_id": "peer-Alice"}, [HI], []),
    ],
)
def test_a_message_reaches_those_whom_it_names(rest, room, alice, bob, to, to_alice, to_bob):
    assert heard(rest, room, alice, bob, {"message": "hi", **to}) == [to_alice, to_bob]


def test_a_message_has_no_sender_and_may_be_of_any_type(rest, room, alice, bob):
    assert heard(rest, room, alice, bob, {"message": "{}", "type": "refresh"})[0] == [
        {"message": "{}", "type": "refresh"}
    ]
    [(_, message)] = told(alice, journalled(room.pk, after=position(room.pk) - 1))
    assert "peer" not in message


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 400, "message: "),
        ({"message": ""}, 400, "message: "),
        ({"message": " \n"}, 400, "message: there is nothing to see in it"),
        ({"message": "x" * 4001}, 413, "message: 4001 characters, at most 4000"),
        ({"message": 5}, 400, "message: "),
        ({"message": "hi", "peer_id": "peer-Carol"}, 404, "peer_id: no such peer in the room"),
        ({"message": "hi", "peerId": "peer-Carol"}, 404, "peerId: no such peer in the room"),
        ({"message": "hi", "peer_id": "peer-Alice", "peerId": "peer-Bob"}, 400, "peerId: another one than peer_id"),
        ({"message": "hi", "role": "king"}, 404, "role: no such role"),
        ({"message": "hi", "peerID": "peer-Alice"}, 400, "peerID: "),
        ({"message": "hi", "peer_id": ""}, 400, "peer_id: null or empty; it may be left out"),
        ({"message": "hi", "peerId": None, "peer_id": "peer-Alice"}, 400, "peerId: null or empty"),
        ({"message": "hi", "role": ""}, 400, "role: null or empty"),
        ({"message": "hi", "role": None}, 400, "role: null or empty"),
        ({"message": "hi", "peer": "peer-Alice"}, 400, "peer: "),
        ({"message": "hi", "roles": ["guest"]}, 400, "roles: "),
        ({"message": "hi", "recipients": ["peer-Alice"]}, 400, "recipients: "),
    ],
)
def test_a_message_that_cannot_be_understood_reaches_nobody(rest, room, alice, bob, body, status, message):
    before = position(room.pk)
    code, answer = rest("POST", f"/active-rooms/{room.pk}/send-message", body)
    assert code == status and answer["message"].startswith(message), answer
    assert position(room.pk) == before


# --- Removal and the end --------------------------------------------------------------------------


def test_one_is_removed_with_a_reason_and_stays_out(rest, room, alice, bob):
    before = position(room.pk)
    body = {"peer_id": "peer-Bob", "role": "host", "reason": "enough"}
    answer = rest("POST", f"/active-rooms/{room.pk}/remove-peers", body)

    assert answer == (200, {"message": "peer remove request submitted"})
    events = journalled(room.pk, after=before)
    assert told(bob, events)[0] == ("on-peer-leave-request", {"reason": "enough", "room_end": False})
    assert "on-peer-leave" in kinds(alice, events)
    assert row(bob).leave_reason == Peer.Leave.REMOVED
    assert refused(bob, "join", name="Bob")[0] == 403


def test_all_with_a_role_are_removed_and_told_of_at_once(rest, room, alice, bob):
    do(visitor(room, "Ben", "guest"), "join", name="Ben")
    before = position(room.pk)

    assert rest("POST", f"/active-rooms/{room.pk}/remove-peers", {"role": "guest"})[0] == 200

    assert list(rest("GET", f"/active-rooms/{room.pk}/peers")[1]["peers"]) == ["peer-Alice"]
    assert kinds(alice, journalled(room.pk, after=before)) == ["on-removed-change", "on-peer-leave", "on-peer-leave"]
    assert {person["name"] for person in do(alice, "peers-removed")["removed"]} == {"Bob", "Ben"}


def test_removing_a_role_that_nobody_has_is_no_error_and_changes_nothing(rest, room, alice, settings):
    before = position(room.pk)
    assert rest("POST", f"/active-rooms/{room.pk}/remove-peers", {"role": "viewer"})[0] == 200
    assert rest("POST", f"/active-rooms/{room.pk}/remove-peers", {"role": "king"})[0] == 404
    assert position(room.pk) == before and live_session(room)

    settings.SESSION_LINGER = 60
    do(alice, "leave")
    lingering = live_session(room)
    assert lingering and lingering.empty_since
    assert rest("POST", f"/active-rooms/{room.pk}/remove-peers", {"role": "host"})[0] == 200
    assert Session.objects.get().empty_since == lingering.empty_since


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"peer_id": "", "role": ""},
        {"reason": "x"},
        {"peer_id": "x" * 129},
        {"peer_id": 5},
        {"role": "host", "peer": "peer-Bob"},
        {"peer_id": "peer-Alice", "peerId": "peer-Bob"},
    ],
)
def test_a_removal_that_names_nobody_is_refused(rest, room, alice, body):
    assert rest("POST", f"/active-rooms/{room.pk}/remove-peers", body)[0] == 400
    assert row(alice).present


def test_one_who_is_named_as_the_sdk_names_it_is_removed_alone(rest, room, alice, bob):
    body = {"peerId": "peer-Bob", "role": "host", "reason": None}
    assert rest("POST", f"/active-rooms/{room.pk}/remove-peers", body)[0] == 200
    assert (row(alice).present, row(bob).present) == (True, False)


@pytest.mark.parametrize("path", ["peers/peer-Bob", "send-message", "remove-peers", "end-room"])
def test_an_act_refuses_fields_that_it_does_not_know(rest, room, bob, path):
    before = position(room.pk)
    status, answer = rest("POST", f"/active-rooms/{room.pk}/{path}", {"message": "hi", "role": "guest", "Reason": "x"})
    assert (status, "Reason: no such field" in answer["details"]) == (400, True)
    assert position(room.pk) == before


def test_what_is_empty_of_a_change_of_a_peer_stays_but_its_metadata(rest, room, bob):
    path = f"/active-rooms/{room.pk}/peers/peer-Bob"
    rest("POST", path, {"metadata": "red"})
    changed = rest("POST", path, {"name": "", "role": "", "metadata": ""})[1]
    assert (changed["name"], changed["role"], changed["metadata"]) == ("Bob", "guest", "")


def test_the_last_one_who_is_removed_ends_the_session(rest, room, alice):
    assert rest("POST", f"/active-rooms/{room.pk}/remove-peers", {"role": "host"})[0] == 200
    assert live_session(room) is None


@pytest.mark.parametrize("lock", [None, False, True])
def test_a_session_ends_and_its_room_is_locked_if_that_is_asked_for(rest, room, bob, lock):
    answer = rest("POST", f"/active-rooms/{room.pk}/end-room", {"reason": "over", "lock": lock})

    assert answer == (200, {"message": "session is ending"})
    session = Session.objects.get(room=room)
    assert (session.ended_at is None, session.end_reason, session.ended_by) == (False, "over", "environment")
    kept = Room.objects.get(pk=room.pk)
    assert kept.enabled is not bool(lock) and (kept.updated_at > room.updated_at) is bool(lock)
    assert rest("POST", f"/active-rooms/{room.pk}/end-room", {"lock": True})[0] == 404
    assert Room.objects.get(pk=room.pk).enabled is not bool(lock)


def test_the_end_needs_no_body(rest, room, alice):
    assert rest("POST", f"/active-rooms/{room.pk}/end-room")[0] == 200
    assert live_session(room) is None
