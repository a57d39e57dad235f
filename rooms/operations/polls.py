"""Polls and quizzes: making, starting, stopping and listing them.

A poll is a draft until it is started; then it can be answered until it is stopped or its duration is over. Answers are
in poll_answers, the form of questions in poll_questions.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any

from django.db import connection

from rooms.models import Poll, PreparedPoll, Session, milliseconds
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.poll_questions import MAX_DURATION, MAX_QUESTIONS, QuestionItem, check_questions, is_hidden
from rooms.wire.errors import BadRequest, NotFound, TooLarge
from rooms.wire.events import EVERYBODY, NOBODY, Audience, Event, compact, size_of
from rooms.wire.json_gate import JSON
from rooms.wire.names import shows
from rooms.wire.parameters import Between, Chars, Items, Number, OneOf, RoleName
from rooms.wire.results import Outcome
from rooms.wire.roles import Role

log = logging.getLogger("rooms.operations")

MAX_POLLS = 100
MAX_POLLS_BYTES = 1024 * 1024
"""Of the questions of all polls of a session."""
PAGE = 50
"""Of everything that comes in pages here: so many clients ask for."""

PollId = Annotated[str, Chars(1, 64)]
RoleNames = Annotated[list[RoleName], Items(50)]


# --- Who may see what ---------------------------------------------------------------------------


def reads(role: Role) -> bool:
    return role.allows("pollRead") or role.allows("pollWrite")


def writes(context: Context) -> bool:
    return context.caller.is_server or context.role.allows("pollWrite")


def require_reader(context: Context) -> None:
    if not context.caller.is_server and not reads(context.role):
        context.require("pollRead")


def sees_answers(context: Context, poll: Poll) -> bool:
    """Whether the caller may know what others answered."""
    return context.caller.is_server or not poll.viewers or context.role.name in poll.viewers


def visible_poll(context: Context, poll_id: str, *, field: str = "poll_id") -> Poll:
    """A poll that the caller may see. Raises Forbidden, or NotFound also for a draft of others."""
    require_reader(context)
    poll = Poll.objects.filter(session_id=context.session.id, poll_id=poll_id).first()
    if poll is None or (poll.state == Poll.State.CREATED and not poll.visibility and not writes(context)):
        raise NotFound(f"{field}: no such poll")
    return poll


def told(context: Context, *, answers_of: Poll | None = None) -> Audience:
    """All who may see polls; with answers_of, those who may see what was answered in that one."""
    template = context.room.template
    known = [role for name in template.usable_roles if (role := template.role(name))]
    names = [
        role.name
        for role in known
        if reads(role) and (not answers_of or not answers_of.viewers or role.name in answers_of.viewers)
    ]
    if not names:
        return NOBODY
    # An audience of everybody is told without a look at each peer's role.
    return EVERYBODY if len(names) == len(known) else Audience(roles=tuple(names))


# --- Making a poll ------------------------------------------------------------------------------


@operation("poll-info-set", requires="pollWrite")
def set_poll_info(
    context: Context,
    *,
    title: Annotated[str, Chars(1, 200)],
    poll_id: Annotated[str, Chars(0, 64)] | None = None,
    type: Annotated[str, OneOf(("poll", "quiz"))] | None = "poll",
    duration: Annotated[int, Between(0, MAX_DURATION)] | None = 0,
    anonymous: bool | None = False,
    visibility: bool | None = False,
    mode: Annotated[str, OneOf(tuple(Poll.Mode.values))] | None = None,
    vote: RoleNames | None = None,
    responses: RoleNames | None = None,
) -> Outcome:
    """Make a draft, or change one that was not started.

    ``duration`` is in seconds, 0 until somebody stops it. ``anonymous`` keeps no names. ``visibility`` shows the draft
    to all who may see polls. ``mode`` says by what a person is known: userid, peerid or username. ``vote`` are the
    roles that may answer, ``responses`` those that may see what others answer; none stands for all.
    """
    if not shows(title):
        raise BadRequest("title: empty")
    for field_name, names in (("vote", vote), ("responses", responses)):
        for place, name in enumerate(names or ()):
            if context.room.template.role(name) is None:
                raise NotFound(f"{field_name}[{place}]: no such role")
    fields = {
        "title": title,
        "is_quiz": type == "quiz",
        "duration": duration or 0,
        "anonymous": bool(anonymous),
        "visibility": bool(visibility),
        "mode": mode or Poll.Mode.USER_ID,
        "voters": vote or [],
        "viewers": responses or [],
    }
    poll_id = poll_id or str(uuid.uuid4())
    poll = Poll.objects.filter(session_id=context.session.id, poll_id=poll_id).first()
    if poll is None:
        if Poll.objects.filter(session_id=context.session.id).count() >= MAX_POLLS:
            raise TooLarge(f"poll_id: the session has {MAX_POLLS} polls")
        made = {"created_by": context.actor, "created_at": context.now}
        Poll.objects.create(session=context.session, poll_id=poll_id, **fields, **made)
    else:
        _require_draft(poll)
        # Not save(), which would write its questions again, and they may be long.
        Poll.objects.filter(pk=poll.pk).update(**fields)
    context.audit_act("poll.set", key=poll_id)
    return Outcome({"poll_id": poll_id})


@operation("poll-questions-set", requires="pollWrite")
def set_poll_questions(
    context: Context, *, poll_id: PollId, questions: Annotated[list[QuestionItem], Items(MAX_QUESTIONS)]
) -> Outcome:
    """Give a draft these questions instead of those that it has."""
    poll = visible_poll(context, poll_id)
    _require_draft(poll)
    poll.questions = check_questions(questions)
    # Added up anew each time: drafts change, and there are a hundred polls at most.
    others = Poll.objects.filter(session_id=context.session.id).exclude(pk=poll.pk).values_list("questions", flat=True)
    check_size([poll.questions, *others], "questions")
    poll.save(update_fields=["questions"])
    context.audit_act("poll.set", key=poll_id)
    return Outcome({"poll_id": poll_id, "total_questions": len(poll.questions)})


def check_size(questions_of_polls: Iterable[JSON], field: str) -> None:
    """Raises TooLarge if a session cannot have polls of all these questions."""
    if sum(map(_size, questions_of_polls)) > MAX_POLLS_BYTES:
        raise TooLarge(f"{field}: the questions of all polls would take more than {MAX_POLLS_BYTES} bytes")


def _size(questions: JSON) -> int:
    return size_of(compact(questions))


def _require_draft(poll: Poll) -> None:
    if poll.state != Poll.State.CREATED:
        raise BadRequest("poll_id: the poll was started and cannot be changed")


# --- Running it ---------------------------------------------------------------------------------


@operation("poll-start", requires="pollWrite")
def start_poll(context: Context, *, poll_id: PollId) -> Outcome:
    """Let a poll be answered, and tell all who may see polls. Starting a running poll changes nothing."""
    poll = visible_poll(context, poll_id)
    result = {"poll_id": poll_id, "duration": poll.duration}
    if poll.state == Poll.State.STARTED:
        return Outcome(result)
    # One that was stopped stays so: its right answers have been told.
    _require_draft(poll)
    if not poll.questions:
        raise BadRequest("poll_id: the poll has no questions")
    _start(context, poll, by=context.actor)
    poll.save()
    context.audit_act("poll.start", key=poll_id)
    return Outcome(result, [_news(context, "on-poll-start", [poll])])


def take_prepared(context: Context, session: Session) -> list[Event]:
    """Give a session that begins the polls that are linked with its room; those that start by themselves run."""
    if not context.room.polls:
        return []
    prepared = _held(context.room.polls)
    events, left = [], MAX_POLLS_BYTES
    # Those that are deleted are passed over, and stay in the room's list, which may name one twice.
    for made in (prepared[poll_id] for poll_id in dict.fromkeys(context.room.polls) if poll_id in prepared):
        if (size := _size(made.questions)) > left:
            # It has grown since the room was linked with it.
            log.warning("a prepared poll is too long", extra={"context": {"room": context.room.id, "poll": made.id}})
            continue
        left -= size
        fields = {name: getattr(made, name) for name in _PREPARED}
        poll = Poll(session=session, poll_id=made.id, prepared=made, created_at=context.now, **fields)
        if made.starts_by_itself and made.questions:
            _start(context, poll)
            events.append(_news(context, "on-poll-start", [poll]))
        # Its session's row comes at the end of the transaction, until which foreign keys wait.
        poll.save()
    return events


def _held(poll_ids: list[str]) -> dict[str, PreparedPoll]:
    """Prepared polls by id, which nobody deletes until the transaction ends."""
    if connection.vendor == "sqlite":
        return PreparedPoll.objects.in_bulk(poll_ids)
    # A share, for others may begin with the same ones.
    statement = "SELECT * FROM rooms_preparedpoll WHERE id = ANY(%s) FOR KEY SHARE"
    return {poll.id: poll for poll in PreparedPoll.objects.raw(statement, [poll_ids])}


_PREPARED = ("title", "is_quiz", "duration", "anonymous", "mode", "questions")
"""What a poll of a session takes from one that was prepared."""


def _start(context: Context, poll: Poll, *, by: str = "") -> None:
    poll.state, poll.started_by, poll.started_at = Poll.State.STARTED, by, context.now
    if poll.duration:
        poll.ends_at = context.now + timedelta(seconds=poll.duration)
    poll.max_users = context.work.head_count(poll.session)
    poll.tally = [
        {"options": [0] * len(item["options"]), "correct": 0, "skipped": 0, "total": 0} for item in poll.questions
    ]


@operation("poll-stop", requires="pollWrite")
def stop_poll(context: Context, *, poll_id: PollId) -> Outcome:
    """Take no more answers, and tell all who may see polls. Stopping a stopped poll changes nothing."""
    poll = visible_poll(context, poll_id)
    result = {"poll_id": poll_id, "duration": poll.duration}
    if poll.state == Poll.State.STOPPED:
        return Outcome(result)
    if poll.state == Poll.State.CREATED:
        raise BadRequest("poll_id: the poll was not started")
    _stop(context, poll)
    context.audit_act("poll.stop", key=poll_id)
    return Outcome(result, [_news(context, "on-poll-stop", [poll])])


@operation()
def stop_overdue_polls(context: Context) -> Outcome:
    """Stop the polls whose duration is over."""
    if context.live_session is None:
        return Outcome()
    running = Poll.objects.filter(session_id=context.session.id, state=Poll.State.STARTED)
    overdue = list(running.filter(ends_at__lte=context.now).order_by("pk"))
    for poll in overdue:
        _stop(context, poll)
    return Outcome({}, [_news(context, "on-poll-stop", overdue)] if overdue else [])


def rooms_with_overdue_polls(now: datetime) -> list[str]:
    """Ids of the rooms for which stop_overdue_polls has something to do."""
    overdue = Poll.objects.filter(state=Poll.State.STARTED, ends_at__lte=now)
    return list(overdue.values_list("session__room_id", flat=True).distinct())


def _stop(context: Context, poll: Poll) -> None:
    poll.state, poll.stopped_by, poll.stopped_at = Poll.State.STOPPED, context.actor, context.now
    poll.max_users = max(poll.max_users, context.work.head_count(context.session))
    poll.save(update_fields=["state", "stopped_by", "stopped_at", "max_users"])


def _news(context: Context, kind: str, polls: list[Poll]) -> Event:
    return Event(kind, compact({"polls": [info(poll) for poll in polls]}), told(context))


# --- Reading it ---------------------------------------------------------------------------------


@operation("poll-info-get", reads=True)
def get_poll_info(context: Context, *, poll_id: PollId) -> Outcome:
    """What a poll is, without its questions."""
    return Outcome(info(visible_poll(context, poll_id)))


@operation("poll-questions-get", reads=True)
def get_poll_questions(
    context: Context, *, poll_id: PollId, index: Number | None = 0, count: Number | None = PAGE
) -> Outcome:
    """Questions of a poll, count of them after the first index.

    A right answer that is hidden is shown only to those who may make polls, until the poll is stopped.
    """
    poll = visible_poll(context, poll_id)
    page = window(index, count)
    shown = questions_shown(context, poll)[page]
    return Outcome({"poll_id": poll_id, "questions": shown, "last": page.stop >= len(poll.questions)})


def questions_shown(context: Context, poll: Poll) -> list[dict[str, Any]]:
    """The questions of a poll as the caller may see them."""
    reveals = poll.state == Poll.State.STOPPED or writes(context)
    return [item if reveals or not is_hidden(item) else {**item, "answer": {"hidden": True}} for item in poll.questions]


def window(index: int | None, count: int | None) -> slice:
    """The part of a list that a client asks for."""
    start = max(index or 0, 0)
    return slice(start, start + min(max(count or PAGE, 1), 100))


def info(poll: Poll, *, asked: int | None = None) -> dict[str, Any]:
    """The protocol's poll object; ``asked`` is the number of its questions, if they were not read."""
    wire: dict[str, Any] = {
        "poll_id": poll.poll_id,
        "title": poll.title,
        "type": "quiz" if poll.is_quiz else "poll",
        "duration": poll.duration,
        "anonymous": poll.anonymous,
        "visibility": poll.visibility,
        "locked": poll.state != Poll.State.CREATED,
        "mode": str(poll.mode),
        "vote": poll.voters,
        "responses": poll.viewers,
        "state": str(poll.state),
        "questions_count": len(poll.questions) if asked is None else asked,
        "created_by": poll.created_by,
        "created_at": milliseconds(poll.created_at),
    }
    if poll.started_at:
        wire |= {"started_by": poll.started_by, "started_at": milliseconds(poll.started_at)}
    if poll.stopped_at:
        wire |= {"stopped_by": poll.stopped_by, "stopped_at": milliseconds(poll.stopped_at)}
    return wire
