"""What is answered, what is right, and who did best."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rooms.models import Poll, PollAnswer, milliseconds
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.gate import METHODS, read
from tests.operations.driver import (
    call,
    do,
    prepare,
    refused,
    row,
    told,
    visitor,
)
from tests.operations.polling import SIDES, SOUP, answer, start, sum_of, votes

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


@pytest.mark.parametrize("is_over", [False, True])
def test_a_repeated_answer_changes_nothing_even_if_it_stands(alice, bob, is_over):
    poll_id = start(alice, {**SOUP, "question": {**SOUP["question"], "once": True}})
    answer(bob, poll_id, {"question": 1, "option": 1})
    if is_over:
        do(alice, "poll-stop", poll_id=poll_id)
    again = call(bob, "poll-response", poll_id=poll_id, responses=[{"question": 1, "option": 1}])
    assert (again.error, list(again.events)) == (None, [])
    assert votes(alice, poll_id) == [[1, 0]]


@pytest.mark.parametrize("mode", ["userid", "peerid", "username"])
def test_an_owner_has_one_vote_whatever_the_mode_says(alice, bob, room, mode):
    poll_id = start(alice, SOUP, mode=mode)
    second_tab = visitor(room, "Bobby", "guest", owner=bob.owner)
    do(second_tab, "join", name="Bobby")
    answer(bob, poll_id, {"question": 1, "option": 1})
    answer(second_tab, poll_id, {"question": 1, "option": 2})
    assert votes(alice, poll_id) == [[0, 1]]
    assert do(alice, "poll-result", poll_id=poll_id)["user_count"] == 1
    assert do(alice, "poll-info-get", poll_id=poll_id)["mode"] == mode


@pytest.mark.parametrize("viewers", [[], ["host"]])
def test_the_other_tabs_of_whoever_answers_are_told_that_and_nobody_else_is(alice, bob, room, viewers):
    poll_id = start(alice, SOUP, responses=viewers)
    second_tab, left = [visitor(room, name, "guest", owner=bob.owner) for name in ("Bob2", "Bob3")]
    for tab in (second_tab, left):
        do(tab, "join", name="Bob")
    do(left, "leave")
    given = {"poll_id": poll_id, "responses": [{"question": 1, "option": 1}]}
    events = call(bob, "poll-response", **given).events
    news = ("on-poll-response", {"poll_id": poll_id})
    assert [news in told(tab, events) for tab in (alice, bob, second_tab)] == [False, False, True]
    assert len(events) == 2
    assert not call(second_tab, "poll-response", **given).events


@pytest.mark.parametrize("mode", ["userid", "peerid", "username"])
@pytest.mark.parametrize("anonymous", [False, True])
def test_no_public_fact_of_a_voter_gives_its_vote_away(alice, bob, room, mode, anonymous):
    """Of the same user id and the same name, and even of the same person's, is only what has the same owner."""
    poll_id = start(alice, SOUP, mode=mode, anonymous=anonymous, responses=["host"])
    answer(bob, poll_id, {"question": 1, "option": 1})
    lookalike = visitor(room, "Bob2", "guest", owner=f"code:{row(bob).person}", user_id=bob.user_id)
    do(lookalike, "join", name="Bob")
    assert do(lookalike, "poll-responses", poll_id=poll_id, self=True)["responses"] == []
    answer(lookalike, poll_id, {"question": 1, "option": 2})
    assert votes(alice, poll_id) == [[1, 1]]
    [own] = do(bob, "poll-responses", poll_id=poll_id, self=True)["responses"]
    assert own["response"]["option"] == 1
    do(alice, "poll-stop", poll_id=poll_id)
    [entry] = do(lookalike, "poll-leaderboard", poll_id=poll_id)["questions"]
    [held] = do(lookalike, "poll-responses", poll_id=poll_id, self=True)["responses"]
    assert entry["peer"]["hash"] == held["peer"]["hash"] != own["peer"]["hash"]


def test_texts_are_answers_too(alice, bob):
    poll_id = start(alice, {"question": {"text": "Why?", "type": "long-answer"}})
    answer(bob, poll_id, {"question": 1, "text": "<b>because</b>"})
    [item] = do(alice, "poll-responses", poll_id=poll_id)["responses"]
    assert item["response"]["text"] == "<b>because</b>"
    assert "option" not in item["response"]


def test_single_answers_say_whose_they_are(alice, bob):
    poll_id = start(alice, SOUP, SIDES)
    answer(bob, poll_id, {"question": 1, "option": 2, "duration": 1500}, {"question": 2, "options": [1, 2]})
    PollAnswer.objects.update(duration=7)

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
        "duration": 7,
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
    answer(bob, poll_id, {"question": 1, "option": 1})
    for person, first, second in ((victor, 900, 50), (dora, 300, 50)):
        answer(person, poll_id, {"question": 1, "option": 2}, {"question": 2, "option": 2})
        for question, duration in ((1, first), (2, second)):
            PollAnswer.objects.filter(peer_id=person.peer_id, question=question).update(duration=duration)
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


@pytest.mark.parametrize("claimed", [-5, 0, 10**20, 1e300, "at once", None, True])
def test_the_time_that_an_answer_took_is_the_servers(alice, bob, claimed):
    poll_id = start(alice, sum_of(1), type="quiz")
    began = timezone.now() - timedelta(seconds=60)
    Poll.objects.update(started_at=began)
    earliest = timezone.now()
    answer(bob, poll_id, {"question": 1, "option": 2, "duration": claimed})
    latest = timezone.now()
    do(alice, "poll-stop", poll_id=poll_id)
    [entry] = do(bob, "poll-leaderboard", poll_id=poll_id)["questions"]
    taken = [milliseconds(moment) - milliseconds(began) for moment in (earliest, latest)]
    assert taken[0] <= entry["duration"] <= taken[1]


def test_who_may_not_see_the_answers_finds_only_itself_on_the_leaderboard(alice, bob, victor):
    poll_id = start(alice, sum_of(1), type="quiz", responses=["host"])
    answer(victor, poll_id, {"question": 1, "option": 2})
    answer(bob, poll_id, {"question": 1, "option": 1})
    do(alice, "poll-stop", poll_id=poll_id)

    board = do(bob, "poll-leaderboard", poll_id=poll_id)
    assert [(entry["position"], entry["peer"]["peerid"]) for entry in board["questions"]] == [(2, "peer-Bob")]
    assert (board["voted_users"], board["last"]) == (2, True)
    assert (board["correct_users"], board["avg_score"], board["avg_time"]) == (0, 0, 0)


def test_wrong_answers_cost_where_the_question_says_so(alice, bob, victor):
    poll_id = start(alice, sum_of(1, negative=True), type="quiz")
    answer(bob, poll_id, {"question": 1, "option": 1})
    answer(victor, poll_id, {"question": 1, "skipped": True})
    do(alice, "poll-stop", poll_id=poll_id)
    board = do(alice, "poll-leaderboard", poll_id=poll_id)["questions"]
    assert [(entry["peer"]["username"], entry["score"]) for entry in board] == [("Victor", 0), ("Bob", -10)]


def test_a_leaderboard_is_read_beside_those_who_write(alice, bob):
    """It looks at each answer of a poll, also of those who left."""
    poll_id = start(alice, sum_of(1), type="quiz")
    answer(bob, poll_id, {"question": 1, "option": 2})
    do(alice, "poll-stop", poll_id=poll_id)

    assert METHODS["poll-leaderboard"].reads
    [entry] = read(prepare(bob, "poll-leaderboard", poll_id=poll_id)).result["questions"]
    assert entry["score"] == 10
