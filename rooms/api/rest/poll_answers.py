"""``/v2/polls/{poll_id}``: the live sessions that a poll was started in, what was answered and what was got for it."""

from datetime import timedelta
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms.api.rest.frame import answers
from rooms.api.rest.pages import PageQuery, page, whole_number
from rooms.api.rest.shapes import Moment
from rooms.models import Poll, PollAnswer, PreparedPoll
from rooms.operations.poll_questions import MAX_QUESTIONS
from rooms.wire.errors import NotFound

router = Router(tags=["Polls"])

# --- What can be asked for, and is told ---------------------------------------------------------

PollId = Annotated[str, Field(description="24 hex digits", examples=["655bffeecd34739a72637305"])]


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


class AnswersQuery(PageQuery):
    question: Annotated[int, Field(ge=0, le=MAX_QUESTIONS, description="Of this question; 0 is any", examples=[1])] = 0
    session_id: Annotated[
        str, Field(max_length=24, description="Of this session; none is any", examples=["66f1a1b2c3d4e5f601234567"])
    ] = ""


class ResponsesQuery(AnswersQuery):
    all: Annotated[
        bool, Field(description="Changes nothing: what was answered before is not kept", examples=[False])
    ] = False


OLDEST: dict[str, Any] = {"order": ("pk",), "name": "responses"}
"""How these lists differ from others."""

# --- What was answered --------------------------------------------------------------------------


@router.get("/{poll_id}/sessions", **answers(RunPage, 404))
def get_poll_sessions(request: HttpRequest, poll_id: str, query: Query[PageQuery]) -> Any:
    """The live sessions in which the poll was started."""
    return page(_started(poll_id).defer("questions"), query, _shown_run, **OLDEST)


@router.get("/{poll_id}/responses", **answers(ResponsePage, 404))
def get_poll_responses(request: HttpRequest, poll_id: str, query: Query[ResponsesQuery]) -> Any:
    """What was answered, in live sessions: it ends with the session."""
    return page(_answers(poll_id, query), query, _shown_response, **OLDEST)


@router.get("/{poll_id}/responses/{response_id}", **answers(ResponseAnswer, 404))
def get_poll_response(request: HttpRequest, poll_id: str, response_id: str) -> Any:
    """One answer."""
    return _shown_response(_answer(poll_id, response_id))


@router.get("/{poll_id}/results", **answers(ResultPage, 404))
def get_poll_results(request: HttpRequest, poll_id: str, query: Query[AnswersQuery]) -> Any:
    """What was got for each answer, in live sessions: it ends with the session."""
    return page(_answers(poll_id, query), query, _shown_result, **OLDEST)


@router.get("/{poll_id}/results/{result_id}", **answers(ResultAnswer, 404))
def get_poll_result(request: HttpRequest, poll_id: str, result_id: str) -> Any:
    """What was got for one answer."""
    return _shown_result(_answer(poll_id, result_id))


# --- Shared -------------------------------------------------------------------------------------


def runs(poll_id: str) -> QuerySet[Poll]:
    """A poll in live sessions, for it ends with them."""
    if PreparedPoll.objects.filter(pk=poll_id).exists():
        # Not by its id: whoever may make polls can give one of another room the same.
        return Poll.objects.filter(prepared=poll_id)
    return Poll.objects.filter(poll_id=poll_id)


def _started(poll_id: str) -> QuerySet[Poll]:
    found = runs(poll_id)
    if not (found.exists() or PreparedPoll.objects.filter(pk=poll_id).exists()):
        raise NotFound("poll: no such poll")
    return found.exclude(state=Poll.State.CREATED)


def _answers(poll_id: str, query: AnswersQuery) -> QuerySet[PollAnswer]:
    answered = _told(PollAnswer.objects.filter(poll__in=_started(poll_id)))
    if query.question:
        answered = answered.filter(question=query.question)
    if query.session_id:
        answered = answered.filter(poll__session=query.session_id)
    return answered


def _told(answered: QuerySet[PollAnswer]) -> QuerySet[PollAnswer]:
    """Answers with what is told of their polls, whose questions may be long and are the same for all."""
    return answered.select_related("poll").defer("poll__questions", "poll__tally", "poll__voters", "poll__viewers")


def _answer(poll_id: str, answer_id: str) -> PollAnswer:
    answered = _told(PollAnswer.objects.filter(poll__in=_started(poll_id), pk=whole_number(answer_id)))
    if (found := answered.first()) is None:
        raise NotFound("id: no such response")
    return found


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
