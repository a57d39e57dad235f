"""Answering polls and quizzes, and what comes of it: counts, single answers, the leaderboard.

A person may change an answer while the poll runs, unless the question says ``once``.
"""

from collections.abc import Iterable
from typing import Annotated, Any

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils.crypto import salted_hmac

from rooms.models import Peer, Poll, PollAnswer, milliseconds
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.poll_questions import (
    MAX_QUESTIONS,
    SINGLE,
    Given,
    Response,
    check_answer,
    is_correct,
    is_hidden,
    score,
)
from rooms.operations.polls import PAGE, PollId, sees_answers, told, visible_poll, window, writes
from rooms.wire.errors import BadRequest, Forbidden, TooLarge
from rooms.wire.events import Event, compact
from rooms.wire.parameters import Items, Number
from rooms.wire.results import Outcome

MAX_VOTERS = 5_000
"""Of one poll; they may have left since."""


@operation("poll-response", requires="pollRead")
def answer_poll(
    context: Context, *, poll_id: PollId, responses: Annotated[list[Response], Items(MAX_QUESTIONS)]
) -> Outcome:
    """Answer questions of a running poll; all of the answers count, or none if one is refused.

    Answers ``{result: [{question, correct}]}``, without ``correct`` where the right answer is still hidden.
    """
    poll = visible_poll(context, poll_id)
    given = [check_answer(poll.questions, response, f"responses[{place}]") for place, response in enumerate(responses)]
    if len({answer.question for answer in given}) < len(given):
        raise BadRequest("responses: two for one question")
    voter = _voter(poll, context.peer)
    held = {answer.question: answer for answer in PollAnswer.objects.filter(poll=poll, voter=voter)}
    # What is sent again as it stands is no change, so that a lost answer can be repeated: also to a question with once,
    # and when the poll is over.
    changes = [answer for answer in given if _differs(held.get(answer.question), answer)]
    if changes or not given:
        _check_open(context, poll)
    # Whoever has a vote already may still change it.
    if not held and poll.users >= MAX_VOTERS:
        raise TooLarge(f"poll_id: {poll.users} persons have answered, at most {MAX_VOTERS}")
    for answer in changes:
        if answer.question in held and poll.questions[answer.question - 1]["question"].get("once"):
            raise BadRequest(f"responses[{answer.question}]: the first answer stands")
    result = [_verdict(poll, answer) for answer in given]
    if not changes:
        return Outcome({"poll_id": poll_id, "result": result})
    for answer in changes:
        _keep(context, poll, voter, answer, held.get(answer.question))
    poll.users += not held
    poll.max_users = max(poll.max_users, context.work.head_count(context.session))
    poll.save(update_fields=["tally", "users", "max_users"])
    stats = Event("on-poll-stats", compact({"polls": [counts(poll)]}), told(context, answers_of=poll))
    return Outcome({"poll_id": poll_id, "result": result}, [stats, *_told_elsewhere(context, poll)])


def _told_elsewhere(context: Context, poll: Poll) -> list[Event]:
    """The news for the other peers of whoever answers that there is an answer; not which, for the journal keeps it."""
    body = compact({"poll_id": poll.poll_id})
    own = context.work.peers_of(context.session, context.caller.owner)
    others = [peer for peer in own if peer.present and peer is not context.peer]
    return [Event("on-poll-response", body, told(context)._replace(peer=peer.peer_id)) for peer in others]


def _check_open(context: Context, poll: Poll) -> None:
    # Its time counts, and not when a reaper comes to stop it.
    if poll.state != Poll.State.STARTED or (poll.ends_at and poll.ends_at <= context.now):
        raise BadRequest("poll_id: the poll is not running")
    if poll.voters and context.role.name not in poll.voters:
        raise Forbidden(f"the role {context.role.name} may not answer this poll")


def _voter(poll: Poll, peer: Peer) -> str:
    """A name for the peer's owner that says nothing of it outside this poll: everybody has one vote."""
    secret = f"{poll.session_id}/{poll.poll_id}/{peer.owner}"
    return salted_hmac("rooms.poll", secret, algorithm="sha256").hexdigest()


def _differs(held: PollAnswer | None, given: Given) -> bool:
    return held is None or (held.options, held.text, held.skipped) != (
        list(given.options),
        given.text,
        given.skipped,
    )


def _verdict(poll: Poll, given: Given) -> dict[str, Any]:
    item = poll.questions[given.question - 1]
    verdict: dict[str, Any] = {"question": given.question}
    return verdict if is_hidden(item) else {**verdict, "correct": is_correct(item, given)}


def _keep(context: Context, poll: Poll, voter: str, given: Given, held: PollAnswer | None) -> None:
    """Store an answer, in the place of the one that is held, and count it."""
    answer = held or PollAnswer(poll=poll, voter=voter, question=given.question)
    if held:
        # Before it is written over.
        _count(poll, held, -1)
    item = poll.questions[given.question - 1]
    answer.options, answer.text, answer.skipped = list(given.options), given.text, given.skipped
    answer.correct, answer.score = is_correct(item, given), score(item, given)
    answer.duration, answer.updated = _taken(context, poll), held is not None
    if not poll.anonymous:
        peer = context.peer
        answer.peer_id, answer.user_id, answer.name = peer.peer_id, peer.user_id, peer.name
    answer.save()
    _count(poll, answer, 1)


def _taken(context: Context, poll: Poll) -> int:
    """Milliseconds since the poll began, by the server: what a client says could be anything."""
    assert poll.started_at
    return max(milliseconds(context.now) - milliseconds(poll.started_at), 0)


def _count(poll: Poll, answer: PollAnswer, change: int) -> None:
    tally = poll.tally[answer.question - 1]
    if answer.skipped:
        tally["skipped"] += change
        return
    tally["total"] += change
    tally["correct"] += change * answer.correct
    for option in answer.options:
        tally["options"][option - 1] += change


# --- What was answered --------------------------------------------------------------------------


@operation("poll-result", reads=True)
def get_poll_result(context: Context, *, poll_id: PollId) -> Outcome:
    """How many answered a poll, and how; without the latter for those who may not see what others answered."""
    return Outcome(result_shown(context, visible_poll(context, poll_id)))


def result_shown(context: Context, poll: Poll) -> dict[str, Any]:
    """How many answered a poll, and how, as far as the caller may know it."""
    result = counts(poll, reveal=writes(context))
    if not sees_answers(context, poll):
        result["questions"] = []
    return result


def counts(poll: Poll, *, reveal: bool = False) -> dict[str, Any]:
    """The protocol's poll result. How many were right tells what is right, and so is hidden with it."""
    result = votes(poll)
    for item, shown, tally in zip(poll.questions, result["questions"], poll.tally, strict=False):
        shown["type"] = item["question"]["type"]
        if reveal or poll.state == Poll.State.STOPPED or not is_hidden(item):
            shown["correct"] = tally["correct"]
    return result


def votes(poll: Poll) -> dict[str, Any]:
    """Of the poll result what can be said without the questions, which may be long."""
    return {
        "poll_id": poll.poll_id,
        "max_user": poll.max_users,
        "user_count": poll.users,
        "total_response": sum(tally["total"] + tally["skipped"] for tally in poll.tally),
        "questions": [
            {"question": place, **{name: tally[name] for name in ("options", "skipped", "total")}}
            for place, tally in enumerate(poll.tally, 1)
        ],
    }


@operation("poll-responses", reads=True)
def get_poll_responses(
    context: Context,
    *,
    poll_id: PollId,
    index: Number | None = 0,
    count: Number | None = PAGE,
    self: bool | None = False,
) -> Outcome:
    """Single answers, the oldest first, count of them after the first index; with self the caller's own."""
    poll = visible_poll(context, poll_id)
    answers = PollAnswer.objects.filter(poll=poll).order_by("pk")
    own: Peer | None = None
    if self and not context.caller.is_server:
        own = context.peer
        answers = own_answers(poll, own)
    elif not sees_answers(context, poll):
        raise Forbidden(f"the role {context.role.name} may not see what others answer")
    page = window(index, count)
    # One more than the page holds, to see whether it is the last.
    found = list(answers[page.start : page.stop + 1])
    shown = [answer_shown(poll, answer, own) for answer in found[: page.stop - page.start]]
    return Outcome({"poll_id": poll_id, "responses": shown, "last": len(found) == len(shown)})


def own_answers(poll: Poll, peer: Peer) -> QuerySet[PollAnswer]:
    """What a peer's owner answered to a poll, in the order of answering."""
    return PollAnswer.objects.filter(poll=poll, voter=_voter(poll, peer)).order_by("pk")


def answer_shown(poll: Poll, answer: PollAnswer, own: Peer | None) -> dict[str, Any]:
    """The protocol's response object; own is the peer whose answer it is, if it is the caller's."""
    return {"final": True, "response": _response(poll, answer), "peer": _person(answer, own)}


def _response(poll: Poll, answer: PollAnswer) -> dict[str, Any]:
    kind = poll.questions[answer.question - 1]["question"]["type"]
    wire: dict[str, Any] = {
        "response_id": str(answer.pk),
        "question": answer.question,
        "type": kind,
        "skipped": answer.skipped,
        "update": answer.updated,
        "duration": answer.duration,
    }
    if answer.options:
        wire |= {"option": answer.options[0]} if kind == SINGLE else {"options": answer.options}
    elif answer.text:
        wire["text"] = answer.text
    return wire


def _person(answer: PollAnswer, own: Peer | None) -> dict[str, str]:
    """Who answered; of an anonymous poll only the caller learns that it was itself."""
    if own and not answer.peer_id:
        return {"hash": answer.voter, "peerid": own.peer_id, "userid": own.user_id, "username": own.name}
    return {"hash": answer.voter, "peerid": answer.peer_id, "userid": answer.user_id, "username": answer.name}


# --- The leaderboard ----------------------------------------------------------------------------


# It looks at all answers of a poll, which do not change any more: whoever writes need not wait for that.
@operation("poll-leaderboard", reads=True)
def get_leaderboard(
    context: Context, *, poll_id: PollId, count: Number | None = PAGE, offset: Number | None = 0
) -> Outcome:
    """Who did best in a poll that is over: by score, then by the time that the right answers took.

    ``correct_users`` are those with a right answer. For those who may not see what others answered only their own
    entry counts, in the means as well: of a few answers they tell each.
    """
    poll = visible_poll(context, poll_id)
    if poll.state != Poll.State.STOPPED:
        raise BadRequest("poll_id: the poll is not over")
    entries = list(_entries(poll))
    visible = entries
    if not sees_answers(context, poll):
        own = _voter(poll, context.peer)
        visible = [entry for entry in entries if entry["peer"]["hash"] == own]
    page = window(offset, count)
    return Outcome(
        {
            "poll_id": poll_id,
            "total_users": poll.max_users,
            "voted_users": len(entries),
            "correct_users": sum(entry["correct_responses"] > 0 for entry in visible),
            "avg_time": _mean(entry["duration"] for entry in visible),
            "avg_score": _mean(entry["score"] for entry in visible),
            "questions": visible[page],
            "last": page.stop >= len(visible),
        }
    )


def _entries(poll: Poll) -> Iterable[dict[str, Any]]:
    right = Q(correct=True)
    persons = PollAnswer.objects.filter(poll=poll).values("voter").annotate(
        points=Sum("score"),
        answered=Count("pk", filter=Q(skipped=False)),
        right=Count("pk", filter=right),
        time=Sum("duration", filter=right, default=0),
        # An owner may have answered by several peers; one stands for all.
        peerid=Max("peer_id"),
        userid=Max("user_id"),
        username=Max("name"),
    )  # fmt: skip
    # By voter at last, so that those who are even stand in the same order on every page.
    for position, person in enumerate(persons.order_by("-points", "time", "voter"), 1):
        yield {
            "position": position,
            "score": person["points"],
            "total_responses": person["answered"],
            "correct_responses": person["right"],
            "duration": person["time"],
            "peer": {"hash": person["voter"], **{name: person[name] for name in ("peerid", "userid", "username")}},
        }


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0
