"""``/v2/analytics``: what webhooks told, and telling it again."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms.api.rest import pages
from rooms.api.rest.frame import Act, answers, author
from rooms.api.rest.shapes import GivenMoment
from rooms.models import WebhookDelivery, WebhookReplay, milliseconds
from rooms.operations.engine.statements import database_now
from rooms.webhooks import deliveries, replays
from rooms.webhooks.deliveries import Filters
from rooms.wire.errors import BadRequest, NotFound
from rooms.wire.webhooks import EVENTS, moment

router = Router(tags=["Analytics"])

_BACK, _SPAN = timedelta(days=30), timedelta(days=14)

RoomId = Annotated[str, Field(max_length=24, description="Only of this room", examples=["66f0a1b2c3d4e5f601234567"])]
Names = Annotated[
    list[str],
    Field(max_length=20, description=f"Only these events: {', '.join(EVENTS)}", examples=[["peer.join.success"]]),
]
Status = Annotated[Literal["all", "failed", "success"], Field(description="What became of them", examples=["failed"])]
Start = Annotated[GivenMoment, Field(description="RFC 3339, with its zone; at most 30 days ago")]
End = Annotated[
    GivenMoment | None,
    Field(description="As start_time; not before it, and at most 14 days after it, which it is, or now, if missing"),
]


class Chosen(Schema):
    start_time: Start
    end_time: End = None
    room_id: RoomId = ""
    status: Status = "all"
    event_names: Names = []


class DeliveryQuery(pages.Filters, Chosen):
    limit: Annotated[int, Field(ge=1, le=100, description="How many on a page", examples=[50])] = 50
    page: Annotated[int, Field(ge=1, le=100_000, description="Which page, from 1 on", examples=[1])] = 1


class ReplayBody(Act, Chosen):
    narrowing = ("room_id", "status", "event_names")

    room_id: Annotated[RoomId, Field(default_factory=str, min_length=1)]
    event_names: Annotated[Names, Field(default_factory=list, min_length=1)]
    limit: Annotated[int, Field(ge=1, le=replays.MOST, description="How many at most", examples=[1000])] = replays.MOST
    offset: Annotated[
        int, Field(ge=0, le=10_000_000, description="How many of the oldest are left out", examples=[0])
    ] = 0


class Payload(Schema):
    event_data: Annotated[dict[str, Any], Field(description="`data` of the event", examples=[{"room_name": "standup"}])]
    webhook_url: Annotated[str, Field(description="Where to", examples=["https://example.org/hook"])]
    original_event_name: Annotated[str, Field(description="Name of the event", examples=["peer.join.success"])]
    error_reason: Annotated[str, Field(description="Why the last try failed; empty if none did", examples=[""])]


class DeliveryAnswer(Schema):
    """An event for one endpoint, and what became of it."""

    event_id: Annotated[
        str, Field(description="The same at every try and replay", examples=["0b54a9c0-2d5e-4a5e-8f0f-6a8e3b1c2d3e"])
    ]
    event_name: Annotated[str, Field(description="Name of the event", examples=["peer.join.success"])]
    room_id: Annotated[str, Field(description="Id of the room", examples=["66f0a1b2c3d4e5f601234567"])]
    event_timestamp: Annotated[
        str, Field(description="RFC 3339, UTC: when it was", examples=["2026-01-05T09:00:01.000Z"])
    ]
    status: Annotated[
        Literal["waiting", "delivered", "dead"],
        Field(description="`dead`: given up after a day, and to be replayed", examples=["delivered"]),
    ]
    attempts: Annotated[int, Field(description="Tries so far", examples=[1])]
    response_status: Annotated[int, Field(description="HTTP status of the last answer, 0 for none", examples=[200])]
    is_replay: Annotated[bool, Field(description="Whether it was told again on demand", examples=[False])]
    payload: Payload


class Pagination(Schema):
    current_page: Annotated[int, Field(description="This page, from 1 on", examples=[1])]
    page_size: Annotated[int, Field(description="How many on a page", examples=[50])]
    total_pages: Annotated[int, Field(description="How many pages there are", examples=[3])]
    total_items: Annotated[int, Field(description="How many deliveries there are", examples=[120])]
    has_next: Annotated[bool, Field(description="Whether there is a page after this one", examples=[True])]
    has_prev: Annotated[bool, Field(description="Whether there is a page before this one", examples=[False])]


class Summary(Schema):
    total_events: Annotated[int, Field(description="How many deliveries there are", examples=[120])]


class DeliveriesAnswer(Schema):
    events: Annotated[list[DeliveryAnswer], Field(description="Newest first")]
    pagination: Pagination
    summary: Summary


WorkflowId = Annotated[str, Field(description="Id of the replay, 24 hex digits", examples=["66f2a1b2c3d4e5f601234567"])]


class ReplayStarted(Schema):
    workflow_id: WorkflowId
    status: Annotated[
        Literal["started", "already_running"],
        Field(description="Whether it is a new one, or one of the same filters that runs", examples=["started"]),
    ]
    message: Annotated[str, Field(description="How much it tells", examples=["12 events are told again"])]
    filters: Annotated[dict[str, Any], Field(description="What was asked for", examples=[{"status": "failed"}])]


class ReplayAnswer(Schema):
    workflow_id: WorkflowId
    status: Annotated[Literal["running", "completed"], Field(description="How far it is", examples=["running"])]
    started_at: Annotated[str, Field(description="RFC 3339, UTC", examples=["2026-01-05T09:00:00.000Z"])]
    completed_at: Annotated[
        str | None, Field(description="RFC 3339, UTC; null while it runs", examples=["2026-01-05T09:00:09.000Z"])
    ]
    total_events: Annotated[int, Field(description="How many it tells again", examples=[12])]
    done_events: Annotated[int, Field(description="How many of them are told, or given up", examples=[4])]


class TrackEvents(Schema):
    limit: Annotated[int, Field(description="How many at most", examples=[10])]
    total: Annotated[int, Field(description="None", examples=[0])]
    next: Annotated[str, Field(description="Empty", examples=[""])]
    events: Annotated[list[dict[str, Any]], Field(description="Empty", examples=[[]])]


@router.get("/webhooks", **answers(DeliveriesAnswer))
def list_deliveries(request: HttpRequest, query: Query[DeliveryQuery]) -> Any:
    """What was told, newest first."""
    rows = deliveries.listed(_filters(query))
    total = rows.count()
    first = (query.page - 1) * query.limit
    pages = -(-total // query.limit)
    return {
        "events": [_shown(delivery) for delivery in rows[first : first + query.limit]],
        "pagination": {
            "current_page": query.page,
            "page_size": query.limit,
            "total_pages": pages,
            "total_items": total,
            "has_next": query.page < pages,
            "has_prev": query.page > 1,
        },
        "summary": {"total_events": total},
    }


@router.post("/webhooks/replay", **answers(ReplayStarted))
def replay(request: HttpRequest, payload: ReplayBody) -> Any:
    """Tell again what these filters choose, ten a second; of the same filters one runs at a time."""
    workflow, is_new = replays.start(
        _filters(payload), limit=payload.limit, offset=payload.offset, author=author(request)
    )
    return {
        "workflow_id": workflow.pk,
        "status": "started" if is_new else "already_running",
        "message": f"{workflow.total} events are told again",
        "filters": payload.dict(exclude_defaults=True),
    }


@router.get("/webhooks/replay/{workflow_id}", **answers(ReplayAnswer, 404))
def get_replay(request: HttpRequest, workflow_id: str) -> Any:
    """How far a replay has got."""
    workflow = WebhookReplay.objects.filter(pk=workflow_id).first()
    if workflow is None:
        raise NotFound("workflow_id: no such replay")
    done = workflow.deliveries.exclude(state=WebhookDelivery.State.WAITING).count()
    return {
        "workflow_id": workflow.pk,
        "status": "running" if workflow.completed_at is None else "completed",
        "started_at": _at(workflow.started_at),
        "completed_at": None if workflow.completed_at is None else _at(workflow.completed_at),
        "total_events": workflow.total,
        "done_events": done,
    }


@router.get("/events", **answers(TrackEvents))
def list_track_events(request: HttpRequest) -> Any:
    """Events of tracks and recordings: none, for there is no media."""
    return {"limit": 10, "total": 0, "next": "", "events": []}


def _filters(given: Chosen) -> Filters:
    now = database_now()
    start, end = given.start_time, given.end_time
    if not now - _BACK <= start <= now:
        raise BadRequest("start_time: expected at most 30 days ago, and not later than now")
    # Not "now", which would be another one each time.
    if end is None:
        end = start + _SPAN if start + _SPAN < now else None
    elif end < start:
        raise BadRequest("end_time: expected a time that is not before start_time")
    elif end > start + _SPAN:
        raise BadRequest("end_time: expected at most 14 days after start_time")
    if unknown := [name for name in given.event_names if name not in EVENTS]:
        raise BadRequest(f"event_names: {unknown[0][:40]!r} is none of {', '.join(EVENTS)}")
    until = None if end is None else milliseconds(end)
    return Filters(milliseconds(start), until, given.room_id, given.status, tuple(given.event_names))


def _at(at: int) -> str:
    return moment(datetime.fromtimestamp(at / 1000, UTC))


def _shown(delivery: WebhookDelivery) -> dict[str, Any]:
    # Not by the fast parser, which makes a whole number of more than 64 bits another one.
    event = json.loads(delivery.body)
    return {
        "event_id": delivery.event_id,
        "event_name": delivery.name,
        "room_id": delivery.room_id,
        "event_timestamp": event["timestamp"],
        "status": delivery.state,
        "attempts": delivery.attempts,
        "response_status": delivery.status,
        "is_replay": delivery.replay_id is not None,
        "payload": {
            "event_data": event["data"],
            "webhook_url": delivery.endpoint.url,
            "original_event_name": delivery.name,
            "error_reason": delivery.error,
        },
    }
