"""The form of questions and answers; no database is needed."""

from typing import Any

import pytest

from rooms.operations import poll_questions
from rooms.operations.poll_answers import answer_poll
from rooms.operations.poll_questions import Given, Question, is_correct, score
from rooms.operations.polls import set_poll_questions
from rooms.wire.errors import RoomError
from rooms.wire.parameters import bind


def check_questions(given: list[Any]) -> list[Question]:
    """The questions as they are stored, if they pass the signature of the method and what else is asked for."""
    bound = bind(set_poll_questions.parameters, {"poll_id": "p", "questions": given})
    return poll_questions.check_questions(bound["questions"])


def check_answer(questions: list[Question], response: Any) -> Given:
    bound = bind(answer_poll.parameters, {"poll_id": "p", "responses": [response]})
    return poll_questions.check_answer(questions, bound["responses"][0], "responses[0]")


def choice(kind: str = "single-choice", *, options: int = 3, answer: Any = None, **extra: Any) -> dict[str, Any]:
    return {
        "question": {"text": "Which?", "type": kind, **extra},
        "options": [{"text": str(number)} for number in range(options)],
        "answer": answer,
    }


def text(**answer: Any) -> dict[str, Any]:
    return {"question": {"text": "What?", "type": "short-answer"}, "answer": answer}


def test_what_is_left_out_is_filled_in():
    assert check_questions([choice(options=1, index=None)]) == [
        {
            "question": {"text": "Which?", "type": "single-choice", "index": 1},
            "options": [{"text": "0", "index": 1}],
            "answer": {"hidden": False},
        }
    ]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ("no object", "questions[0]"),
        ({"options": []}, "questions[0].question"),
        ({"question": "text"}, "questions[0].question"),
        ({"question": {"type": "short-answer"}}, "questions[0].question.text"),
        ({"question": {"text": " ", "type": "short-answer"}}, "questions[0].question.text"),
        ({"question": {"text": "x" * 1025, "type": "short-answer"}}, "questions[0].question.text"),
        ({"question": {"text": "x", "type": "essay"}}, "questions[0].question.type"),
        (choice(index=2), "questions[0].question.index"),
        (choice(weight=-1), "questions[0].question.weight"),
        (choice(weight="10"), "questions[0].question.weight"),
        (choice(options=0), "questions[0].options"),
        (choice(options=51), "questions[0].options"),
        ({**choice(), "options": [{"text": "a"}, {"text": ""}]}, "questions[0].options[1].text"),
        ({**choice(), "options": [{"text": "a", "index": 2}]}, "questions[0].options[0].index"),
        ({**choice(), "options": [None]}, "questions[0].options[0]"),
        (choice(answer={"option": 4}), "questions[0].answer"),
        (choice("multiple-choice", answer={"options": [1, 0]}), "questions[0].answer"),
        (choice(answer={"hidden": "no"}), "questions[0].answer.hidden"),
        (text(text="x" * 1025), "questions[0].answer.text"),
    ],
)
def test_the_refusal_names_the_field(item, field):
    with pytest.raises(RoomError) as refusal:
        check_questions([item])
    assert refusal.value.message.split(":")[0] == field


def test_the_number_of_questions_has_a_limit():
    assert len(check_questions([choice()] * 50)) == 50
    with pytest.raises(RoomError):
        check_questions([choice()] * 51)


@pytest.mark.parametrize(
    ("item", "given", "right"),
    [
        (choice(answer={"option": 2}), Given(1, options=(2,)), True),
        (choice(answer={"option": 2}), Given(1, options=(1,)), False),
        (choice(answer={"options": [1, 2]}), Given(1, options=(1,)), True),
        (choice(), Given(1, options=(1,)), False),
        (choice("multiple-choice", answer={"options": [3, 1]}), Given(1, options=(1, 3)), True),
        (choice("multiple-choice", answer={"options": [3, 1]}), Given(1, options=(1,)), False),
        (choice("multiple-choice", answer={"options": [3, 1]}), Given(1, options=(1, 2, 3)), False),
        (choice("multiple-choice"), Given(1), False),
        (choice(answer={"option": 2}), Given(1, skipped=True), False),
        (text(text="Paris"), Given(1, text="paris"), True),
        (text(text="Paris", case=True), Given(1, text="paris"), False),
        (text(text="Paris"), Given(1, text=" paris "), False),
        (text(text="Paris", trim=True), Given(1, text=" paris "), True),
        (text(), Given(1, text=""), False),
    ],
)
def test_what_is_right(item, given, right):
    [question] = check_questions([item])
    assert is_correct(question, given) is right


@pytest.mark.parametrize(
    ("extra", "given", "points"),
    [
        ({}, Given(1, options=(1,)), 1),
        ({"weight": 10}, Given(1, options=(1,)), 10),
        ({"weight": 2.5}, Given(1, options=(1,)), 2.5),
        ({"weight": 10}, Given(1, options=(2,)), 0),
        ({"weight": 10, "negative": True}, Given(1, options=(2,)), -10),
        ({"weight": 10, "negative": True}, Given(1, skipped=True), 0),
    ],
)
def test_what_an_answer_is_worth(extra, given, points):
    [question] = check_questions([choice(answer={"option": 1}, **extra)])
    assert score(question, given) == points


def test_a_poll_without_right_answers_costs_nothing():
    [question] = check_questions([choice(negative=True)])
    assert score(question, Given(1, options=(1,))) == 0


def test_what_cannot_be_skipped():
    questions = check_questions([choice(skippable=False), choice(skippable=True)])
    assert check_answer(questions, {"question": 2, "skipped": True}) == Given(2, skipped=True)
    with pytest.raises(RoomError):
        check_answer(questions, {"question": 1, "skipped": True})


def test_texts_have_the_length_that_the_question_asks_for():
    item = text()
    item["question"] |= {"answer_min_len": 2, "answer_max_len": 4}
    questions = check_questions([item])
    assert check_answer(questions, {"question": 1, "text": "four"}).text == "four"
    for wrong in ("x", "fives", ""):
        with pytest.raises(RoomError):
            check_answer(questions, {"question": 1, "text": wrong})


@pytest.mark.parametrize(
    "numbers",
    [
        {"option": 10**30},
        {"option": 51},
        {"options": [51]},
        {"options": [1] * 51},
        {"question": 10**30},
        {"question": 51},
    ],
)
def test_numbers_of_an_answer_have_limits(numbers):
    questions = check_questions([choice(), choice("multiple-choice")])
    with pytest.raises(RoomError):
        check_answer(questions, {"question": 2, "option": 1, **numbers})


@pytest.mark.parametrize(
    "extra",
    [
        {"weight": 1e300},
        {"weight": 10_001},
        {"duration": 10**30},
        {"duration": -1},
        {"answer_min_len": -1},
        {"answer_max_len": 10**30},
        {"index": 10**30},
    ],
)
def test_numbers_of_a_question_have_limits(extra):
    with pytest.raises(RoomError) as refusal:
        check_questions([choice(**extra)])
    assert refusal.value.message.startswith(f"questions[0].question.{next(iter(extra))}: ")
