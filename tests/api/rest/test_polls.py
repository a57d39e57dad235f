"""Polls over REST: prepared ones, which linked rooms' sessions begin with, and what was answered."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection

from rooms.creation.rooms import create_room
from rooms.models import AuditEntry, Poll, PreparedPoll, Room
from rooms.operations.engine.calls import Answer
from tests.api.rest.conftest import BackEnd
from tests.operations.driver import call, do, visitor
from tests.support.team import joined

CHOICE: dict[str, Any] = {
    "index": 1, "text": "Tea or milk?", "type": "single-choice", "format": "text",
    "attachment": [{"type": "image/png", "url": "https://example.org/a.png"}],
    "skippable": True, "once": False, "weight": 2, "duration": 0, "answer_min_len": 1, "answer_max_len": 1024,
    "options": [{"index": 1, "text": "tea", "weight": 1}, {"index": 2, "text": "milk", "weight": 1}],
    "answer": {"hidden": False, "options": [2], "case": False, "trim": True},
}  # fmt: skip
WORDS: dict[str, Any] = {"index": 2, "text": "Why?", "type": "short-answer", "options": [], "answer": {"hidden": True}}
QUIZ: dict[str, Any] = {
    "title": "Lunch", "duration": 60, "anonymous": False, "mode": "userid", "type": "quiz", "start": "auto",
    "questions": [CHOICE, WORDS],
}  # fmt: skip


@pytest.fixture
def quiz(rest: BackEnd) -> str:
    poll_id: str = rest("POST", "/polls", QUIZ)[1]["id"]
    return poll_id


@pytest.fixture
def room(rest: BackEnd, quiz: str) -> Room:
    return Room.objects.get(pk=rest("POST", "/rooms", {"name": "team", "polls": [quiz]})[1]["id"])


def test_a_poll_is_told_as_it_was_given(rest, quiz):
    assert rest("GET", f"/polls/{quiz}") == (200, QUIZ | {"id": quiz})
    assert rest("GET", "/polls")[1]["data"] == [QUIZ | {"id": quiz}]
    assert rest("GET", "/polls/none")[0] == rest("POST", "/polls/none", QUIZ)[0] == 404


def test_what_is_left_out_is_as_the_service_has_it(rest):
    status, poll = rest("POST", "/polls", {})
    usual = {"title": "", "duration": 0, "anonymous": False, "mode": "userid", "type": "poll", "start": "auto"}
    assert (status, poll) == (200, {"id": poll["id"], **usual, "questions": []})


def test_an_update_replaces_all_and_a_deleted_poll_is_gone(rest, quiz):
    assert rest("POST", f"/polls/{quiz}", {"title": "Dinner"})[1]["questions"] == []
    assert rest("GET", f"/polls/{quiz}")[1]["title"] == "Dinner"
    assert rest("DELETE", f"/polls/{quiz}") == (204, None)
    assert rest("DELETE", f"/polls/{quiz}")[0] == rest("GET", f"/polls/{quiz}")[0] == 404


def test_what_changes_nothing_of_a_poll_is_not_in_the_audit(rest, quiz):
    audited = AuditEntry.objects.filter(what="poll.prepare")
    assert rest("POST", f"/polls/{quiz}", QUIZ)[0] == rest("POST", f"/polls/{quiz}/questions/1", CHOICE)[0] == 200
    assert audited.count() == 1
    assert rest("POST", f"/polls/{quiz}/questions/1/options/1", {"text": "green tea"})[0] == 200
    assert audited.count() == 2


def test_questions_and_options_are_replaced_and_move_up(rest, quiz):
    questions = f"/polls/{quiz}/questions"
    assert rest("POST", f"{questions}/2", {"text": "And?", "type": "long-answer"})[1]["text"] == "And?"
    assert rest("POST", f"{questions}/1/options/1", {"text": "green tea"}) == (200, {"index": 1, "text": "green tea"})
    assert rest("DELETE", f"{questions}/1/options/1") == (204, None)

    choice = rest("GET", f"/polls/{quiz}")[1]["questions"][0]
    assert (choice["options"], choice["answer"]["options"]) == ([{"index": 1, "text": "milk", "weight": 1}], [1])
    assert rest("DELETE", f"{questions}/1/options/1")[1]["message"] == "questions[0].options: missing"

    assert rest("DELETE", f"{questions}/1") == (204, None)
    [left] = rest("GET", f"/polls/{quiz}")[1]["questions"]
    assert (left["index"], left["text"]) == (1, "And?")
    for address in ("2", "0", "1/options/1"):
        assert rest("DELETE", f"{questions}/{address}")[0] == 404
    assert rest("POST", f"{questions}/9", CHOICE)[0] == 404


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": "x" * 201}, "title: "),
        ({"mode": "else"}, "mode: "),
        ({"start": "later"}, "start: "),
        ({"questions": [CHOICE] * 51}, "questions: "),
        ({"questions": [CHOICE | {"type": "else"}]}, "questions[0].type: "),
        ({"questions": [CHOICE | {"options": []}]}, "questions[0].options: missing"),
        ({"questions": [CHOICE | {"answer": {"options": [3]}}]}, "questions[0].answer: there is no option 3"),
        ({"questions": [WORDS]}, "questions[0].question.index: expected 1"),
        ({"duration": -1}, "duration: "),
    ],
)
def test_a_poll_is_refused_with_its_field(rest, change, message):
    status, refused = rest("POST", "/polls", QUIZ | change)
    assert (status, refused["message"][: len(message)]) == (400, message)
    assert not PreparedPoll.objects.exists()


@pytest.mark.matrix
def test_a_linked_poll_runs_from_the_session_s_beginning(database, rest, quiz, room):
    answer = call(visitor(room, "Alice", "host"), "join", name="Alice")

    [started] = [event for event in answer.events if event.kind == "on-poll-start"]
    assert f'"poll_id":"{quiz}"' in started.body
    poll = Poll.objects.get()
    assert poll.ends_at and poll.started_at
    assert (poll.state, poll.max_users, (poll.ends_at - poll.started_at).seconds) == ("started", 1, 60)
    bob = joined(room, "Bob", "guest")
    assert [told["poll_id"] for told in do(bob, "poll-list", state="started")["polls"]] == [quiz]
    question = do(bob, "poll-questions-get", poll_id=quiz)["questions"][0]
    assert (question["question"]["text"], question["question"]["attachment"]) == (CHOICE["text"], CHOICE["attachment"])
    assert Poll.objects.count() == 1


def test_a_room_is_linked_with_polls_that_there_are(rest, quiz, room):
    address = f"/rooms/{room.pk}"
    assert rest("GET", address)[1]["polls"] == [quiz]
    assert rest("POST", address, {"polls": [quiz, "none"]})[1]["message"] == "polls: no such poll none"
    assert rest("POST", address, {"polls": []})[1]["polls"] == []
    assert do(joined(room, "Alice", "host"), "poll-list")["polls"] == []


def test_one_that_somebody_is_to_start_waits(rest, quiz, room):
    rest("POST", f"/polls/{quiz}", QUIZ | {"start": "manual"})
    alice = joined(room, "Alice", "host")
    assert do(alice, "poll-info-get", poll_id=quiz)["state"] == "created"
    assert rest("GET", f"/polls/{quiz}/sessions")[1]["responses"] == []
    do(alice, "poll-start", poll_id=quiz)


def test_each_session_gets_the_poll_anew_as_it_is_then(rest, quiz, room):
    alice = joined(room, "Alice", "host")
    rest("POST", f"/polls/{quiz}", QUIZ | {"title": "Dinner"})
    assert do(alice, "poll-info-get", poll_id=quiz)["title"] == "Lunch"
    do(alice, "leave")
    alice = joined(room, "Alice", "host")
    assert do(alice, "poll-info-get", poll_id=quiz)["title"] == "Dinner"
    do(alice, "leave")
    rest("DELETE", f"/polls/{quiz}")
    assert do(joined(room, "Alice", "host"), "poll-list")["polls"] == []


def test_rooms_name_a_deleted_poll_no_longer_and_can_be_given_back(rest, quiz):
    _, other = rest("POST", "/polls", {"title": "other"})
    linked, apart = (rest("POST", "/rooms", {"polls": ids})[1] for ids in ([quiz, other["id"]], [other["id"]]))

    assert rest("DELETE", f"/polls/{quiz}") == (204, None)

    told = rest("GET", f"/rooms/{linked['id']}")[1]
    assert told["polls"] == [other["id"]] and told["updated_at"] > linked["updated_at"]
    assert rest("GET", f"/rooms/{apart['id']}")[1] == apart
    assert rest("POST", f"/rooms/{linked['id']}", told)[0] == 200
    change = AuditEntry.objects.filter(what="room.change").earliest("pk")
    before = {"polls": [[quiz, other["id"]], [other["id"]]]}
    assert (change.room_id, json.loads(change.details)) == (linked["id"], before)


def test_a_room_that_names_a_poll_twice_gets_it_once(rest, quiz):
    room = Room.objects.get(pk=rest("POST", "/rooms", {"polls": [quiz, quiz]})[1]["id"])
    assert [poll["poll_id"] for poll in do(joined(room, "Alice", "host"), "poll-list")["polls"]] == [quiz]


@pytest.mark.postgres
def test_a_poll_that_is_deleted_while_a_session_takes_it_keeps_nobody_out(database, postgres_url):
    poll = PreparedPoll.objects.create(mode="userid")
    room = create_room(name="team", polls=[poll.pk])

    def join(name: str) -> Answer:
        try:
            return call(visitor(room, name, "host"), "join", name=name)
        finally:
            connection.close()

    with psycopg.connect(postgres_url) as deleting, ThreadPoolExecutor(1) as others:
        deleting.execute("DELETE FROM rooms_preparedpoll")
        answer = others.submit(join, "Alice")
        while not deleting.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
            assert not answer.done(), "it did not wait"
        deleting.commit()
        assert answer.result().error is None
    assert do(visitor(room, "Alice", "host"), "poll-list")["polls"] == []


LONG = {"text": "x", "type": "single-choice", "options": [{"text": "o" * 1000} for _ in range(50)]}


def long_poll(rest: BackEnd, *, questions: int) -> str:
    """A poll of so many questions of 50 kB."""
    poll: str = rest("POST", "/polls", {"questions": [{"text": "x", "type": "short-answer"}] * questions})[1]["id"]
    for place in range(1, questions + 1):
        assert rest("POST", f"/polls/{poll}/questions/{place}", LONG)[0] == 200
    return poll


def test_prepared_polls_take_no_more_than_those_of_peers_may(rest):
    polls = [long_poll(rest, questions=12) for _ in range(2)]

    status, refused = rest("POST", "/rooms", {"name": "long", "polls": polls})
    assert (status, refused["message"].split(":")[0]) == (413, "polls")
    assert rest("POST", "/rooms", {"name": "long", "polls": polls[:1]})[0] == 200

    full = rest("POST", "/polls", {"questions": [{"text": "x", "type": "short-answer"}] * 25})[1]["id"]
    answers = [rest("POST", f"/polls/{full}/questions/{place}", LONG) for place in range(1, 26)]
    assert [status for status, _ in answers] == [200] * 20 + [413] * 5
    assert answers[-1][1]["message"].startswith("questions: ")


def test_a_prepared_poll_that_grew_too_long_since_is_passed_over(rest, caplog):
    polls = [long_poll(rest, questions=1) for _ in range(3)]
    room = Room.objects.get(pk=rest("POST", "/rooms", {"polls": polls})[1]["id"])
    grown = PreparedPoll.objects.get(pk=polls[1])
    PreparedPoll.objects.filter(pk=grown.pk).update(questions=grown.questions * 25)

    joined(room, "Alice", "host")

    assert set(Poll.objects.values_list("poll_id", flat=True)) == {polls[0], polls[2]}
    assert "a prepared poll is too long" in caplog.text


def test_what_was_answered_is_told_while_the_session_lives(rest, quiz, room):
    alice, bob = joined(room, "Alice", "host"), joined(room, "Bob", "guest")
    do(alice, "poll-response", poll_id=quiz, responses=[{"question": 1, "option": 2}, {"question": 2, "text": "why"}])
    do(bob, "poll-response", poll_id=quiz, responses=[{"question": 1, "option": 1}])
    do(bob, "poll-response", poll_id=quiz, responses=[{"question": 1, "option": 2}])

    [run] = rest("GET", f"/polls/{quiz}/sessions")[1]["responses"]
    session = room.sessions.get().pk
    assert (run["poll_id"], run["session_id"], run["stopped_at"]) == (quiz, session, None)
    assert (run["total_responses"], run["unique_participants"]) == (3, 2)

    first, second, third = rest("GET", f"/polls/{quiz}/responses")[1]["responses"]
    assert (first["user_id"], first["options"], first["update"]) == ("user-Alice", [2], False)
    assert (second["question"], second["text"]) == (2, "why")
    assert (third["peer_id"], third["options"], third["update"]) == (bob.peer_id, [2], True)
    assert first["sent_at"] >= run["started_at"]
    assert rest("GET", f"/polls/{quiz}/responses/{third['id']}") == (200, third)

    page = rest("GET", f"/polls/{quiz}/results?limit=1&question=1")[1]
    assert [result["score"] for result in page["responses"]] == [2]
    rest_of_them = rest("GET", f"/polls/{quiz}/results?limit=1&question=1&start={page['last']}")[1]
    assert (rest_of_them["responses"][0]["id"], rest_of_them["last"]) == (third["id"], "")
    assert rest("GET", f"/polls/{quiz}/results/{third['id']}")[1]["score"] == 2
    assert rest("GET", f"/polls/{quiz}/results?session_id=other")[1]["responses"] == []

    do(alice, "leave")
    do(bob, "leave")
    for part in ("sessions", "responses", "results"):
        assert rest("GET", f"/polls/{quiz}/{part}")[1] == {"limit": 10, "responses": [], "last": ""}
    assert rest("GET", f"/polls/{quiz}/responses/{third['id']}")[0] == 404
    assert rest("GET", f"/polls/{quiz}/responses/x")[0] == 404


def test_a_poll_that_a_peer_made_is_told_too_but_is_none_of_a_prepared_one(rest, quiz, room):
    other = create_room(name="other")
    mallory = joined(other, "Mallory", "host")
    for poll_id in (quiz, "own"):
        do(mallory, "poll-info-set", poll_id=poll_id, title="Mine")
        do(
            mallory,
            "poll-questions-set",
            poll_id=poll_id,
            questions=[{"question": {"text": "a", "type": "short-answer"}}],
        )
        do(mallory, "poll-start", poll_id=poll_id)
        do(mallory, "poll-response", poll_id=poll_id, responses=[{"question": 1, "text": "b"}])

    assert rest("GET", f"/polls/{quiz}/responses")[1]["responses"] == []
    assert rest("GET", "/polls/own")[1]["title"] == "Mine"
    assert [response["text"] for response in rest("GET", "/polls/own/responses")[1]["responses"]] == ["b"]


def test_nobody_is_named_in_an_anonymous_poll(rest, quiz, room):
    rest("POST", f"/polls/{quiz}", QUIZ | {"anonymous": True})
    do(joined(room, "Alice", "host"), "poll-response", poll_id=quiz, responses=[{"question": 1, "option": 2}])
    [response] = rest("GET", f"/polls/{quiz}/responses")[1]["responses"]
    assert (response["peer_id"], response["user_id"]) == ("", "")
