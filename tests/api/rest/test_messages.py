"""Messages over REST, page by page while the session lives."""

import pytest

from rooms.models import Room
from rooms.operations.engine.calls import Caller
from tests.api.rest.conftest import BackEnd
from tests.operations.driver import do, say


@pytest.fixture
def messages(rest: BackEnd, room: Room, alice: Caller) -> str:
    return f"/active-rooms/{room.id}/messages"


def test_messages_come_newest_first_by_pages(rest, messages, alice):
    ids = [say(alice, f"number {number}") for number in range(5)]

    pages: list[list[str]] = []
    last = ""
    while not pages or last:
        status, page = rest("GET", f"{messages}?limit=2&before={last}")
        assert (status, page["limit"]) == (200, 2)
        pages.append([message["message_id"] for message in page["data"]])
        last = page["last"]

    assert pages == [ids[:2:-1], ids[2:0:-1], ids[:1]]


def test_a_message_is_what_its_receivers_were_told_and_whom_it_was_for(rest, messages, alice, bob):
    say(alice, "to all")
    say(alice, "to hosts", roles=["host"])
    say(alice, "to Bob", peer_id=bob.peer_id)

    private, hosts, everybody = rest("GET", messages)[1]["data"]

    assert (private["info"]["message"], private["private"], private["peer_id"]) == ("to Bob", True, bob.peer_id)
    assert hosts["roles"] == ["host"]
    assert everybody["peer"]["info"]["name"] == "Alice"
    assert "roles" not in everybody and "peer_id" not in everybody


def test_a_message_tells_whom_it_is_about_what_it_answers_and_that_it_was_changed(rest, messages, alice, bob):
    asked = say(alice, "who?")
    answer = say(bob, "you", reply_to=asked, mentions=[alice.peer_id])
    do(bob, "message-edit", id=answer, message="you!")

    changed, _ = rest("GET", messages)[1]["data"]

    assert (changed["reply_to"], changed["mentions"]) == (asked, [alice.peer_id])
    assert changed["edited_at"] >= changed["timestamp"]


def test_messages_end_with_the_session(rest, messages, alice):
    say(alice, "tea")
    do(alice, "leave")
    assert rest("GET", messages)[1]["message"] == "room: nobody is in it"


def test_what_is_no_message_is_refused_as_the_place_of_one(rest, messages, alice):
    say(alice, "tea")
    assert rest("GET", f"{messages}?before=x")[1]["message"] == "before: expected the id of a message"
    assert rest("GET", f"{messages}?limit=0")[0] == 400
