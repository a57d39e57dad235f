"""Telling again, on demand, what was told before or given up: a workflow that goes on in the background.

It writes deliveries as rooms do, a few a second, which then go the same way; their ids are those of the first time.
"""

import json
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from rooms.models import WebhookDelivery, WebhookReplay, milliseconds
from rooms.operations.engine.audit import record
from rooms.operations.engine.calls import SERVER, Author
from rooms.operations.engine.outbox import wake
from rooms.operations.engine.statements import database_now
from rooms.operations.engine.transaction import Cursor
from rooms.webhooks.deliveries import Filters, chosen
from rooms.wire.errors import TooLarge
from rooms.wire.events import compact
from rooms.wire.webhooks import replayed

MOST = 50_000
"""Deliveries of one workflow."""

RATE = 10
"""A second."""

MOST_RUNNING = 100
"""Workflows that go on at the same time, each of which is looked after a few times a second."""

_MOST_WAITING = 10 * RATE
"""No more are taken up while so many wait for an endpoint that does not take them."""


class Started(NamedTuple):
    workflow: WebhookReplay
    is_new: bool


def start(filters: Filters, *, limit: int = MOST, offset: int = 0, author: Author = SERVER) -> Started:
    """Tell again what these filters choose; the workflow that does so already, if one is under way.

    Raises TooLarge if MOST_RUNNING others are.
    """
    text = compact([filters.text(), limit, offset])
    going_on = WebhookReplay.objects.filter(completed_at=None)
    if running := going_on.filter(filters=text).first():
        return Started(running, False)
    if (number := going_on.count()) >= MOST_RUNNING:
        raise TooLarge("replays: too many go on", limit="max_running_replays", used=number + 1, most=MOST_RUNNING)
    at = milliseconds(database_now())
    keys = list(_done(filters, at).order_by("pk").values_list("pk", flat=True)[offset : offset + min(limit, MOST)])
    made = WebhookReplay(filters=text, total=len(keys), position=0, until=0, started_at=at, paced_at=at)
    if keys:
        made.position, made.until = keys[0] - 1, keys[-1]
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            which = {"deliveries": list(filters.ids)} if filters.ids else {}
            record(author, "webhook.replay", key=made.pk, details={"total": made.total, **which})
    except IntegrityError:
        # Somebody began it at this very moment; it may be over already.
        return start(filters, limit=limit, offset=offset, author=author)
    return Started(made, True)


def found(workflow_id: str) -> WebhookReplay | None:
    return WebhookReplay.objects.filter(pk=workflow_id).first()


def proceed() -> None:
    """Take up what of the workflows is next. Any number of processes may do so at once."""
    for workflow_id in list(WebhookReplay.objects.filter(completed_at=None).values_list("pk", flat=True)):
        with transaction.atomic():
            _proceed(workflow_id)


def _proceed(workflow_id: str) -> None:
    rows = WebhookReplay.objects.filter(pk=workflow_id, completed_at=None)
    if connection.vendor != "sqlite":
        rows = rows.select_for_update(skip_locked=True)
    workflow = rows.first()
    if workflow is None:
        return
    at = milliseconds(database_now())
    waiting = workflow.deliveries.filter(state=WebhookDelivery.State.WAITING).count()
    if workflow.position >= workflow.until:
        if not waiting:
            workflow.completed_at = at
            workflow.save(update_fields=["completed_at"])
        return
    # Of a second at most, however long ago the last were taken up.
    number = min(RATE, (at - workflow.paced_at) * RATE // 1000, _MOST_WAITING - waiting)
    if number < 1:
        return
    rest = _done(Filters.of(json.loads(workflow.filters)[0]), workflow.started_at)
    taken = list(rest.filter(pk__gt=workflow.position, pk__lte=workflow.until).order_by("pk")[:number])
    again = [_again(delivery, workflow, at) for delivery in taken]
    WebhookDelivery.objects.bulk_create(again)
    with Cursor() as cursor:
        wake(cursor, [(delivery.endpoint_id, delivery.stream) for delivery in again], at)
    # Fewer than there were places for: these are the last.
    workflow.position = taken[-1].pk if len(taken) == number else workflow.until
    workflow.paced_at = at
    workflow.save(update_fields=["position", "paced_at"])


def tidy(now: datetime, *, days: float) -> None:
    """Forget the workflows that ended more than so many days ago."""
    before = milliseconds(now - timedelta(days=days))
    WebhookReplay.objects.filter(completed_at__lt=before).delete()


def _done(filters: Filters, at: int) -> QuerySet[WebhookDelivery]:
    """The first tellings of these filters that were over then; a disabled endpoint is told nothing again either."""
    first = chosen(filters).filter(replay=None, endpoint__enabled=True)
    return first.exclude(state=WebhookDelivery.State.WAITING).exclude(done_at__gt=at)


def _again(delivery: WebhookDelivery, workflow: WebhookReplay, at: int) -> WebhookDelivery:
    return WebhookDelivery(
        endpoint_id=delivery.endpoint_id,
        # One of its own, so that what happens meanwhile does not wait for it.
        stream=f"{workflow.pk}{delivery.stream}",
        event_id=delivery.event_id,
        room_id=delivery.room_id,
        session_id=delivery.session_id,
        seq=delivery.seq,
        name=delivery.name,
        body=replayed(delivery.body),
        at=at,
        replay=workflow,
    )
