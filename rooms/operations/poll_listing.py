"""The polls of a session, as a list or with all that belongs to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from django.db import connection
from django.db.models import Func, IntegerField, Q

from rooms.models import Poll
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.poll_answers import answer_shown, own_answers, result_shown, votes
from rooms.operations.polls import (
    PAGE,
    info,
    questions_shown,
    reads,
    require_reader,
    sees_answers,
    visible_poll,
    window,
    writes,
)
from rooms.wire.events import compact, size_of
from rooms.wire.parameters import Chars, Number, OneOf
from rooms.wire.results import Outcome

MAX_FULL_BYTES = 256 * 1024
"""A page of polls with all that belongs to them ends when it is so long."""


@operation("poll-list", reads=True)
def list_polls(
    context: Context,
    *,
    state: Annotated[str, OneOf(tuple(Poll.State.values))] | None = None,
    count: Number | None = PAGE,
    start: Annotated[str, Chars(0, 64)] | None = None,
    full: bool | None = False,
) -> Outcome:
    """Polls in the order of their making, of one state or all; start is the ``last`` of the page before.

    With full, each has besides ``questions`` and ``result``, as the calls for these answer, and ``own_responses``.
    """
    require_reader(context)
    polls = Poll.objects.filter(session_id=context.session.id).order_by("pk")
    if state:
        polls = polls.filter(state=state)
    if not writes(context):
        polls = polls.exclude(state=Poll.State.CREATED, visibility=False)
    if start:
        polls = polls.filter(pk__gt=visible_poll(context, start, field="start").pk)
    size = window(0, count).stop
    # One more than the page holds, to see whether it is the last.
    found = list(polls.annotate(asked=_number_of_questions()).defer("questions", "tally")[: size + 1])
    page = _full(context, found[:size]) if full else [info(poll, asked=poll.asked) for poll in found[:size]]
    return Outcome({"polls": page, "last": page[-1]["poll_id"] if len(page) < len(found) else ""})


def _number_of_questions() -> Func:
    # Counted there, for a hundred polls may hold megabytes of questions.
    length = "jsonb_array_length" if connection.vendor == "postgresql" else "json_array_length"
    return Func("questions", function=length, output_field=IntegerField())


def _full(context: Context, polls: Sequence[Poll]) -> list[dict[str, Any]]:
    """The first of these polls, one at least, with all that the caller may see."""
    page: list[dict[str, Any]] = []
    size = 0
    for listed in polls:
        poll = Poll.objects.get(pk=listed.pk)  # no more of them than the page takes
        whole = {
            **info(poll),
            "questions": questions_shown(context, poll),
            "result": result_shown(context, poll),
            "own_responses": _own(context, poll),
        }
        size += size_of(compact(whole))
        # One poll at least, or who asks page by page would never get past a long one.
        if page and size > MAX_FULL_BYTES:
            break
        page.append(whole)
    return page


def poll_news(context: Context, since: datetime | None) -> list[tuple[str, dict[str, Any]]]:
    """What a peer that was away since then, or may hold anything, was not told of polls, as ``(method, params)``.

    Each poll by itself: the published SDK passes over what follows a poll that it knows.
    """
    if not reads(context.role):
        return []
    polls = Poll.objects.filter(session_id=context.session.id).exclude(state=Poll.State.CREATED)
    if since:
        polls = polls.filter(Q(state=Poll.State.STARTED) | Q(stopped_at__gte=since))
    news: list[tuple[str, dict[str, Any]]] = []
    for poll in polls.annotate(asked=_number_of_questions()).defer("questions").order_by("pk"):
        if poll.stopped_at:
            news.append(("on-poll-stop", info(poll, asked=poll.asked)))
            continue
        if since is None or (poll.started_at and poll.started_at >= since):
            news.append(("on-poll-start", info(poll, asked=poll.asked)))
        if poll.users and sees_answers(context, poll):
            news.append(("on-poll-stats", votes(poll)))
    return [(method, {"polls": [told]}) for method, told in news]


def _own(context: Context, poll: Poll) -> list[dict[str, Any]]:
    if context.caller.is_server:
        return []
    return [answer_shown(poll, answer, context.peer) for answer in own_answers(poll, context.peer)]
