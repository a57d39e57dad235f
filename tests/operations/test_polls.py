"""Polls and quizzes from draft to result."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rooms.models import Poll, PollAnswer, Room
from rooms.operations.calls import Caller
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

SOUP: dict[str, Any] = {
    "question": {"index": 1, "text": "Soup?", "type": "single-choice"},
    "options": [{"index": 1, "text": "yes"}, {"index": 2, "text": "no"}],
}
SIDES: dict[str, Any] = {
    "question": {"index": 2, "text": "Sides?", "type": "multiple-choice"},
    "options": [{"index": 1, "text": "rice"}, {"index": 2, "text": "peas"}, {"index": 3, "text": "beans"}],
}


def sum_of(index: int, *, hidden: bool = False, **extra: Any) -> dict[str, Any]:
    """2 + 2, worth 10; the second option is right."""
    return {
        "question": {"index": index, "text": "2 + 2?", "type": "single-choice", "weight": 10, **extra},
        "options": [{"index": 1, "text": "5"}, {"index": 2, "text": "4"}],
        "answer": {"hidden": hidden, "option": 2},
    }


def start(host: Caller, *questions: dict[str, Any], **info: Any) -> str:
    """A running poll with these questions."""
    poll_id: str = do(host, "poll-info-set", **{"title": "Lunch", **info})["poll_id"]
    do(host, "poll-questions-set", poll_id=poll_id, questions=list(questions))
    do(host, "poll-start", poll_id=poll_id)
    return poll_id


def answer(who: Caller, poll_id: str, *responses: dict[str, Any]) -> dict[str, Any]:
    return do(who, "poll-response", poll_id=poll_id, responses=list(responses))


def votes(who: Caller, poll_id: str) -> list[list[int]]:
    return [question["options"] for question in do(who, "poll-result", poll_id=poll_id)["questions"]]


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


# --- Answers ------------------------------------------------------------------------------------


def test_two_people_answer_and_the_counts_add_up(alice, bob, victor):
    poll_id = start(alice, SOUP, SIDES)
    answer(bob, poll_id, {"question": 1, "option": 1}, {"question": 2, "options": [3, 1]})
    answer(victor, poll_id, {"question": 1, "options": [2]}, {"question": 2, "options": [3]})

    result = do(alice, "poll-result", poll_id=poll_id)
    assert [question["options"] for question in result["questions"]] == [[1, 1], [1, 0, 2]]
    assert (result["user_count"], result["total_response"], result["max_user"]) == (2, 4, 3)


def test_an_answer_can_be_changed_while_the_poll_runs(alice, bob):
    poll_id = start(alice, SOUP, SIDES)
    answer(bob, poll_id, {"question": 1, "option": 1}, {"question": 2, "options": [1, 2]})
    answer(bob, poll_id, {"question": 1, "option": 2, "update": True}, {"question": 2, "skipped": True})

    result = do(alice, "poll-result", poll_id=poll_id)
    assert [question["options"] for question in result["questions"]] == [[0, 1], [0, 0, 0]]
    assert [question["skipped"] for question in result["questions"]] == [0, 1]
    assert (result["user_count"], result["total_response"]) == (1, 2)
    held = do(bob, "poll-responses", poll_id=poll_id, self=True)["responses"]
    assert [(item["response"]["question"], item["response"]["update"]) for item in held] == [(1, True), (2, True)]


def test_an_answer_that_is_given_once_stands(alice, bob):
    soup = {**SOUP, "question": {**SOUP["question"], "once": True}}
    poll_id = start(alice, soup, SIDES)
    answer(bob, poll_id, {"question": 1, "option": 1})

    changes = [{"question": 2, "options": [1]}, {"question": 1, "option": 2}]
    assert refused(bob, "poll-response", poll_id=poll_id, responses=changes)[0] == 400
    assert votes(alice, poll_id) == [[1, 0], [0, 0, 0]]


def test_a_repeated_answer_changes_nothing_even_if_it_stands(alice, bob):
    poll_id = start(alice, {**SOUP, "question": {**SOUP["question"], "once": True}})
    answer(bob, poll_id, {"question": 1, "option": 1})
    again = call(bob, "poll-response", poll_id=poll_id, responses=[{"question": 1, "option": 1}])
    assert (again.error, list(again.events)) == (None, [])
    assert votes(alice, poll_id) == [[1, 0]]


@pytest.mark.parametrize(("mode", "counted"), [("userid", 1), ("peerid", 2), ("username", 2)])
def test_the_mode_says_who_is_one_person(alice, bob, room, mode, counted):
    poll_id = start(alice, SOUP, mode=mode)
    second_tab = visitor(room, "Bobby", "guest", user_id=bob.user_id)
    do(second_tab, "join", name="Bobby")
    answer(bob, poll_id, {"question": 1, "option": 1})
    answer(second_tab, poll_id, {"question": 1, "option": 2})
    assert do(alice, "poll-result", poll_id=poll_id)["user_count"] == counted


def test_by_name_two_peers_of_one_name_are_one_person(alice, bob, room):
    poll_id = start(alice, SOUP, mode="username")
    namesake = visitor(room, "Bob2", "guest")
    do(namesake, "join", name="Bob")
    answer(bob, poll_id, {"question": 1, "option": 1})
    answer(namesake, poll_id, {"question": 1, "option": 2})
    assert votes(alice, poll_id) == [[0, 1]]


def test_texts_are_answers_too(alice, bob):
    poll_id = start(alice, {"question": {"text": "Why?", "type": "long-answer"}})
    answer(bob, poll_id, {"question": 1, "text": "<b>because</b>"})
    [item] = do(alice, "poll-responses", poll_id=poll_id)["responses"]
    assert item["response"]["text"] == "<b>because</b>"
    assert "option" not in item["response"]


def test_single_answers_say_whose_they_are(alice, bob):
    poll_id = start(alice, SOUP, SIDES)
    answer(bob, poll_id, {"question": 1, "option": 2, "duration": 1500}, {"question": 2, "options": [1, 2]})

    shown = do(alice, "poll-responses", poll_id=poll_id)
    assert shown["last"] is True
    first, second = shown["responses"]
    assert first["response"] | {"response_id": ""} == {
        "response_id": "",
        "question": 1,
        "type": "single-choice",
        "option": 2,
        "skipped": False,
        "update": False,
        "duration": 1500,
    }
    assert second["response"]["options"] == [1, 2]
    assert first["final"] is True
    peer = {name: value for name, value in first["peer"].items() if name != "hash"}
    assert peer == {"peerid": "peer-Bob", "userid": "user-Bob", "username": "Bob"}
    assert first["response"]["response_id"] != second["response"]["response_id"]


def test_single_answers_come_in_pages(alice, bob, victor):
    poll_id = start(alice, SOUP, SIDES)
    for person in (alice, bob, victor):
        answer(person, poll_id, {"question": 1, "option": 1}, {"question": 2, "options": [1]})
    first = do(alice, "poll-responses", poll_id=poll_id, count=4)
    rest = do(alice, "poll-responses", poll_id=poll_id, index=4, count=4)
    assert [len(page["responses"]) for page in (first, rest)] == [4, 2]
    assert (first["last"], rest["last"]) == (False, True)


def test_an_anonymous_poll_keeps_no_names(alice, bob, victor):
    poll_id = start(alice, SOUP, SIDES, anonymous=True)
    answer(bob, poll_id, {"question": 1, "option": 2})
    answer(bob, poll_id, {"question": 1, "option": 1})
    answer(victor, poll_id, {"question": 1, "option": 1})

    stored = " ".join(str(row) for row in PollAnswer.objects.values())
    assert not any(name in stored for name in ("Bob", "Victor"))
    assert votes(alice, poll_id) == [[2, 0], [0, 0, 0]]
    seen = do(alice, "poll-responses", poll_id=poll_id)["responses"]
    assert {(item["peer"]["peerid"], item["peer"]["userid"], item["peer"]["username"]) for item in seen} == {
        ("", "", "")
    }
    [own] = do(bob, "poll-responses", poll_id=poll_id, self=True)["responses"]
    assert own["peer"]["peerid"] == "peer-Bob"

    do(alice, "poll-stop", poll_id=poll_id)
    board = do(alice, "poll-leaderboard", poll_id=poll_id)["questions"]
    assert [(entry["peer"]["peerid"], entry["peer"]["username"]) for entry in board] == [("", ""), ("", "")]


def test_nobody_answers_for_another(alice, bob, victor):
    poll_id = start(alice, SOUP)
    do(
        bob,
        "poll-response",
        poll_id=poll_id,
        responses=[{"question": 1, "option": 1, "peer": {"peerid": "peer-Victor"}, "peer_id": "peer-Victor"}],
        peer_id="peer-Victor",
        user_id="user-Victor",
    )
    [item] = do(alice, "poll-responses", poll_id=poll_id)["responses"]
    assert item["peer"]["peerid"] == "peer-Bob"


@pytest.mark.parametrize(
    "wrong",
    [
        [{"question": 3, "option": 1}],
        [{"question": 0, "option": 1}],
        [{"option": 1}],
        [{"question": 1, "option": 3}],
        [{"question": 1, "option": -1}],
        [{"question": 1}],
        [{"question": 2, "options": []}],
        [{"question": 2, "options": [1, 4]}],
        [{"question": 2, "options": ["1"]}],
        [{"question": 1, "option": 1}, {"question": 1, "option": 2}],
        [{"question": 2, "options": [1]}, {"question": 1, "option": 9}],
        ["yes"],
        [None],
    ],
)
def test_an_answer_that_is_none_is_refused_and_with_it_all_of_the_call(alice, bob, wrong):
    poll_id = start(alice, SOUP, SIDES)
    assert refused(bob, "poll-response", poll_id=poll_id, responses=wrong)[0] == 400
    assert not PollAnswer.objects.exists()


# --- Quizzes ------------------------------------------------------------------------------------


def test_a_quiz_says_who_was_right(alice, bob, victor):
    poll_id = start(alice, sum_of(1), type="quiz")
    assert answer(bob, poll_id, {"question": 1, "option": 1})["result"] == [{"question": 1, "correct": False}]
    assert answer(victor, poll_id, {"question": 1, "option": 2})["result"] == [{"question": 1, "correct": True}]
    assert do(bob, "poll-result", poll_id=poll_id)["questions"][0]["correct"] == 1


def test_a_hidden_answer_comes_to_light_when_the_poll_is_over(alice, bob, victor):
    poll_id = start(alice, sum_of(1, hidden=True), type="quiz")

    def everything(who: Caller) -> list[Any]:
        questions = do(who, "poll-questions-get", poll_id=poll_id, index=0, count=50)["questions"]
        return [questions[0]["answer"], "correct" in do(who, "poll-result", poll_id=poll_id)["questions"][0]]

    given = call(bob, "poll-response", poll_id=poll_id, responses=[{"question": 1, "option": 2}])
    assert given.result["result"] == [{"question": 1}]
    assert "correct" not in told(bob, given.events)[0][1]["polls"][0]["questions"][0]
    assert everything(bob) == [{"hidden": True}, False]
    assert everything(alice) == [{"hidden": True, "option": 2}, True]
    assert refused(bob, "poll-leaderboard", poll_id=poll_id)[0] == 400

    do(alice, "poll-stop", poll_id=poll_id)
    assert everything(bob) == [{"hidden": True, "option": 2}, True]


def test_what_an_app_sends_beside_a_question_is_not_passed_on(alice, bob):
    """The SDK copies the options, right ones marked, into the question itself."""
    item = sum_of(1, hidden=True)
    item["question"] |= {"options": [{"text": "4", "isCorrectAnswer": True}], "answer": {"option": 2}}
    item["options"][1]["isCorrectAnswer"] = True
    poll_id = start(alice, item, type="quiz")

    [seen] = do(bob, "poll-questions-get", poll_id=poll_id)["questions"]
    assert seen == {
        "question": {"index": 1, "text": "2 + 2?", "type": "single-choice", "weight": 10},
        "options": [{"index": 1, "text": "5"}, {"index": 2, "text": "4"}],
        "answer": {"hidden": True},
    }


def test_the_leaderboard_ranks_by_score_and_then_by_time(alice, bob, victor, room):
    dora = visitor(room, "Dora", "guest")
    do(dora, "join", name="Dora")
    poll_id = start(alice, sum_of(1), sum_of(2, weight=5), type="quiz")
    answer(bob, poll_id, {"question": 1, "option": 1, "duration": 100})
    answer(victor, poll_id, {"question": 1, "option": 2, "duration": 900}, {"question": 2, "option": 2, "duration": 50})
    answer(dora, poll_id, {"question": 1, "option": 2, "duration": 300}, {"question": 2, "option": 2, "duration": 50})
    do(alice, "poll-stop", poll_id=poll_id)

    board = do(bob, "poll-leaderboard", poll_id=poll_id, count=10, offset=0)
    ranks = [(entry["position"], entry["peer"]["username"], entry["score"]) for entry in board["questions"]]
    assert ranks == [(1, "Dora", 15), (2, "Victor", 15), (3, "Bob", 0)]
    details = [
        (entry["duration"], entry["total_responses"], entry["correct_responses"]) for entry in board["questions"]
    ]
    assert details == [(350, 2, 2), (950, 2, 2), (0, 1, 0)]
    assert (board["total_users"], board["voted_users"], board["correct_users"]) == (4, 3, 2)
    assert (board["avg_score"], board["last"]) == (10, True)
    assert board["avg_time"] == pytest.approx(1300 / 3)

    page = do(bob, "poll-leaderboard", poll_id=poll_id, count=1, offset=1)
    assert ([entry["peer"]["username"] for entry in page["questions"]], page["last"]) == (["Victor"], False)


def test_who_may_not_see_the_answers_finds_only_itself_on_the_leaderboard(alice, bob, victor):
    poll_id = start(alice, sum_of(1), type="quiz", responses=["host"])
    answer(victor, poll_id, {"question": 1, "option": 2})
    answer(bob, poll_id, {"question": 1, "option": 1})
    do(alice, "poll-stop", poll_id=poll_id)

    board = do(bob, "poll-leaderboard", poll_id=poll_id)
    assert [(entry["position"], entry["peer"]["peerid"]) for entry in board["questions"]] == [(2, "peer-Bob")]
    assert (board["voted_users"], board["last"]) == (2, True)


def test_wrong_answers_cost_where_the_question_says_so(alice, bob, victor):
    poll_id = start(alice, sum_of(1, negative=True), type="quiz")
    answer(bob, poll_id, {"question": 1, "option": 1})
    answer(victor, poll_id, {"question": 1, "skipped": True})
    do(alice, "poll-stop", poll_id=poll_id)
    board = do(alice, "poll-leaderboard", poll_id=poll_id)["questions"]
    assert [(entry["peer"]["username"], entry["score"]) for entry in board] == [("Victor", 0), ("Bob", -10)]


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
