"""What was said before: shown to those whom it was for, as far back as the room says."""

import json
from typing import Any

import pytest

from rooms.creation.rooms import change_room
from rooms.models import Message, Peer
from rooms.operations.engine.calls import Caller
from rooms.operations.leaving import disconnect
from rooms.wire.events import compact
from tests.operations.driver import again, ask, call, do, refused, row, say, server, visitor
from tests.support.team import joined


def history(who: Caller, **params: Any) -> list[str]:
    """What somebody is shown, the newest first."""
    return [message["info"]["message"] for message in do(who, "message-history", **params)["messages"]]


def withheld(who: Caller) -> bool:
    told: bool = do(who, "message-history")["withheld"]
    return told


def let_go(who: Caller) -> None:
    """Let nothing of a peer that left be remembered, as when its owner came with many others since."""
    do(who, "leave")
    Peer.objects.filter(peer_id=who.peer_id).delete()


def test_who_comes_is_shown_what_was_said_to_everybody_as_it_was_told(room, alice, bob):
    answer = call(bob, "broadcast", info={"message": "hello"}, mentions=["peer-Alice", "peer-Alice"])
    [event] = answer.events
    late = joined(room, "Late", "guest")

    result = do(late, "message-history")
    [message] = result["messages"]
    assert message["info"] == {"message": "hello", "type": "chat"}
    assert (message["mentions"], message["seq"]) == (["peer-Alice"], event.seq)
    assert message["peer"] == {
        "peer_id": "peer-Bob",
        "person": row(bob).person,
        "role": "guest",
        "groups": [],
        "info": {"name": "Bob", "data": "", "user_id": "user-Bob"},
    }
    assert (result["last"], result["withheld"]) == ("", False)


def test_an_answer_says_which_message_it_answers_and_nothing_of_it(room, alice, bob):
    secret = do(alice, "broadcast", info={"message": "psst"}, peer_id="peer-Bob")["message_id"]
    [event] = call(bob, "broadcast", info={"message": "what?"}, reply_to=secret).events
    assert json.loads(event.body)["reply_to"] == secret
    late = joined(room, "Late", "guest")
    [message] = do(late, "message-history")["messages"]
    assert (message["info"]["message"], message["reply_to"]) == ("what?", secret)
    assert "psst" not in json.dumps(message)

    do(bob, "message-edit", id=message["message_id"], message="pardon?")
    do(alice, "message-delete", id=secret)
    [message] = do(late, "message-history")["messages"]
    assert (message["info"]["message"], message["reply_to"]) == ("pardon?", secret)


def test_pages_lead_to_the_first_message_and_miss_none(alice, bob):
    said = [say(alice if number % 2 else bob, f"{number}") for number in range(7)]
    shown: list[str] = []
    before = ""
    for _ in range(4):
        page = do(bob, "message-history", before=before, limit=2)
        shown += [message["message_id"] for message in page["messages"]]
        before = page["last"]
        assert bool(before) == (len(shown) < 7)
    assert shown == said[::-1]


def test_a_page_ends_where_it_would_be_too_long(alice, bob):
    said = [say(alice, "🎉" * 4000) for _ in range(20)]
    page = do(bob, "message-history", limit=100)
    assert 1 < len(page["messages"]) < 20
    assert len(compact(page["messages"]).encode()) < 256 * 1024 + 4096
    assert page["last"] == page["messages"][-1]["message_id"] == said[-len(page["messages"])]
    assert do(bob, "message-history", before=page["last"])["messages"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"limit": 0}, "limit: expected 1 to 100"),
        ({"limit": 101}, "limit: expected 1 to 100"),
        ({"before": "x"}, "before: expected the id of a message"),
        ({"before": "x" * 65}, "before: expected 0 to 64 characters"),
    ],
)
def test_what_is_no_page(alice, params, message):
    assert refused(alice, "message-history", **params) == (400, message)


def test_events_of_an_app_are_no_messages_for_people(alice, bob):
    do(alice, "broadcast", info={"message": "ring", "type": "bell"})
    say(alice, "hello")
    assert history(bob) == ["hello"]
    assert not withheld(bob)


# --- How far back -------------------------------------------------------------------------------


def test_of_what_was_said_before_one_came_there_is_as_much_as_the_room_shows(room, alice):
    change_room(room.pk, history=2)
    for number in range(4):
        say(alice, f"{number}")
    late = joined(room, "Late", "guest")
    say(alice, "4")
    assert history(late) == ["4", "3", "2"]
    assert withheld(late) and not withheld(alice)
    for number in range(5, 9):
        say(alice, f"{number}")
    assert history(late)[-1] == "2"
    assert history(alice)[-1] == "0"


def test_a_room_that_shows_none_says_that_there_was_something(room, alice, bob):
    change_room(room.pk, history=0)
    early = joined(room, "Early", "guest")
    assert not withheld(early)
    say(alice, "hello")
    late = joined(room, "Late", "guest")
    say(alice, "again")
    assert (history(late), withheld(late)) == (["again"], True)
    assert (history(early), withheld(early)) == (["again", "hello"], False)
    # Who only lost its connection was there.
    ask(early, disconnect)
    do(again(early), "join", name="Early")
    assert history(again(early)) == ["again", "hello"]


def test_what_is_kept_no_more_was_withheld(room, alice, bob):
    say(alice, "0")
    say(alice, "1")
    Message.objects.filter(number=1).delete()
    assert (history(bob), withheld(bob)) == (["1"], True)


def test_that_others_spoke_in_private_is_not_told(room, alice, bob):
    change_room(room.pk, history=0)
    say(alice, "secret", peer_id="peer-Bob")
    late = joined(room, "Late", "host")
    assert (history(late), withheld(late)) == ([], False)


# --- For whom -----------------------------------------------------------------------------------


def test_a_private_message_is_shown_to_the_two_alone(room, alice, bob, victor):
    say(alice, "secret", peer_id="peer-Bob")
    say(server(room), "you won", peer_id="peer-Victor")
    second = joined(room, "Second", "host")
    assert history(alice) == history(bob) == ["secret"]
    assert [history(who) for who in (victor, second)] == [["you won"], []]


def test_a_private_message_stays_with_the_persons_and_not_with_a_peer_id(room, alice, bob):
    """A peer id is anybody's once the session has forgotten whose it was."""
    say(alice, "secret", peer_id="peer-Bob")
    say(bob, "no", peer_id="peer-Alice")
    let_go(bob)
    thief = visitor(room, "Bob", "guest", owner="user:thief", conn_id="other")
    do(thief, "join", name="Bob")
    assert history(thief) == []
    tab = visitor(room, "Bob", "guest", peer_id="peer-tab", conn_id="tab")
    do(tab, "join", name="Bob")
    assert history(tab) == ["no", "secret"]


def test_a_message_to_roles_is_shown_to_those_who_held_one_when_it_was_said(room, alice, bob, victor):
    say(alice, "hosts", roles=["host"])
    say(alice, "both", roles=["host", "viewer"])
    say(bob, "for viewers", roles=["viewer"])
    second = joined(room, "Second", "host")
    assert history(second) == ["both", "hosts"]
    assert history(victor) == ["for viewers", "both"]
    assert history(bob) == ["for viewers"]


def test_i23_a_role_that_is_given_shows_nothing_of_before(room, alice, bob, victor):
    say(alice, "early", roles=["host"])
    do(alice, "role-change-request", requested_for="peer-Bob", role="host", force=True)
    say(alice, "now", roles=["host"])
    assert history(bob) == ["now"]
    # Nor does another tab, which has the role that its owner was given.
    tab = visitor(room, "Bob", "guest", peer_id="peer-tab", conn_id="tab")
    do(tab, "join", name="Bob")
    assert history(tab) == ["now"]
    do(alice, "role-change-request", requested_for="peer-Bob", role="guest", force=True)
    assert history(bob) == []


def test_i23_a_role_that_is_given_back_shows_nothing_of_the_meantime(room, alice, bob):
    """Neither to who held it by its token, nor by whatever tab one comes back."""
    second = joined(room, "Second", "host")
    give = {"requested_for": "peer-Second", "force": True}
    do(alice, "role-change-request", role="guest", **give)
    do(alice, "role-change-request", role="host", **give)
    tab = visitor(room, "Second", "host", peer_id="peer-tab", conn_id="tab")
    do(tab, "join", name="Second")
    do(second, "leave")
    for role in ("guest", "host"):
        do(alice, "role-change-request", role=role, requested_for="peer-tab", force=True)
        say(alice, f"while {role}", roles=["host"])
    assert history(tab) == ["while host"]
    do(again(second), "join", name="Second")
    third = visitor(room, "Second", "host", peer_id="peer-third", conn_id="third")
    do(third, "join", name="Second")
    assert history(again(second)) == history(third) == ["while host"]


def test_i23_a_role_that_is_held_already_and_given_once_more_hides_nothing(room, alice, bob):
    second = joined(room, "Second", "host")
    say(alice, "early", roles=["host"])
    give = {"requested_for": "peer-Second", "role": "host", "force": True}
    do(alice, "role-change-request", **give)
    say(alice, "late", roles=["host"])
    assert history(second) == ["late", "early"]
    do(second, "leave")
    do(again(second), "join", name="Second")
    assert history(again(second)) == ["late", "early"]
    # Nor once it was given back: only what was before that is hidden.
    do(alice, "role-change-request", **{**give, "role": "guest"})
    do(alice, "role-change-request", **give)
    say(alice, "since", roles=["host"])
    do(alice, "role-change-request", **give)
    assert history(again(second)) == ["since"]


def test_i23_a_role_that_is_given_to_one_tab_hides_nothing_from_another_that_has_it(room, alice, bob):
    tab = visitor(room, "Bob", "viewer", peer_id="peer-tab", conn_id="tab")
    do(tab, "join", name="Bob")
    say(alice, "early", roles=["guest"])
    do(alice, "role-change-request", requested_for="peer-tab", role="guest", force=True)
    say(alice, "late", roles=["guest"])
    assert history(bob) == ["late", "early"]
    assert history(tab) == ["late"]


def test_nobody_is_shown_what_was_said_in_another_room(alice, bob, carol):
    theirs = say(carol, "elsewhere")
    say(alice, "here")
    assert history(bob, before=theirs, limit=100) == []
    assert history(carol) == ["elsewhere"]


def test_each_page_costs_few_statements(room, alice, bob, django_assert_max_num_queries):
    for number in range(60):
        say(alice, f"{number}")
    history(bob)
    with django_assert_max_num_queries(12):
        assert len(history(bob)) == 50


def test_what_is_for_others_costs_few_statements(room, alice, bob, django_assert_max_num_queries):
    change_room(room.pk, history=10)
    for number in range(400):
        say(alice, f"{number}", roles=["host"])
    late = joined(room, "Late", "guest")
    assert history(late) == []
    with django_assert_max_num_queries(20):
        assert history(late) == []
