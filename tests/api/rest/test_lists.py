"""What a page of a list costs follows its limit, and not what there is besides."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from rooms.api.rest import rest as api
from rooms.api.rest.sessions import LISTED_PEERS
from rooms.creation.rooms import create_room
from rooms.models import (
    AuditEntry,
    Message,
    Peer,
    Poll,
    PollAnswer,
    PreparedPoll,
    Room,
    RoomCode,
    Session,
    Template,
    WebhookDelivery,
    WebhookEndpoint,
    milliseconds,
)
from rooms.webhooks import endpoints
from tests.operations.driver import live_session
from tests.support.rows import Fetched, fetching

LISTS = {
    path.removeprefix("/v2")
    for path, calls in api.get_openapi_schema(path_prefix="/v2")["paths"].items()
    if any(parameter["name"] == "limit" for parameter in calls.get("get", {}).get("parameters", []))
}
LONG = "x" * 400
QUESTION = {"question": {"index": 1, "text": LONG, "type": "short-answer"}, "options": [], "answer": {"hidden": True}}
SAID = '{"message_id":"m","timestamp":1,"private":false,"info":{"message":"tea","type":"chat"}}'
COUNTS = {"options": [], "correct": 0, "skipped": 0, "total": 1}


def more_of_everything(room: Room, number: int) -> None:
    """So many rows more of each kind that a list may come across, with much in each that no list shows."""
    now, at = timezone.now(), milliseconds(timezone.now())
    live = live_session(room)
    hook = WebhookEndpoint.objects.first()
    assert live
    for n in range(6):
        over = now - timedelta(hours=n)
        Session.objects.create(room=create_room(name=f"{number}-{n}"), started_at=over, ended_at=over)
    for session in Session.objects.all():
        left = {"joined_at": session.started_at, "left_at": session.ended_at or now, "state": Peer.State.LEFT}
        names = [f"{number}-{n}" for n in range(number)]
        Peer.objects.bulk_create(Peer(session=session, peer_id=f"left-{name}", metadata=LONG, **left) for name in names)
    here = {"state": Peer.State.CONNECTED, "role": "guest", "joined_at": now, "metadata": LONG}
    Peer.objects.bulk_create(Peer(session=live, peer_id=f"here-{number}-{n}", **here) for n in range(number))
    Message.objects.bulk_create(
        Message(
            session=live,
            seq=10_000 * number + n,
            number=10_000 * number + n,
            message_id=f"{number}-{n}",
            body=SAID,
            at=at,
        )
        for n in range(number)
    )
    RoomCode.objects.bulk_create(RoomCode(room=room, role="guest", enabled=False) for _ in range(number))
    role = {"permissions": {}, "publishParams": {"of": LONG}}
    Template.objects.bulk_create(Template(name=f"{number}-{n}", roles={"host": role}) for n in range(number))
    PreparedPoll.objects.bulk_create(
        PreparedPoll(title="t", mode="userid", questions=[QUESTION]) for _ in range(number)
    )
    [prepared] = PreparedPoll.objects.filter(title="quiz")
    for session in Session.objects.exclude(polls__prepared=prepared):
        fields = {"state": "started", "started_at": now, "created_at": now, "tally": [COUNTS] * 9}
        Poll.objects.create(session=session, prepared=prepared, poll_id=prepared.pk, questions=[QUESTION] * 9, **fields)
    for poll in Poll.objects.all():
        PollAnswer.objects.bulk_create(PollAnswer(poll=poll, question=1, voter=f"{number}-{n}") for n in range(number))
    of_key = {"at": at, "what": "metadata.set", "room_id": room.pk, "session_id": live.pk, "key": "slide"}
    AuditEntry.objects.bulk_create(AuditEntry(**of_key, version=n) for n in range(number))
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint=hook, event_id=f"{number}-{n}", name="n", body='{"timestamp":"","data":{}}', at=at, state="dead"
        )
        for n in range(number if hook else 0)
    )


def test_a_page_loads_no_more_where_there_is_more(rest, room, alice):
    endpoints.add("https://example.org/")
    quiz = PreparedPoll.objects.create(title="quiz", mode="userid", questions=[QUESTION])
    since = (timezone.now() - timedelta(hours=1)).isoformat().replace("+00:00", "Z")

    def cost(path: str) -> Fetched:
        address = path.format(room_id=room.pk, key="slide", poll_id=quiz.pk)
        query = "?limit=4" + (f"&start_time={since}" if path == "/analytics/webhooks" else "")
        with fetching() as fetched:
            status, answer = rest("GET", address + query)
        assert (status, length(answer)) == (200, 4), path
        return fetched

    more_of_everything(room, 110)
    before = {path: cost(path) for path in LISTS}
    more_of_everything(room, 200)
    after = {path: cost(path) for path in LISTS}

    for path in LISTS:
        few, many = before[path], after[path]
        most = 5 * LISTED_PEERS if path == "/sessions" else 0
        assert (path, many.queries) == (path, few.queries)
        assert (path, many.rows) == (path, few.rows) and many.rows <= 12 + most
        assert many.characters < few.characters * 1.2, path


ROWS: dict[str, type[Model]] = {
    "/rooms": Room,
    "/sessions": Session,
    "/templates": Template,
    "/polls": PreparedPoll,
    "/room-codes/room/{room_id}": RoomCode,
    "/active-rooms/{room_id}/metadata/{key}/history": AuditEntry,
    "/polls/{poll_id}/sessions": Poll,
    "/polls/{poll_id}/responses": PollAnswer,
    "/polls/{poll_id}/results": PollAnswer,
}
"""What is listed from a place on. That of a message is its id, see test_messages.py."""


@pytest.mark.parametrize(("path", "kind"), ROWS.items())
def test_a_list_goes_on_where_it_was_though_what_was_shown_is_deleted(rest, room, alice, path, kind):
    quiz = PreparedPoll.objects.create(title="quiz", mode="userid", questions=[QUESTION])
    more_of_everything(room, 5)
    if kind is Template:
        Room.objects.all().delete()  # which keep theirs
    address = path.format(room_id=room.pk, key="slide", poll_id=quiz.pk)
    _, whole = rest("GET", f"{address}?limit=100")
    everything = entries(whole)
    assert len(everything) > 4 and whole["last"] == ""

    found: list[Any] = []
    seen: set[str] = set()
    last = ""
    while not found or last:
        status, page = rest("GET", f"{address}?limit=2&start={last}")
        assert status == 200
        found += entries(page)
        last = page["last"]
        shown = [one.get("id") or one["code"] for one in entries(page)]
        seen |= set(shown)
        kind._default_manager.filter(pk__in=shown).delete()

    assert (len(found), len(seen)) == (len(everything), len(everything))


@pytest.mark.parametrize("path", ROWS)
def test_what_is_no_place_in_a_list_is_refused(rest, room, alice, path):
    quiz = PreparedPoll.objects.create(title="quiz", mode="userid", questions=[QUESTION])
    address = path.format(room_id=room.pk, key="slide", poll_id=quiz.pk)
    for place in ("zz", f"{9**20}.{room.pk}", "1.2.3"):
        status, answer = rest("GET", f"{address}?start={place}")
        assert (status, answer["message"].split(":")[0]) == (400, "start")


def entries(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return next(value for value in answer.values() if isinstance(value, list))


def length(answer: dict[str, Any]) -> int:
    return len(entries(answer))


def test_a_page_of_rooms_or_answers_does_not_carry_a_template_or_a_poll_for_each(rest, room, alice):
    """What is the same for all of them, and not shown, may be as long as a frame."""
    quiz = PreparedPoll.objects.create(title="quiz", mode="userid", questions=[QUESTION])
    more_of_everything(room, 9)
    Template.objects.update(settings={"long": "x" * 50_000}, plugins={"long": "x" * 50_000})
    Poll.objects.update(questions=[QUESTION] * 100)
    for path in ("/rooms", f"/polls/{quiz.pk}/sessions", f"/polls/{quiz.pk}/responses", f"/polls/{quiz.pk}/results"):
        with fetching() as fetched:
            rest("GET", f"{path}?limit=5")
        assert fetched.characters < 20_000, path
