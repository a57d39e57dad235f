"""Pins: messages of the session that somebody puts where everybody sees them."""

import json
from typing import Any

import pytest
from django.utils import timezone

from rooms.models import Message, MetadataEntry, Room, milliseconds
from rooms.operations.engine.calls import Caller
from tests.operations.driver import call, do, kinds, refused, row, say, server, visitor
from tests.support.team import joined

NOBODYS = "0" * 32


def pins(caller: Caller) -> list[tuple[str, str, str]]:
    held = do(caller, "get-metadata", key="pinnedMessages")["data"] or []
    return [(pin["id"], pin["text"], pin["pinnedBy"]) for pin in held]


def test_a_pin_is_seen_by_new_and_old_clients(alice, bob):
    hello = say(bob, "hello")
    do(bob, "listen-metadata-change", keys=["pinnedMessages", "default"])
    answer = call(alice, "pin-message", id=hello)

    assert kinds(bob, answer.events) == ["on-metadata-change"]
    assert pins(bob) == [(hello, "Bob: hello", "Alice")]
    assert do(bob, "get-metadata")["data"] == "Bob: hello"
    author, pinner = ({"name": caller.name, "person": row(caller).person} for caller in (bob, alice))
    [said] = do(bob, "message-history")["messages"]
    assert answer.result["pinned"] == [
        {
            "text": "Bob: hello",
            "id": hello,
            "timestamp": said["timestamp"],
            "pinnedBy": "Alice",
            "author": author,
            "pinner": pinner,
        }
    ]


def test_what_the_server_said_is_pinned_without_a_name(room, alice):
    notice = say(server(room), "closing at six")
    do(alice, "pin-message", id=notice)
    assert pins(alice) == [(notice, "closing at six", "Alice")]
    assert do(alice, "get-metadata", key="pinnedMessages")["data"][0]["author"] == {"name": "", "person": ""}


def test_a11_a_pin_and_its_removal_say_whose_they_are_and_when(alice, bob):
    hello = say(bob, "hello")
    for caller, method in ((alice, "pin-message"), (bob, "unpin-message")):
        start = milliseconds(timezone.now())
        do(caller, method, id=hello)
        for key in ("pinnedMessages", "default"):
            told, stored = do(alice, "get-metadata", key=key), MetadataEntry.objects.get(key=key)
            assert (told["updated_by"], stored.updated_by_name) == (caller.peer_id, caller.name)
            assert start <= told["updated_at"] <= milliseconds(timezone.now())


def test_pinning_what_is_pinned_and_unpinning_what_is_not_change_nothing(alice, bob):
    hello, other = say(bob, "hello"), say(bob, "other")
    do(alice, "pin-message", id=hello)
    assert not call(bob, "pin-message", id=hello).events
    assert not call(bob, "unpin-message", id=other).events
    assert not call(bob, "unpin-message", id="never said").events
    assert do(bob, "get-metadata", key="pinnedMessages")["change_version"] == 1
    assert do(bob, "get-metadata")["change_version"] == 1


def test_there_are_three_pins_the_newest_first(alice, bob):
    said = [say(bob, str(number)) for number in range(1, 5)]
    for message_id in said:
        do(alice, "pin-message", id=message_id)
    assert [pin[0] for pin in pins(alice)] == [said[3], said[2], said[1]]
    assert do(alice, "get-metadata")["data"] == "Bob: 4"


@pytest.mark.parametrize("limit", ["of the server", "of a rule"])
def test_long_pins_make_way_for_a_new_one(alice, bob, settings, limit):
    if limit == "of a rule":
        do(alice, "set-metadata-rules", rules=[{"key": "pinnedMessages", "max_bytes": 800}])
    else:
        settings.MAX_VALUE_BYTES = 800
    said = [say(bob, "я" * 70) for _ in range(3)]
    for message_id in said:
        do(alice, "pin-message", id=message_id)
    assert [pin[0] for pin in pins(alice)] == [said[2], said[1]]
    assert refused(alice, "pin-message", id=say(bob, "я" * 400))[0] == 413
    assert [pin[0] for pin in pins(alice)] == [said[2], said[1]]


def test_without_its_newest_pin_the_next_is_shown_and_without_any_null(alice, bob):
    first, second = say(bob, "1"), say(bob, "2")
    do(alice, "pin-message", id=first)
    do(alice, "pin-message", id=second)
    do(bob, "unpin-message", id=second)
    assert do(alice, "get-metadata")["data"] == "Bob: 1"
    answer = call(bob, "unpin-message", id=first)
    assert answer.result["pinned"] == []
    entry = do(alice, "get-metadata")
    assert (entry["data"], entry["updated_by"]) == (None, "peer-Bob")
    assert pins(alice) == []


def test_unpinning_an_older_pin_leaves_the_string_alone(alice, bob):
    first, second = say(bob, "1"), say(bob, "2")
    do(alice, "pin-message", id=first)
    do(alice, "pin-message", id=second)
    before = do(alice, "get-metadata")["change_version"]
    do(alice, "unpin-message", id=first)
    assert do(alice, "get-metadata")["change_version"] == before


def test_pins_that_a_client_keeps_by_itself_are_seen_by_old_clients(alice, bob):
    tea = {"text": "Bob: tea", "id": say(bob, "tea"), "pinnedBy": "Bob"}
    milk = {"text": "Bob: milk", "id": say(bob, "milk"), "pinnedBy": "Bob"}
    do(alice, "pin-message", id=tea["id"])
    do(bob, "set-metadata", key="pinnedMessages", data=[milk, tea])
    assert do(alice, "get-metadata")["data"] == "Bob: milk"
    do(bob, "set-metadata", key="pinnedMessages")
    assert do(alice, "get-metadata")["data"] is None


def test_pins_that_a_client_keeps_by_itself_say_what_was_said(alice, bob, victor):
    """Neither words nor names are believed, nor that a message was for everybody; a pin that stands is not touched."""
    tea, secret = say(bob, "tea"), say(bob, "secret", peer_id="peer-Alice")
    do(alice, "pin-message", id=tea)
    forged = {"text": "Alice: I resign", "pinnedBy": "Alice", "author": {"name": "Alice"}}
    milk = say(bob, "milk")
    held = do(bob, "set-metadata", key="pinnedMessages", data=[{**forged, "id": milk}, {**forged, "id": tea}])["data"]
    assert [(pin["id"], pin["text"], pin["pinnedBy"]) for pin in held] == [
        (milk, "Bob: milk", "Bob"),
        (tea, "Bob: tea", "Alice"),
    ]
    for wrong, code in (
        ({"id": secret}, 403),
        ({"id": NOBODYS}, 404),
        ({"id": 7}, 404),
        ({}, 404),
        ({"id": "constructor"}, 404),
    ):
        assert refused(bob, "set-metadata", key="pinnedMessages", data=[{**forged, **wrong}])[0] == code
    assert refused(alice, "set-metadata", key="pinnedMessages", data=[{"id": tea}] * 21)[0] == 413


def test_pins_that_a_client_keeps_by_itself_spare_what_else_is_kept_without_a_key(alice):
    do(alice, "set-metadata", data={"agenda": ["tea"]})
    tea = say(alice, "tea")
    do(alice, "set-metadata", key="pinnedMessages", data=[{"text": "Alice: tea", "id": tea, "pinnedBy": "Alice"}])
    do(alice, "set-metadata", key="pinnedMessages", data=[])
    entry = do(alice, "get-metadata")
    assert (entry["data"], entry["change_version"]) == ({"agenda": ["tea"]}, 1)


@pytest.mark.parametrize("held", ["text", 7, {"a": 1}, [1, None, "x"]])
def test_whatever_stands_under_the_key_a_pin_can_be_set_and_taken_away(alice, bob, held):
    hello = say(bob, "hello")
    do(alice, "set-metadata", key="pinnedMessages", data=held)
    do(alice, "pin-message", id=hello)
    assert do(alice, "get-metadata", key="pinnedMessages")["data"][0]["id"] == hello
    do(alice, "unpin-message", id=hello)
    assert hello not in json.dumps(do(alice, "get-metadata", key="pinnedMessages")["data"])


def test_a_pin_that_does_not_fit_changes_neither_key(alice, bob, settings):
    """The text alone would fit, all that is kept of a pin does not."""
    hello = say(bob, "x" * 50)
    settings.MAX_VALUE_BYTES = 100
    assert refused(alice, "pin-message", id=hello)[0] == 413
    assert do(alice, "get-metadata", key="pinnedMessages")["change_version"] == 0
    assert do(alice, "get-metadata")["change_version"] == 0
    settings.MAX_VALUE_BYTES = 500
    do(alice, "pin-message", id=hello)


# --- What can be pinned -------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"id": ""}, {"id": "x" * 65}, {"id": 1}, {"id": None}, {"id": [NOBODYS]}, {}])
def test_what_is_no_id_of_a_message(alice, wrong):
    for method in ("pin-message", "unpin-message"):
        assert refused(alice, method, **wrong)[0] == 400


def test_a_pin_holds_what_was_said_by_whom_it_was_said_then(alice, bob):
    hello = say(bob, "I do not resign")
    do(bob, "peer-update", name="Alice")
    made_up = {"text": "Alice: I resign", "name": "Alice", "pinnedBy": "Bob", "data": "Alice: I resign"}
    do(alice, "pin-message", id=hello, **made_up)
    assert pins(bob) == [(hello, "Bob: I do not resign", "Alice")]
    assert do(bob, "get-metadata")["data"] == "Bob: I do not resign"


@pytest.mark.parametrize(
    "wrong", ["x", NOBODYS, NOBODYS[:-1] + "1", "f" * 36, "é" * 32, "0" * 31, "0" * 64, "%", "٣" * 32]
)
def test_what_nobody_said_cannot_be_pinned(alice, bob, room, wrong):
    said = say(bob, "hello")
    for caller in (alice, bob, server(room)):
        for message_id in (wrong, said[:-1] + ("0" if said[-1] != "0" else "1"), said.upper() + "x"):
            assert refused(caller, "pin-message", id=message_id, text="Alice: I resign") == (404, "id: no such message")
    assert pins(alice) == []


def test_whoever_was_not_meant_by_a_message_does_not_learn_that_there_is_one(alice, bob, room):
    carl = visitor(room, "Carl", "guest")
    do(carl, "join", name="Carl")
    to_alice, to_hosts = say(bob, "for Alice", peer_id="peer-Alice"), say(bob, "for hosts", roles=["host"])
    unknown = refused(carl, "pin-message", id=NOBODYS)
    for message_id in (to_alice, to_hosts):
        assert refused(carl, "pin-message", id=message_id) == unknown == (404, "id: no such message")
        # To those who wrote and who got it there is nothing to hide, but it was not for everybody.
        for meant in (alice, bob):
            assert refused(meant, "pin-message", id=message_id) == (403, "id: the message was not for everybody")
        assert refused(server(room), "pin-message", id=message_id)[0] == 404
    assert pins(alice) == []
    assert not MetadataEntry.objects.exists()


@pytest.mark.parametrize("to", [{"peer_id": "peer-Alice"}, {"roles": ["host"]}, {"roles": ["guest", "host", "viewer"]}])
def test_nobody_makes_a_private_word_public_by_a_way_around(alice, bob, to):
    """Neither by a repetition that names nobody, nor together with one that was for all."""
    said = do(bob, "broadcast", info={"message": "secret"}, client_id="1", **to)["message_id"]
    assert say(bob, "secret", client_id="1") == said
    for caller in (alice, bob):
        assert refused(caller, "pin-message", id=said)[0] == 403
    assert "secret" not in json.dumps(do(alice, "get-metadata")["data"])


def test_messages_of_other_rooms_and_sessions_cannot_be_pinned(alice, bob, carol, room):
    elsewhere, earlier = say(carol, "in another room"), say(bob, "in the session before")
    assert refused(alice, "pin-message", id=elsewhere)[0] == 404
    assert refused(carol, "pin-message", id=earlier)[0] == 404
    do(alice, "end-room")
    for caller in (alice, bob):
        do(caller, "join", name=caller.name)
    say(bob, "again")
    assert refused(bob, "pin-message", id=earlier)[0] == 404
    assert pins(alice) == []


def test_what_is_not_kept_any_more_cannot_be_pinned_and_what_is_pinned_stays(alice, bob):
    pinned, other = say(bob, "pinned"), say(bob, "other")
    do(alice, "pin-message", id=pinned)
    Message.objects.all().delete()
    assert refused(alice, "pin-message", id=other)[0] == 404
    assert do(alice, "pin-message", id=pinned)["pinned"] == do(alice, "get-metadata", key="pinnedMessages")["data"]


def test_a_pin_may_be_of_somebody_who_left(alice, bob):
    hello = say(bob, "hello")
    do(bob, "leave")
    do(alice, "pin-message", id=hello)
    assert pins(alice) == [(hello, "Bob: hello", "Alice")]


def test_a_message_of_somebody_nameless_is_pinned_under_the_name_of_a_person(alice, room: Room):
    nobody: Any = visitor(room, "Nobody", "guest")
    do(nobody, "join", name="\u200b\u2060 ")
    hello = say(nobody, "hello")
    assert row(nobody).name == "Guest"
    do(alice, "pin-message", id=hello)
    assert pins(alice) == [(hello, "Guest: hello", "Alice")]


def test_who_comes_later_pins_nothing_that_it_is_not_shown(room, alice, bob):
    """It learns ids by answers and reactions, and a pin would tell it the text."""
    do(alice, "set-room", history=1)
    for info in ({"message": "secret"}, {"message": "move", "type": "game"}, {"message": "tea"}):
        do(bob, "broadcast", info=info)
    secret, move, tea = Message.objects.order_by("seq").values_list("message_id", flat=True)
    late = joined(room, "Late", "guest")
    own = say(late, "mine")
    for hidden in (secret, move):
        assert refused(late, "pin-message", id=hidden) == (404, "id: no such message")
        assert refused(late, "set-metadata", key="pinnedMessages", data=[{"id": hidden}])[0] == 404
    for shown in (tea, own):
        do(late, "pin-message", id=shown)

    # Who was there, also by another tab, and who may have the room show more.
    do(bob, "pin-message", id=secret)
    do(bob, "unpin-message", id=secret)
    do(joined(room, "Bob", "guest", peer_id="tab"), "pin-message", id=secret)
    do(joined(room, "Hanna", "host"), "pin-message", id=move)
