"""Questions to ask, and the calls that most tests of polls begin with."""

from typing import Any

from rooms.operations.engine.calls import Caller
from tests.operations.driver import do

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
