"""``/v2/polls``: polls that sessions of linked rooms begin with, and what was answered to polls of live sessions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status

from rooms.api.rest.frame import Body, answers, author
from rooms.api.rest.pages import Filters, PageOf, PageQuery, page, whole_number
from rooms.api.rest.shapes import Moment
from rooms.models import Poll, PollAnswer, PreparedPoll
from rooms.operations.engine.audit import record
from rooms.operations.poll_questions import MAX_DURATION, MAX_OPTIONS, MAX_QUESTIONS, MAX_TEXT_CHARS, check_questions
from rooms.wire.errors import NotFound

router = Router(tags=["Polls"])

Row = TypeVar("Row", bound=Model)

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
PollId = Annotated[str, Field(description="24 hex digits", examples=["655bffeecd34739a72637305"])]


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

    id: PollId


class Run(Schema):
    """A poll in a live session."""

    id: Annotated[str, Field(description="Of the poll in this session", examples=["17"])]
    poll_id: PollId
    session_id: Annotated[str, Field(description="Id of the session", examples=["66f1a1b2c3d4e5f601234567"])]
    started_at: Moment
    stopped_at: Annotated[Moment | None, Field(description="null while it runs")]
    total_responses: Annotated[int, Field(description="Answers to its questions", examples=[40])]
    unique_participants: Annotated[int, Field(description="Who answered", examples=[20])]


class ResponseHead(Schema):
    id: Annotated[str, Field(description="Id of the answer", examples=["203"])]
    poll_id: PollId
    session_id: Annotated[str, Field(description="Id of the session", examples=["66f1a1b2c3d4e5f601234567"])]
    question: Annotated[int, Field(description="Index of the question, from 1", examples=[1])]
    duration: Annotated[int, Field(description="Milliseconds from the poll's start to the answer", examples=[5000])]
    peer_id: Annotated[str, Field(description="Who answered; empty if anonymous", examples=["3f1c0a7e"])]
    user_id: Annotated[str, Field(description="As the token says; empty if anonymous", examples=["alice-1"])]


class ResponseAnswer(ResponseHead):
    """What somebody answered to a question, as it stands."""

    skipped: Annotated[bool, Field(description="Whether it was passed over", examples=[False])]
    text: Annotated[str, Field(description="The words, if one writes", examples=[""])]
    options: Annotated[list[int], Field(description="Indexes of the options, if one chooses", examples=[[2]])]
    update: Annotated[bool, Field(description="Whether it was changed", examples=[False])]
    original_response: Annotated[str, Field(description="Always empty: only the last is kept", examples=[""])] = ""
    retries: Annotated[int, Field(description="Always 0", examples=[0])] = 0
    sent_at: Moment


class ResultAnswer(ResponseHead):
    """What somebody has got for an answer."""

    score: Annotated[float, Field(description="Points", examples=[1])]


class RunPage(Schema):
    limit: Annotated[int, Field(description="How many at most", examples=[10])]
    responses: Annotated[list[Run], Field(description="The oldest first")]
    last: Annotated[str, Field(description="`start` of the next page; empty at the end", examples=[""])]


class ResponsePage(RunPage):
    responses: Annotated[list[ResponseAnswer], Field(description="The oldest first")]  # type: ignore[assignment]


class ResultPage(RunPage):
    responses: Annotated[list[ResultAnswer], Field(description="The oldest first")]  # type: ignore[assignment]


class RunsQuery(Filters):
    limit: Annotated[int, Field(ge=1, le=100, description="How many at most, 1 to 100", examples=[10])] = 10
    start: Annotated[str, Field(max_length=24, description="`last` of the page before", examples=[""])] = ""


class AnswersQuery(RunsQuery):
    question: Annotated[int, Field(ge=0, le=MAX_QUESTIONS, description="Of this question; 0 is any", examples=[1])] = 0
    session_id: Annotated[
        str, Field(max_length=24, description="Of this session; none is any", examples=["66f1a1b2c3d4e5f601234567"])
    ] = ""


class ResponsesQuery(AnswersQuery):
    all: Annotated[
        bool, Field(description="Changes nothing: what was answered before is not kept", examples=[False])
    ] = False


# --- Polls --------------------------------------------------------------------------------------


@router.get("", response=answers(PageOf[PollAnswered]), exclude_none=True)
def list_polls(request: HttpRequest, query: Query[PageQuery]) -> Any:
    """Prepared polls, newest first."""
    return page(PreparedPoll.objects.all(), query, shown)


@router.post("", response=answers(PollAnswered), exclude_none=True)
def create_poll(request: HttpRequest, payload: PollBody) -> Any:
    """Prepare a poll. Each session that begins in a room that names it in `polls` gets it."""
    fields = _fields(payload)
    with transaction.atomic():
        poll = PreparedPoll.objects.create(**fields)
        record(author(request), "poll.prepare", key=poll.pk)
    return shown(poll)


@router.get("/{poll_id}", response=answers(PollAnswered, 404), exclude_none=True)
def get_poll(request: HttpRequest, poll_id: str) -> Any:
    """One poll: a prepared one, or one of a live session."""
    poll = PreparedPoll.objects.filter(pk=poll_id).first() or _runs(poll_id).order_by("-pk").first()
    if poll is None:
        raise NotFound("poll: no such poll")
    return shown(poll)


@router.post("/{poll_id}", response=answers(PollAnswered, 404), exclude_none=True)
def update_poll(request: HttpRequest, poll_id: str, payload: PollBody) -> Any:
    """Replace all of a prepared poll. Sessions that have begun keep it as it was."""
    fields = _fields(payload)
    with _changed(request, poll_id) as poll:
        for name, value in fields.items():
            setattr(poll, name, value)
    return shown(poll)


@router.delete("/{poll_id}", response=answers(None, 404, status=204))
def delete_poll(request: HttpRequest, poll_id: str) -> Any:
    """Delete a prepared poll. Sessions that have begun keep it."""
    with transaction.atomic():
        deleted, _ = PreparedPoll.objects.filter(pk=poll_id).delete()
        if not deleted:
            raise NotFound("poll: no such poll")
        record(author(request), "poll.delete", key=poll_id)
    return Status(204, None)


# --- Questions and options ----------------------------------------------------------------------

QUESTION = "/{poll_id}/questions/{question_id}"
OPTION = f"{QUESTION}/options/{{option_id}}"


@router.post(QUESTION, response=answers(Question, 404), exclude_none=True)
def update_question(request: HttpRequest, poll_id: str, question_id: int, payload: Question) -> Any:
    """Replace a question, by its place from 1."""
    with _changed(request, poll_id) as poll:
        _at(poll.questions, question_id, "question")
        poll.questions[question_id - 1] = _item({**payload.dict(exclude_none=True), "index": question_id})
        poll.questions = check_questions(poll.questions)
    return _flat(poll.questions[question_id - 1])


@router.delete(QUESTION, response=answers(None, 404, status=204))
def delete_question(request: HttpRequest, poll_id: str, question_id: int) -> Any:
    """Take a question away; those after it move up."""
    with _changed(request, poll_id) as poll:
        _at(poll.questions, question_id, "question")
        del poll.questions[question_id - 1]
        for place, item in enumerate(poll.questions, 1):
            item["question"]["index"] = place
    return Status(204, None)


@router.post(OPTION, response=answers(Option, 404), exclude_none=True)
def update_option(request: HttpRequest, poll_id: str, question_id: int, option_id: int, payload: Option) -> Any:
    """Replace an option, by its place from 1."""
    with _changed(request, poll_id) as poll:
        item = _at(poll.questions, question_id, "question")
        _at(item["options"], option_id, "option")
        item["options"][option_id - 1] = payload.dict(exclude_none=True) | {"index": option_id}
        poll.questions = check_questions(poll.questions)
    return item["options"][option_id - 1]


@router.delete(OPTION, response=answers(None, 404, status=204))
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


# --- What was answered --------------------------------------------------------------------------


@router.get("/{poll_id}/sessions", response=answers(RunPage, 404))
def get_poll_sessions(request: HttpRequest, poll_id: str, query: Query[RunsQuery]) -> Any:
    """The live sessions in which the poll was started."""
    return _page(_started(poll_id), query, _shown_run)


@router.get("/{poll_id}/responses", response=answers(ResponsePage, 404))
def get_poll_responses(request: HttpRequest, poll_id: str, query: Query[ResponsesQuery]) -> Any:
    """What was answered, in live sessions: it ends with the session."""
    return _page(_answers(poll_id, query), query, _shown_response)


@router.get("/{poll_id}/responses/{response_id}", response=answers(ResponseAnswer, 404))
def get_poll_response(request: HttpRequest, poll_id: str, response_id: str) -> Any:
    """One answer."""
    return _shown_response(_answer(poll_id, response_id))


@router.get("/{poll_id}/results", response=answers(ResultPage, 404))
def get_poll_results(request: HttpRequest, poll_id: str, query: Query[AnswersQuery]) -> Any:
    """What was got for each answer, in live sessions: it ends with the session."""
    return _page(_answers(poll_id, query), query, _shown_result)


@router.get("/{poll_id}/results/{result_id}", response=answers(ResultAnswer, 404))
def get_poll_result(request: HttpRequest, poll_id: str, result_id: str) -> Any:
    """What was got for one answer."""
    return _shown_result(_answer(poll_id, result_id))


# --- Shared -------------------------------------------------------------------------------------


@contextmanager
def _changed(request: HttpRequest, poll_id: str) -> Iterator[PreparedPoll]:
    """A prepared poll that nobody else changes meanwhile, saved at the end. Raises NotFound."""
    with transaction.atomic():
        poll = PreparedPoll.objects.select_for_update().filter(pk=poll_id).first()
        if poll is None:
            raise NotFound("poll: no such poll")
        yield poll
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


def _runs(poll_id: str) -> QuerySet[Poll]:
    """A poll in live sessions, for it ends with them."""
    if PreparedPoll.objects.filter(pk=poll_id).exists():
        # Not by its id: whoever may make polls can give one of another room the same.
        return Poll.objects.filter(prepared=poll_id)
    return Poll.objects.filter(poll_id=poll_id)


def _started(poll_id: str) -> QuerySet[Poll]:
    runs = _runs(poll_id)
    if not (runs.exists() or PreparedPoll.objects.filter(pk=poll_id).exists()):
        raise NotFound("poll: no such poll")
    return runs.exclude(state=Poll.State.CREATED)


def _answers(poll_id: str, query: AnswersQuery) -> QuerySet[PollAnswer]:
    answered = PollAnswer.objects.filter(poll__in=_started(poll_id)).select_related("poll")
    if query.question:
        answered = answered.filter(question=query.question)
    if query.session_id:
        answered = answered.filter(poll__session=query.session_id)
    return answered


def _answer(poll_id: str, answer_id: str) -> PollAnswer:
    answered = PollAnswer.objects.filter(poll__in=_started(poll_id), pk=whole_number(answer_id)).select_related("poll")
    if (found := answered.first()) is None:
        raise NotFound("id: no such response")
    return found


def _page(rows: QuerySet[Row], query: RunsQuery, shown: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
    if query.start:
        rows = rows.filter(pk__gt=whole_number(query.start))
    found = list(rows.order_by("pk")[: query.limit + 1])
    told = [shown(row) for row in found[: query.limit]]
    return {"limit": query.limit, "responses": told, "last": told[-1]["id"] if len(found) > query.limit else ""}


def _shown_run(poll: Poll) -> dict[str, Any]:
    return {
        "id": str(poll.pk),
        "poll_id": poll.poll_id,
        "session_id": poll.session_id,
        "started_at": poll.started_at,
        "stopped_at": poll.stopped_at,
        "total_responses": sum(tally["total"] + tally["skipped"] for tally in poll.tally),
        "unique_participants": poll.users,
    }


def _head(answer: PollAnswer) -> dict[str, Any]:
    return {
        "id": str(answer.pk),
        "poll_id": answer.poll.poll_id,
        "session_id": answer.poll.session_id,
        **{name: getattr(answer, name) for name in ("question", "duration", "peer_id", "user_id")},
    }


def _shown_response(answer: PollAnswer) -> dict[str, Any]:
    assert answer.poll.started_at
    return {
        **_head(answer),
        **{name: getattr(answer, name) for name in ("skipped", "text", "options")},
        "update": answer.updated,
        "sent_at": answer.poll.started_at + timedelta(milliseconds=answer.duration),
    }


def _shown_result(answer: PollAnswer) -> dict[str, Any]:
    return {**_head(answer), "score": answer.score}
