"""Messages that were sent: changed, deleted, reacted to; and who is told."""

import json
from typing import Any

import pytest

from rooms.creation.rooms import change_room
from rooms.models import Event as Row
from rooms.models import Message, Session
from rooms.operations.amending import MAX_EMOJI, is_emoji
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.gate import run
from tests.operations.driver import (
    Resume,
    attachment,
    call,
    do,
    error_of,
    journalled,
    kinds,
    position,
    prepare,
    refused,
    resume_with_socket,
    row,
    say,
    server,
    told,
    visitor,
)
from tests.operations.test_kept import history, let_go
from tests.support.team import joined

NOBODYS = "0" * 32


def pins(caller: Caller) -> list[str]:
    return [pin["text"] for pin in do(caller, "get-metadata", key="pinnedMessages")["data"] or []]


def tab(of: Caller, room: Any) -> Caller:
    """Another peer of the same person."""
    other = visitor(room, of.name, of.role, peer_id=f"{of.peer_id}-tab", conn_id=f"{of.conn_id}-tab")
    do(other, "join", name=of.name)
    return other


# --- Changed ------------------------------------------------------------------------------------


def test_what_somebody_said_can_be_said_otherwise(alice, bob, victor):
    said = say(bob, "helo")
    answer = call(bob, "message-edit", id=said, message="hello", mentions=["peer-Alice"])
    at = answer.result["edited_at"]

    news = {
        "message_id": said,
        "info": {"message": "hello", "type": "chat"},
        "mentions": ["peer-Alice"],
        "edited_at": at,
    }
    assert told(alice, answer.events) == told(victor, answer.events) == [("on-message-edit", news)]
    assert told(bob, answer.events) == []
    [message] = do(alice, "message-history")["messages"]
    assert (message["info"]["message"], message["edited_at"], message["mentions"]) == ("hello", at, ["peer-Alice"])
    assert not call(bob, "message-edit", id=said, message="hello").events
    do(bob, "message-edit", id=said, message="hello!", mentions=[])
    assert "mentions" not in do(alice, "message-history")["messages"][0]


def test_only_its_author_changes_a_message(room, alice, bob, victor):
    said = say(bob, "hello")
    assert refused(alice, "message-edit", id=said, message="x") == (403, "id: the message is another's")
    assert refused(server(room), "message-edit", id=said, message="x")[0] == 403
    do(tab(bob, room), "message-edit", id=said, message="from another tab")
    assert history(alice) == ["from another tab"]
    notice = say(server(room), "closing")
    do(server(room), "message-edit", id=notice, message="closing at six")
    assert history(victor)[0] == "closing at six"


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"id": NOBODYS, "message": "x"}, 404, "id: no such message"),
        ({"id": "x", "message": "x"}, 404, "id: no such message"),
        ({"id": "", "message": "x"}, 400, "id: expected 1 to 64 characters"),
        ({"message": ""}, 400, "message: expected 1 to 4000 characters"),
        ({"message": "x" * 4001}, 413, "message: 4001 characters, at most 4000"),
        ({"message": "\u200b"}, 400, "message: there is nothing to see in it"),
        ({"message": "x", "mentions": ["x"] * 21}, 413, "mentions: 21 entries, at most 20"),
    ],
)
def test_what_a_message_cannot_be_changed_to(alice, params, code, message):
    said = say(alice, "hello")
    assert refused(alice, "message-edit", **{"id": said, **params}) == (code, message)
    assert history(alice) == ["hello"]


def test_a_pin_shows_what_the_message_says_now(alice, bob):
    said = say(bob, "helo")
    do(alice, "pin-message", id=said)
    do(alice, "listen-metadata-change", keys=["pinnedMessages", "default"])
    answer = call(bob, "message-edit", id=said, message="hello")
    assert kinds(alice, answer.events) == ["on-metadata-change", "on-message-edit"]
    assert pins(alice) == ["Bob: hello"]
    assert do(alice, "get-metadata")["data"] == "Bob: hello"


def test_a_pin_follows_whatever_the_rules_say(room, alice, bob):
    said = say(bob, "helo")
    do(alice, "pin-message", id=said)
    do(alice, "set-metadata-rules", rules=[{"key": "pinnedMessages", "write": "none"}])
    do(bob, "message-edit", id=said, message="hello")
    assert pins(alice) == ["Bob: hello"]
    do(bob, "message-delete", id=said)
    assert pins(alice) == []


def test_a_pin_that_does_not_fit_any_more_makes_way_and_no_other(alice, bob, settings):
    """Or who may pin nothing could take away what others pinned."""
    settings.MAX_VALUE_BYTES = 800
    first, edited = say(alice, "first"), say(bob, "edited")
    do(alice, "pin-message", id=first)
    do(alice, "pin-message", id=edited)
    do(bob, "message-edit", id=edited, message="x" * 250)
    assert pins(alice) == ["Bob: " + "x" * 250, "Alice: first"]
    do(bob, "message-edit", id=edited, message="x" * 500)
    assert pins(alice) == ["Alice: first"]
    assert do(alice, "get-metadata")["data"] == "Alice: first"


# --- Deleted ------------------------------------------------------------------------------------


def test_what_somebody_said_is_deleted_for_everybody(room, alice, bob):
    said, other = say(bob, "hello"), say(alice, "stays")
    do(alice, "pin-message", id=other)
    do(alice, "pin-message", id=said)
    answer = call(bob, "message-delete", id=said)

    assert ("on-message-delete", {"message_id": said, "by": "peer-Bob"}) in told(alice, answer.events)
    assert told(bob, answer.events) == []
    assert history(alice) == history(bob) == history(joined(room, "Late", "guest")) == ["stays"]
    assert pins(alice) == ["Alice: stays"]
    assert do(alice, "get-metadata")["data"] == "Alice: stays"
    again = call(bob, "message-delete", id=said)
    assert (again.result["message_id"], again.events) == (said, [])


def test_who_may_remove_others_deletes_what_they_said(room, alice, bob, victor):
    said = say(bob, "hello")
    assert refused(victor, "message-delete", id=said) == (403, "the role viewer lacks the permission removeOthers")
    assert history(bob) == ["hello"]
    answer = call(alice, "message-delete", id=said)
    assert told(bob, answer.events) == [("on-message-delete", {"message_id": said, "by": "peer-Alice"})]
    notice = say(server(room), "closing")
    do(server(room), "message-delete", id=notice)
    assert history(bob) == []


def test_what_is_deleted_is_neither_changed_nor_reacted_to_nor_pinned(alice, bob):
    said = say(bob, "hello")
    do(alice, "message-delete", id=said)
    for method, params in (("message-edit", {"message": "x"}), ("message-react", {"emoji": "👍"}), ("pin-message", {})):
        assert refused(bob, method, id=said, **params) == (404, "id: no such message")


def test_a_message_that_is_repeated_after_its_deletion_does_not_come_again(alice, bob):
    said = say(bob, "hello", client_id="1")
    do(alice, "message-delete", id=said)
    answer = call(bob, "broadcast", info={"message": "hello"}, client_id="1")
    assert (answer.result["message_id"], answer.events) == (said, [])
    assert history(alice) == []


def test_who_lost_the_permission_to_speak_may_still_take_back_what_it_said(alice, bob):
    said = say(bob, "hello")
    do(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)
    assert refused(bob, "message-edit", id=said, message="x")[0] == 403
    do(bob, "message-delete", id=said)
    assert history(alice) == []


def test_who_may_remove_others_clears_the_chat_at_once(room, alice, bob, victor):
    said = say(bob, "hello")
    secret = say(bob, "secret", peer_id="peer-Victor")
    do(bob, "broadcast", info={"message": "ring", "type": "bell"})
    do(alice, "pin-message", id=said)
    before = Session.objects.get(ended_at=None, room=room).journal_bytes
    assert refused(bob, "clear-messages") == (403, "the role guest lacks the permission removeOthers")

    answer = call(alice, "clear-messages")

    assert answer.result["cleared"] == 2
    for who in (alice, bob, victor):
        assert ("on-messages-clear", {"by": "peer-Alice"}) in told(who, answer.events)
        assert history(who) == []
    assert pins(alice) == [] and do(alice, "get-metadata")["data"] is None
    assert Session.objects.get(ended_at=None, room=room).journal_bytes < before
    assert history(joined(room, "Late", "guest")) == []
    assert refused(alice, "message-delete", id=secret)[0] == 404  # it never was for her
    again = call(alice, "clear-messages")
    assert (again.result["cleared"], again.events) == (0, [])
    say(bob, "new")
    assert history(alice) == ["new"]


def test_what_was_said_in_the_same_transaction_is_cleared_too_and_what_came_after_is_not(alice, bob):
    say(bob, "before")
    calls = [
        prepare(bob, "broadcast", info={"message": "with it"}),
        prepare(alice, "clear-messages"),
        prepare(bob, "broadcast", info={"message": "after"}),
    ]
    assert [answer.error for answer in run(calls)] == [None] * 3
    assert history(alice) == ["after"]


# --- Reactions ----------------------------------------------------------------------------------


def test_a_person_reacts_once_with_each_emoji_and_takes_it_back(room, alice, bob, victor):
    said = say(bob, "hello")
    answer = call(alice, "message-react", id=said, emoji="👍")
    result = {"message_id": said, "emoji": "👍", "on": True, "count": 1}
    assert {name: answer.result[name] for name in result} == result
    news = {**result, "peer_id": "peer-Alice", "person": row(alice).person}
    assert told(bob, answer.events) == told(victor, answer.events) == [("on-message-react", news)]
    assert told(alice, answer.events) == []
    do(bob, "message-react", id=said, emoji="👍")
    do(bob, "message-react", id=said, emoji="🎉")
    assert not call(bob, "message-react", id=said, emoji="🎉", on=True).events
    [message] = do(alice, "message-history")["messages"]
    persons = {who: row(who).person for who in (alice, bob)}
    assert message["reactions"] == [
        {"emoji": "👍", "count": 2, "persons": [persons[alice], persons[bob]]},
        {"emoji": "🎉", "count": 1, "persons": [persons[bob]]},
    ]
    # The caller's own comes first, and is its own in every tab.
    assert do(bob, "message-history")["messages"][0]["reactions"][0]["persons"][0] == persons[bob]
    assert do(tab(alice, room), "message-react", id=said, emoji="👍")["on"] is False
    do(bob, "message-react", id=said, emoji="👍", on=False)
    assert not call(bob, "message-react", id=said, emoji="👍", on=False).events
    assert [kind["emoji"] for kind in do(alice, "message-history")["messages"][0]["reactions"]] == ["🎉"]


def test_reactions_are_bounded(alice, bob, monkeypatch):
    said = say(bob, "hello")
    for number in range(MAX_EMOJI):
        do(alice, "message-react", id=said, emoji=chr(0x1F600 + number))
    error = error_of(alice, "message-react", id=said, emoji="👍")
    assert (error.code, error.data) == (413, {"limit": "max_emoji", "used": 21, "max": 20})
    monkeypatch.setattr("rooms.operations.amending.MAX_REACTIONS", 21)
    do(bob, "message-react", id=said, emoji=chr(0x1F600))
    error = error_of(bob, "message-react", id=said, emoji=chr(0x1F601))
    assert (error.code, error.data) == (413, {"limit": "max_reactions", "used": 22, "max": 21})
    assert do(alice, "message-react", id=said, emoji=chr(0x1F600))["on"] is False


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "❤️", "👨‍👩‍👧‍👦", "🇩🇪", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "☀", "🏳️‍🌈"])
def test_emoji(emoji):
    assert is_emoji(emoji)


@pytest.mark.parametrize(
    "text", ["a", "👍x", "1", "12", "\u200d", "\ufe0f", "🏽", "<b>", " ", "👍 ", "\u202e👍", "e\u0301"]
)
def test_what_is_no_emoji(alice, text):
    said = say(alice, "hello")
    assert refused(alice, "message-react", id=said, emoji=text) == (400, "emoji: expected one emoji")


def test_an_emoji_is_short(alice):
    said = say(alice, "hello")
    assert refused(alice, "message-react", id=said, emoji="👍" * 17) == (400, "emoji: expected 1 to 64 bytes")


# --- For whom -----------------------------------------------------------------------------------

DONE = [
    ("message-edit", {"message": "otherwise"}),
    ("message-react", {"emoji": "👍"}),
    ("message-delete", {}),
]


@pytest.mark.parametrize(("method", "params"), DONE)
def test_i23_what_is_done_to_a_private_message_is_told_to_the_two_alone(room, alice, bob, victor, method, params):
    second, alice_tab, bob_tab = joined(room, "Second", "host"), tab(alice, room), tab(bob, room)
    said = say(bob, "secret", peer_id="peer-Alice")
    for other in (victor, second):
        assert refused(other, method, id=said, **params)[0] in (403, 404)
    assert refused(second, method, id=said, **params) == (404, "id: no such message")
    answer = call(bob, method, id=said, **params)
    assert [kinds(who, answer.events) for who in (victor, second, bob)] == [[], [], []]
    for who in (alice, alice_tab, bob_tab):
        assert len(told(who, answer.events)) == 1


@pytest.mark.parametrize(("method", "params"), DONE)
def test_i23_what_is_done_to_a_message_to_roles_is_told_to_those_it_was_for(room, alice, bob, victor, method, params):
    """And to who said it, although it does not hold the role."""
    second, bob_tab = joined(room, "Second", "host"), tab(bob, room)
    said = say(bob, "dear hosts", roles=["host"])
    do(alice, "role-change-request", requested_for="peer-Victor", role="host", force=True)
    assert refused(victor, method, id=said, **params) == (404, "id: no such message")
    answer = call(bob, method, id=said, **params)
    assert len(told(alice, answer.events)) == len(told(second, answer.events)) == len(told(bob_tab, answer.events)) == 1
    assert reached(victor, answer.events) == told(bob, answer.events) == []
    # Nor is it told to who comes back and was somebody else then.
    assert "on-message" not in "".join(event.kind for event in missed(victor, answer.events))


def reached(who: Caller, events: Any) -> list[Any]:
    """As ``told``, with when the peer came and was given its role."""
    peer = row(who)
    return [e for e in events if e.audience.includes(peer.peer_id, peer.role, set(), peer.joined_seq, peer.role_since)]


def missed(who: Caller, events: Any) -> list[Any]:
    """What somebody gets that loses its connection before these events, and comes back."""
    place = {"session_id": live(who).id, "seq": events[0].seq - 1}
    return list(attachment(resume_with_socket(who, place)).replay or [])


def live(who: Caller) -> Session:
    return Session.objects.get(room_id=who.room_id, ended_at=None)


def test_i23_a_peer_id_of_before_opens_nothing(room, alice, bob):
    said, own = say(alice, "secret", peer_id="peer-Bob"), say(bob, "no", peer_id="peer-Alice")
    let_go(bob)
    thief = visitor(room, "Bob", "guest", owner="user:thief", conn_id="other")
    do(thief, "join", name="Bob")
    for method, params in DONE:
        for message_id in (said, own):
            assert refused(thief, method, id=message_id, **params) == (404, "id: no such message")
    answer = call(alice, "message-edit", id=said, message="secret too")
    assert told(thief, answer.events) == []


def test_who_was_not_shown_a_message_is_not_told_what_it_says_now(room, alice, bob):
    change_room(room.pk, history=2)
    said = say(bob, "0")
    late = joined(room, "Late", "guest")
    answer = call(bob, "message-edit", id=said, message="shown")
    assert len(reached(late, answer.events)) == len(reached(alice, answer.events)) == 1
    say(alice, "1")
    say(alice, "2")
    later = joined(room, "Later", "guest")
    answer = call(bob, "message-edit", id=said, message="hidden")
    assert reached(later, answer.events) == []
    assert len(reached(alice, answer.events)) == 1
    # That it is gone tells nothing of it, and whoever has it is told.
    assert len(reached(later, call(bob, "message-delete", id=said).events)) == 1


def test_who_comes_later_is_not_told_what_an_event_of_an_app_says_now(room, alice, bob):
    """No history shows those."""
    rung = do(bob, "broadcast", info={"message": "ring", "type": "bell"})["message_id"]
    late = joined(room, "Late", "guest")
    answer = call(bob, "message-edit", id=rung, message="ring twice")
    assert reached(late, answer.events) == []
    assert len(reached(alice, answer.events)) == 1


def test_nobody_changes_what_was_said_in_another_room(alice, bob, carol):
    said = say(bob, "hello")
    for method, params in DONE:
        assert refused(carol, method, id=said, **params) == (404, "id: no such message")


def test_who_comes_back_gets_what_was_done_and_not_what_was_deleted(alice, bob, victor, resume: Resume):
    place = {"session_id": live(alice).id, "seq": position(alice.room_id)}
    kept, gone = say(bob, "helo"), say(bob, "secret")
    do(bob, "message-edit", id=kept, message="hello")
    do(bob, "message-delete", id=gone)
    replay = attachment(resume(victor, place)).replay
    assert [(event.kind, json.loads(event.body).get("message_id")) for event in replay or []] == [
        ("on-broadcast", kept),
        ("on-message-edit", kept),
        ("on-message-delete", gone),
    ]
    assert "secret" not in "".join(event.body for event in replay or [])
    assert '"hello"' in (replay or [])[0].body


# --- The journal --------------------------------------------------------------------------------


def test_i25_what_the_journal_holds_is_counted_as_it_is(alice, bob):
    said, other = say(bob, "hello"), say(bob, "other é")
    do(alice, "pin-message", id=said)
    do(alice, "set-metadata", key="pinnedMessages")
    do(bob, "message-react", id=said, emoji="👍")
    do(bob, "message-react", id=other, emoji="👍")
    for text in ("longer than it was", "x", "é"):
        do(bob, "message-edit", id=said, message=text)
    do(bob, "message-delete", id=said)
    rows = ["".join(texts) for texts in Row.objects.values_list("audience", "body", "facts")]
    rows += ["".join(texts) for texts in Message.objects.values_list("audience", "body", "reactions")]
    assert live(alice).journal_bytes == sum(len(text.encode()) for text in rows)
    assert [event.seq for event in journalled(alice.room_id)] == list(range(1, position(alice.room_id) + 1))


def test_calls_of_one_transaction_see_what_those_before_them_did(alice, bob, victor):
    said = say(bob, "hello")
    calls = [
        prepare(bob, "message-edit", id=said, message="secret"),
        prepare(alice, "pin-message", id=said),
        prepare(victor, "get-metadata", key="pinnedMessages"),
        prepare(alice, "message-delete", id=said),
        prepare(victor, "message-history"),
        prepare(bob, "message-edit", id=said, message="x"),
        prepare(bob, "broadcast", info={"message": "next"}),
    ]
    edited, pinned, read, deleted, shown, late, sent = run(calls)
    assert [pin["text"] for pin in read.result["data"]] == ["Bob: secret"]
    assert (shown.result["messages"], late.error and late.error.code) == ([], 404)
    for answer in (edited, pinned, deleted, sent):
        assert answer.error is None and answer.events
    numbers = [event.seq for answer in (edited, pinned, deleted, sent) for event in answer.events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert [event.seq for event in journalled(alice.room_id)] == list(range(1, numbers[-1] + 1))
    assert "secret" not in "".join(event.body for event in journalled(alice.room_id))
