"""Polls from draft to end: who may make, see and answer them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rooms.creation.rooms import create_room
from rooms.models import Poll, PollAnswer, Room
from rooms.operations.engine.calls import Caller
from rooms.operations.polls import MAX_POLLS, rooms_with_overdue_polls, stop_overdue_polls
from tests.operations.driver import (
    ask,
    call,
    change_role,
    do,
    kinds,
    live_session,
    refused,
    server,
    told,
    visitor,
)
from tests.operations.polling import SIDES, SOUP, answer, start, votes

# --- Making, starting, stopping -----------------------------------------------------------------


def test_a_poll_goes_from_draft_to_its_end(alice, bob, victor):
    assert do(alice, "poll-info-set", poll_id="p1", title="Lunch", type="poll")["poll_id"] == "p1"
    made = do(alice, "poll-questions-set", poll_id="p1", questions=[SOUP, SIDES])
    assert made["total_questions"] == 2
    assert do(alice, "poll-info-get", poll_id="p1")["state"] == "created"

    started = call(alice, "poll-start", poll_id="p1")
    for person in (alice, bob, victor):
        [(kind, body)] = told(person, started.events)
        [info] = body["polls"]
        assert (kind, info["poll_id"], info["state"]) == ("on-poll-start", "p1", "started")
        assert (info["created_by"], info["started_by"], info["locked"]) == ("peer-Alice", "peer-Alice", True)

    stats = call(bob, "poll-response", poll_id="p1", responses=[{"question": 1, "option": 1}])
    for person in (alice, bob, victor):
        [(kind, body)] = told(person, stats.events)
        assert kind == "on-poll-stats"
        assert body["polls"] == [
            {
                "poll_id": "p1",
                "max_user": 3,
                "user_count": 1,
                "total_response": 1,
                "questions": [
                    {"question": 1, "type": "single-choice", "options": [1, 0], "correct": 0, "skipped": 0, "total": 1},
                    {
                        "question": 2,
                        "type": "multiple-choice",
                        "options": [0, 0, 0],
                        "correct": 0,
                        "skipped": 0,
                        "total": 0,
                    },
                ],
            }
        ]

    stopped = call(alice, "poll-stop", poll_id="p1")
    [(kind, body)] = told(bob, stopped.events)
    assert (kind, body["polls"][0]["state"], body["polls"][0]["stopped_by"]) == (
        "on-poll-stop",
        "stopped",
        "peer-Alice",
    )
    assert refused(bob, "poll-response", poll_id="p1", responses=[{"question": 1, "option": 2}])[0] == 400


def test_starting_or_stopping_twice_tells_nobody_again(alice):
    poll_id = start(alice, SOUP, duration=60)
    again = call(alice, "poll-start", poll_id=poll_id)
    assert (again.result["duration"], list(again.events)) == (60, [])
    do(alice, "poll-stop", poll_id=poll_id)
    again = call(alice, "poll-stop", poll_id=poll_id)
    assert (again.error, list(again.events)) == (None, [])


def test_a_poll_without_an_id_gets_one(alice):
    first, second = (do(alice, "poll-info-set", title="Lunch")["poll_id"] for _ in range(2))
    assert first != second


def test_a_draft_can_be_changed_and_a_started_poll_cannot(alice):
    do(alice, "poll-info-set", poll_id="p1", title="Lunch")
    do(alice, "poll-info-set", poll_id="p1", title="Dinner", anonymous=True)
    info = do(alice, "poll-info-get", poll_id="p1")
    assert (info["title"], info["anonymous"], info["questions_count"]) == ("Dinner", True, 0)

    do(alice, "poll-questions-set", poll_id="p1", questions=[SOUP, SIDES])
    do(alice, "poll-questions-set", poll_id="p1", questions=[SOUP])
    assert do(alice, "poll-info-get", poll_id="p1")["questions_count"] == 1

    do(alice, "poll-start", poll_id="p1")
    assert refused(alice, "poll-info-set", poll_id="p1", title="Supper")[0] == 400
    assert refused(alice, "poll-questions-set", poll_id="p1", questions=[])[0] == 400


def test_what_cannot_be_started_or_stopped(alice):
    do(alice, "poll-info-set", poll_id="p1", title="Lunch")
    assert refused(alice, "poll-start", poll_id="p1")[0] == 400
    assert refused(alice, "poll-stop", poll_id="p1")[0] == 400
    assert refused(alice, "poll-start", poll_id="p2")[0] == 404
    poll_id = start(alice, SOUP)
    do(alice, "poll-stop", poll_id=poll_id)
    assert refused(alice, "poll-start", poll_id=poll_id)[0] == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"title": "x" * 201},
        {"type": "exam"},
        {"mode": "shoe size"},
        {"duration": -1},
        {"duration": 10**9},
        {"poll_id": "x" * 65},
        {"vote": ["x"] * 51},
        {"responses": ["x" * 101]},
        {"anonymous": "yes"},
    ],
)
def test_what_a_poll_cannot_be(alice, wrong):
    assert refused(alice, "poll-info-set", **{"title": "Lunch", **wrong})[0] in (400, 413)
    assert not Poll.objects.exists()


def test_a_session_has_a_limited_number_of_polls(alice):
    for _ in range(MAX_POLLS):
        do(alice, "poll-info-set", title="Lunch")
    assert refused(alice, "poll-info-set", title="Lunch")[0] == 413


def test_a_poll_ends_when_its_time_is_over(alice, bob, room):
    poll_id = start(alice, SOUP, duration=30)
    assert rooms_with_overdue_polls(timezone.now()) == []
    assert not ask(server(room), stop_overdue_polls).events

    Poll.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert refused(bob, "poll-response", poll_id=poll_id, responses=[{"question": 1, "option": 1}])[0] == 400
    assert rooms_with_overdue_polls(timezone.now()) == [room.id]
    assert kinds(bob, ask(server(room), stop_overdue_polls).events) == ["on-poll-stop"]
    assert rooms_with_overdue_polls(timezone.now()) == []


def test_polls_go_with_the_session(alice, bob, room):
    poll_id = start(alice, SOUP)
    answer(bob, poll_id, {"question": 1, "option": 1})
    do(alice, "leave")
    assert Poll.objects.exists()
    do(bob, "leave")
    assert not Poll.objects.exists()
    assert not PollAnswer.objects.exists()


def test_polls_are_of_one_room(alice, carol):
    poll_id = start(alice, SOUP)
    assert refused(carol, "poll-info-get", poll_id=poll_id)[0] == 404
    assert do(carol, "poll-list")["polls"] == []


# --- Who may ------------------------------------------------------------------------------------


def test_a_draft_is_seen_by_those_who_make_polls_unless_it_is_visible(alice, bob):
    do(alice, "poll-info-set", poll_id="secret", title="Lunch")
    do(alice, "poll-info-set", poll_id="open", title="Lunch", visibility=True)

    assert [poll["poll_id"] for poll in do(bob, "poll-list")["polls"]] == ["open"]
    assert refused(bob, "poll-info-get", poll_id="secret")[0] == 404
    assert refused(bob, "poll-questions-get", poll_id="secret")[0] == 404
    assert do(bob, "poll-info-get", poll_id="open")["visibility"] is True


def test_roles_without_polls_hear_nothing_of_them(alice, bob, victor, room):
    change_role(room, "viewer", permissions={"pollRead": False})
    poll_id: str = do(alice, "poll-info-set", title="Lunch")["poll_id"]
    do(alice, "poll-questions-set", poll_id=poll_id, questions=[SOUP])

    events = [*call(alice, "poll-start", poll_id=poll_id).events]
    events += call(bob, "poll-response", poll_id=poll_id, responses=[{"question": 1, "option": 1}]).events
    assert kinds(victor, events) == []
    assert kinds(bob, events) == ["on-poll-start", "on-poll-stats"]
    for method in ("poll-info-get", "poll-questions-get", "poll-result", "poll-responses", "poll-leaderboard"):
        assert refused(victor, method, poll_id=poll_id)[0] == 403
    assert refused(victor, "poll-list")[0] == 403


def test_only_some_roles_may_vote(alice, bob, victor):
    poll_id = start(alice, SOUP, vote=["viewer"])
    assert refused(bob, "poll-response", poll_id=poll_id, responses=[{"question": 1, "option": 1}])[0] == 403
    answer(victor, poll_id, {"question": 1, "option": 1})
    assert votes(alice, poll_id) == [[1, 0]]


def test_only_some_roles_may_see_what_others_answer(alice, bob, victor):
    poll_id = start(alice, SOUP, responses=["host"])
    stats = call(bob, "poll-response", poll_id=poll_id, responses=[{"question": 1, "option": 1}])

    assert kinds(alice, stats.events) == ["on-poll-stats"]
    assert kinds(bob, stats.events) == kinds(victor, stats.events) == []
    for _ in range(2):  # while it runs, and when it is over
        hidden = do(bob, "poll-result", poll_id=poll_id)
        assert (hidden["questions"], hidden["user_count"], hidden["total_response"]) == ([], 1, 1)
        assert refused(bob, "poll-responses", poll_id=poll_id)[0] == 403
        assert len(do(bob, "poll-responses", poll_id=poll_id, self=True)["responses"]) == 1
        assert votes(alice, poll_id) == [[1, 0]]
        do(alice, "poll-stop", poll_id=poll_id)


# --- Lists --------------------------------------------------------------------------------------


def test_polls_are_listed_by_state_and_in_pages(alice, bob):
    for number in range(3):
        do(alice, "poll-info-set", poll_id=f"draft-{number}", title="Lunch")
    running = start(alice, SOUP)
    over = start(alice, SOUP)
    do(alice, "poll-stop", poll_id=over)

    def listed(who: Caller, **params: Any) -> list[str]:
        return [poll["poll_id"] for poll in do(who, "poll-list", **params)["polls"]]

    assert listed(alice, state="created") == ["draft-0", "draft-1", "draft-2"]
    assert listed(alice, state="started") == listed(bob, state="started") == [running]
    assert listed(bob, state="stopped") == [over]
    assert listed(bob, state="created") == []
    page = do(alice, "poll-list", count=2)
    assert [poll["poll_id"] for poll in page["polls"]] == ["draft-0", "draft-1"]
    assert listed(alice, count=50, start=page["last"]) == ["draft-2", running, over]
    assert do(alice, "poll-list", count=5)["last"] == ""
    assert refused(alice, "poll-list", state="lost")[0] == 400


def test_questions_come_in_pages(alice, bob):
    many = [{**SOUP, "question": {"text": f"Soup {number}?", "type": "single-choice"}} for number in range(1, 8)]
    poll_id = start(alice, *many)
    first = do(bob, "poll-questions-get", poll_id=poll_id, index=0, count=5)
    rest = do(bob, "poll-questions-get", poll_id=poll_id, index=5, count=5)
    assert [item["question"]["index"] for item in first["questions"] + rest["questions"]] == [1, 2, 3, 4, 5, 6, 7]
    assert (first["last"], rest["last"]) == (False, True)


def test_the_server_runs_polls_in_nobodys_name(alice, bob, room: Room):
    operator = server(room)
    poll_id = start(operator, SOUP)
    info = do(bob, "poll-info-get", poll_id=poll_id)
    assert (info["created_by"], info["started_by"]) == ("", "")
    answer(bob, poll_id, {"question": 1, "option": 1})
    assert votes(operator, poll_id) == [[1, 0]]
    do(operator, "poll-stop", poll_id=poll_id)
    assert len(do(operator, "poll-leaderboard", poll_id=poll_id)["questions"]) == 1


def test_no_poll_without_a_session(room: Room):
    assert live_session(room) is None
    assert refused(server(room), "poll-info-set", title="Lunch")[0] == 404


@pytest.mark.matrix
def test_a_list_reads_no_more_questions_than_it_shows(database):
    """A session may hold megabytes of them, and others wait for whoever reads them."""
    room = create_room(title="Team")
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    long = {"question": {"text": "?" * 1000, "type": "short-answer"}}
    for number in range(8):
        do(alice, "poll-info-set", title="Lunch", poll_id=f"poll-{number}")
        do(alice, "poll-questions-set", poll_id=f"poll-{number}", questions=[long] * (5 * number))

    with CaptureQueriesContext(connection) as listing:
        listed = do(alice, "poll-list")
    with CaptureQueriesContext(connection) as first:
        whole = do(alice, "poll-list", full=True, count=1)

    assert [poll["questions_count"] for poll in listed["polls"]] == [5 * number for number in range(8)]
    assert [poll["questions_count"] for poll in whole["polls"]] == [0]
    assert not [query for query in listing.captured_queries if '"rooms_poll"."questions",' in query["sql"]]
    assert len([query for query in first.captured_queries if '"rooms_poll"."questions",' in query["sql"]]) == 1


def test_the_questions_of_all_polls_together_have_a_limit(alice, monkeypatch):
    monkeypatch.setattr("rooms.operations.polls.MAX_POLLS_BYTES", 2_000)
    questions = [{"question": {"text": "🎉" * 175, "type": "short-answer"}}]
    polls = [do(alice, "poll-info-set", title=f"Poll {number}")["poll_id"] for number in range(3)]
    for poll_id in polls[:2]:
        do(alice, "poll-questions-set", poll_id=poll_id, questions=questions)
    assert refused(alice, "poll-questions-set", poll_id=polls[2], questions=questions)[0] == 413
    do(alice, "poll-questions-set", poll_id=polls[1], questions=questions)
