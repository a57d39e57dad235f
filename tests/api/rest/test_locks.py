"""Locks over REST: seen, and released whoever holds them."""

import pytest

from rooms.models import Room, Session
from rooms.operations.engine.calls import Caller
from tests.api.rest.conftest import BackEnd
from tests.operations.driver import call, do
from tests.support.team import joined


@pytest.fixture
def locks(rest: BackEnd, room: Room, bob: Caller) -> str:
    return f"/active-rooms/{room.id}/locks"


def test_locks_are_what_a_socket_is_told_with_the_token_as_etag(rest, locks, alice):
    held = do(alice, "lock", name="a/b", expires_in=60)

    assert rest("GET", locks)[1] == do(alice, "locks")
    answer = rest.ask("GET", f"{locks}/a%2Fb")
    tag = f'"{held["token"]}-{Session.objects.get().pk}"'
    assert (answer.status_code, answer.json(), answer["ETag"]) == (200, held, tag)
    assert rest("GET", f"{locks}/a%2Fb", if_none_match=tag)[0] == 304


def test_a_lock_is_released_whoever_holds_it(rest, locks, alice):
    do(alice, "lock", name="deck")

    status, lock = rest("DELETE", f"{locks}/deck")

    assert (status, lock["holder"], lock["token"]) == (200, None, None)
    assert do(alice, "locks")["locks"] == []
    assert rest("DELETE", f"{locks}/deck")[0] == rest("GET", f"{locks}/deck")[0] == 404


def test_who_waits_for_a_lock_that_is_released_holds_it_then(rest, locks, alice, bob):
    do(alice, "lock", name="deck")
    call(bob, "lock", name="deck", wait_ms=60_000)
    assert rest("DELETE", f"{locks}/deck")[1]["holder"] == bob.peer_id


def test_a_lock_that_has_another_holder_meanwhile_is_left_alone(rest, locks, alice, bob):
    stale = rest_token = do(alice, "lock", name="deck")["token"]
    do(alice, "unlock", name="deck", token=rest_token)
    held = do(bob, "lock", name="deck")

    status, refused = rest("DELETE", f"{locks}/deck", if_match=f'"{stale}"')

    assert (status, refused["data"]) == (412, {name: value for name, value in held.items() if name != "seq"})
    assert rest("DELETE", f"{locks}/deck", if_match=f'"{held["token"]}"')[0] == 200


def test_a_tag_is_of_its_session_alone(rest, locks, room, alice, bob):
    do(alice, "lock", name="deck")
    tag = rest.ask("GET", f"{locks}/deck")["ETag"]
    do(alice, "leave")
    do(bob, "leave")
    for name, role in (("Alice", "host"), ("Bob", "guest")):
        joined(room, name, role)
    do(alice, "lock", name="deck")

    assert rest.ask("GET", f"{locks}/deck")["ETag"].partition("-")[0] == tag.partition("-")[0]
    assert rest("GET", f"{locks}/deck", if_none_match=tag)[0] == 200
    assert rest("DELETE", f"{locks}/deck", if_match=tag)[0] == 412
