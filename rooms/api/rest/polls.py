"""``/v2/polls``: polls that are prepared, with which sessions of the rooms that name them begin."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from ninja import Field, Query, Router, Status
from pydantic import ConfigDict

from rooms.api.rest.frame import Body, answers, author
from rooms.api.rest.pages import PageOf, PageQuery, page
from rooms.api.rest.poll_answers import PollId, runs
from rooms.creation.polls import delete_prepared
from rooms.models import Poll, PreparedPoll
from rooms.operations.engine.audit import record
from rooms.operations.poll_questions import MAX_DURATION, MAX_OPTIONS, MAX_QUESTIONS, MAX_TEXT_CHARS, check_questions
from rooms.operations.polls import check_size
from rooms.wire.errors import NotFound

router = Router(tags=["Polls"])

MAX_ATTACHMENTS = 10

# --- What can be asked for, and is told ---------------------------------------------------------

Words = Annotated[
    str, Field(min_length=1, max_length=MAX_TEXT_CHARS, description="1 to 1,024 characters", examples=["Tea or milk?"])
]
Index = Annotated[int, Field(ge=1, le=MAX_OPTIONS, description="Its place, from 1", examples=[1])]
Weight = Annotated[float, Field(ge=0, le=10_000, description="Points for the right answer", examples=[1])]
Length = Annotated[int, Field(ge=0, le=2**31, description="Characters of a text", examples=[1])]


class Attachment(Body):
    type: Annotated[str, Field(max_length=100, description="Its media type", examples=["image/png"])]
    url: Annotated[str, Field(max_length=2_048, description="Where it is", examples=["https://example.org/a.png"])]


class Option(Body):
    """What can be chosen."""

    text: Words
    index: Index | None = None
    weight: Weight | None = None


class RightAnswer(Body):
    """What is right, in a quiz."""

    hidden: Annotated[bool, Field(description="Whether it stays hidden while the poll runs", examples=[False])] = False
    option: Annotated[int | None, Field(ge=0, le=MAX_OPTIONS, description="Index of the option", examples=[1])] = None
    options: Annotated[
        list[int] | None, Field(max_length=MAX_OPTIONS, description="Indexes of the options", examples=[[1, 2]])
    ] = None
    text: Annotated[str | None, Field(max_length=MAX_TEXT_CHARS, description="The words", examples=["tea"])] = None
    case: Annotated[bool | None, Field(description="Whether capitals count", examples=[False])] = None
    trim: Annotated[bool | None, Field(description="Whether white space around is left out", examples=[True])] = None


class Question(Body):
    index: Index | None = None
    text: Words
    type: Annotated[
        Literal["single-choice", "multiple-choice", "short-answer", "long-answer"],
        Field(description="How it is answered", examples=["single-choice"]),
    ]
    format: Annotated[
        str | None, Field(max_length=20, description="Of the text; kept, and no more", examples=["text"])
    ] = None
    attachment: Annotated[
        list[Attachment] | None, Field(max_length=MAX_ATTACHMENTS, description="Kept and told, and no more")
    ] = None
    skippable: Annotated[bool | None, Field(description="Whether it may be passed over", examples=[True])] = None
    duration: Annotated[int | None, Field(ge=0, le=2**31, description="Seconds, for pages", examples=[0])] = None
    once: Annotated[bool | None, Field(description="Whether the first answer stands", examples=[False])] = None
    negative: Annotated[bool | None, Field(description="Whether a wrong one costs points", examples=[False])] = None
    weight: Weight | None = None
    answer_min_len: Length | None = None
    answer_max_len: Length | None = None
    answer: RightAnswer | None = None
    options: Annotated[
        list[Option] | None, Field(max_length=MAX_OPTIONS, description="To choose from; 1 to 50, where one chooses")
    ] = None


Title = Annotated[str, Field(max_length=200, description="At most 200 characters", examples=["Lunch"])]


class PollBody(Body):
    """The whole of a poll."""

    title: Title = ""
    duration: Annotated[
        int, Field(ge=0, le=MAX_DURATION, description="Seconds that it runs; 0 until it is stopped", examples=[60])
    ] = 0
    anonymous: Annotated[bool, Field(description="Whether no names are kept", examples=[False])] = False
    mode: Annotated[
        Literal["userid", "peerid", "username"],
        Field(description="By what pages say a person is known; a vote belongs to its owner", examples=["userid"]),
    ] = "userid"
    type: Annotated[Literal["poll", "quiz"], Field(description="What it is", examples=["poll"])] = "poll"
    start: Annotated[
        Literal["auto", "manual"],
        Field(description="Whether it runs from the session's beginning, or somebody starts it", examples=["auto"]),
    ] = "auto"
    questions: Annotated[list[Question], Field(max_length=MAX_QUESTIONS, description="At most 50")] = []


class PollAnswered(PollBody):
    """A poll."""

    model_config = ConfigDict(json_schema_extra=None)

    id: PollId


# --- Polls --------------------------------------------------------------------------------------


@router.get("", **answers(PageOf[PollAnswered]), exclude_none=True)
def list_polls(request: HttpRequest, query: Query[PageQuery]) -> Any:
    """Prepared polls, newest first."""
    return page(PreparedPoll.objects.all(), query, shown)


@router.post("", **answers(PollAnswered), exclude_none=True)
def create_poll(request: HttpRequest, payload: PollBody) -> Any:
    """Prepare a poll. Each session that begins in a room that names it in `polls` gets it."""
    fields = _fields(payload)
    with transaction.atomic():
        poll = PreparedPoll.objects.create(**fields)
        record(author(request), "poll.prepare", key=poll.pk)
    return shown(poll)


@router.get("/{poll_id}", **answers(PollAnswered, 404), exclude_none=True)
def get_poll(request: HttpRequest, poll_id: str) -> Any:
    """One poll: a prepared one, or one of a live session."""
    poll = PreparedPoll.objects.filter(pk=poll_id).first() or runs(poll_id).order_by("-pk").first()
    if poll is None:
        raise NotFound("poll: no such poll")
    return shown(poll)


@router.post("/{poll_id}", **answers(PollAnswered, 404), exclude_none=True)
def update_poll(request: HttpRequest, poll_id: str, payload: PollBody) -> Any:
    """Replace all of a prepared poll. Sessions that have begun keep it as it was."""
    fields = _fields(payload)
    with _changed(request, poll_id) as poll:
        for name, value in fields.items():
            setattr(poll, name, value)
    return shown(poll)


@router.delete("/{poll_id}", **answers(None, 404, status=204))
def delete_poll(request: HttpRequest, poll_id: str) -> Any:
    """Delete a prepared poll. Rooms name it no longer; sessions that have begun keep it."""
    delete_prepared(poll_id, author=author(request))
    return Status(204, None)


# --- Questions and options ----------------------------------------------------------------------

QUESTION = "/{poll_id}/questions/{question_id}"
OPTION = f"{QUESTION}/options/{{option_id}}"


@router.post(QUESTION, **answers(Question, 404), exclude_none=True)
def update_question(request: HttpRequest, poll_id: str, question_id: int, payload: Question) -> Any:
    """Replace a question, by its place from 1."""
    with _changed(request, poll_id) as poll:
        _at(poll.questions, question_id, "question")
        poll.questions[question_id - 1] = _item({**payload.dict(exclude_none=True), "index": question_id})
        poll.questions = check_questions(poll.questions)
    return _flat(poll.questions[question_id - 1])


@router.delete(QUESTION, **answers(None, 404, status=204))
def delete_question(request: HttpRequest, poll_id: str, question_id: int) -> Any:
    """Take a question away; those after it move up."""
    with _changed(request, poll_id) as poll:
        _at(poll.questions, question_id, "question")
        del poll.questions[question_id - 1]
        for place, item in enumerate(poll.questions, 1):
            item["question"]["index"] = place
    return Status(204, None)


@router.post(OPTION, **answers(Option, 404), exclude_none=True)
def update_option(request: HttpRequest, poll_id: str, question_id: int, option_id: int, payload: Option) -> Any:
    """Replace an option, by its place from 1."""
    with _changed(request, poll_id) as poll:
        item = _at(poll.questions, question_id, "question")
        _at(item["options"], option_id, "option")
        item["options"][option_id - 1] = payload.dict(exclude_none=True) | {"index": option_id}
        poll.questions = check_questions(poll.questions)
    return item["options"][option_id - 1]


@router.delete(OPTION, **answers(None, 404, status=204))
def delete_option(request: HttpRequest, poll_id: str, question_id: int, option_id: int) -> Any:
    """Take an option away; those after it move up, and the right answer with them. A question keeps one."""
    with _changed(request, poll_id) as poll:
        item = _at(poll.questions, question_id, "question")
        _at(item["options"], option_id, "option")
        del item["options"][option_id - 1]
        for place, option in enumerate(item["options"], 1):
            option["index"] = place
        item["answer"] = _without(item["answer"], option_id)
        poll.questions = check_questions(poll.questions)
    return Status(204, None)


def _without(answer: Mapping[str, Any], option: int) -> dict[str, Any]:
    """A right answer after an option is gone."""
    kept = {name: value for name, value in answer.items() if name not in ("option", "options")}
    if "options" in answer:
        kept["options"] = [one - (one > option) for one in answer["options"] if one != option]
    if answer.get("option", option) != option:
        kept["option"] = answer["option"] - (answer["option"] > option)
    return kept


# --- Shared -------------------------------------------------------------------------------------


@contextmanager
def _changed(request: HttpRequest, poll_id: str) -> Iterator[PreparedPoll]:
    """A prepared poll that nobody else changes meanwhile, saved at the end. Raises NotFound."""
    with transaction.atomic():
        poll = PreparedPoll.objects.select_for_update().filter(pk=poll_id).first()
        if poll is None:
            raise NotFound("poll: no such poll")
        before = deepcopy(shown(poll))
        yield poll
        check_size([poll.questions], "questions")
        if shown(poll) != before:
            poll.save()
            record(author(request), "poll.prepare", key=poll_id)


def _fields(payload: PollBody) -> dict[str, Any]:
    given = payload.dict(exclude_none=True)
    is_quiz, starts_by_itself = given.pop("type") == "quiz", given.pop("start") == "auto"
    questions = check_questions([_item(question) for question in given.pop("questions")])
    return {**given, "is_quiz": is_quiz, "starts_by_itself": starts_by_itself, "questions": questions}


def _item(question: Mapping[str, Any]) -> Any:
    """A question as it is stored and as sockets are told it."""
    fields = {name: value for name, value in question.items() if name not in ("options", "answer")}
    return {"question": fields, "options": question.get("options", []), "answer": question.get("answer", {})}


def _flat(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item["question"], "options": item["options"], "answer": item["answer"]}


def _at(items: list[Any], place: int, what: str) -> Any:
    if not 1 <= place <= len(items):
        raise NotFound(f"{what}: no such {what}")
    return items[place - 1]


def shown(poll: PreparedPoll | Poll) -> dict[str, Any]:
    return {
        "id": poll.pk if isinstance(poll, PreparedPoll) else poll.poll_id,
        **{name: getattr(poll, name) for name in ("title", "duration", "anonymous", "mode")},
        "type": "quiz" if poll.is_quiz else "poll",
        "start": "auto" if isinstance(poll, PreparedPoll) and poll.starts_by_itself else "manual",
        "questions": [_flat(item) for item in poll.questions],
    }
