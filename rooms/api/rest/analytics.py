"""``/v2/analytics``: what webhooks told, and telling it again."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms.api.rest.frame import answers
from rooms.api.rest.shapes import GivenMoment, Moment, RoomId
from rooms.models import WebhookDelivery, WebhookReplay, milliseconds
from rooms.operations.engine.statements import database_now
from rooms.webhooks import deliveries, replays
from rooms.webhooks.deliveries import Filters
from rooms.wire.errors import BadRequest, NotFound
from rooms.wire.webhooks import EVENTS, moment

router = Router(tags=["Analytics"])

_BACK, _SPAN = timedelta(days=30), timedelta(days=14)

OnlyRoom = Annotated[str, Field(max_length=24, description="Only of this room", examples=["66f0a1b2c3d4e5f601234567"])]
Names = Annotated[
    list[str],
    Field(max_length=20, description=f"Only these events: {', '.join(EVENTS)}", examples=[["peer.join.success"]]),
]
Start = Annotated[GivenMoment, Field(description="RFC 3339, UTC if no zone is said; at most 30 days ago")]
End = Annotated[
    GivenMoment | None, Field(description="As start_time; at most 14 days after it, now or then if it is missing")
]


Status = Literal["all", "failed", "success"]
ReplayId = Annotated[str, Field(description="Id of the replay", examples=["66f3a1b2c3d4e5f601234567"])]


class DeliveryQuery(Schema):
    start_time: Start
    end_time: End = None
    room_id: OnlyRoom = ""
    status: Annotated[Status, Field(description="What became of them", examples=["all"])] = "all"
    event_names: Names = []
    limit: Annotated[int, Field(ge=1, le=100, description="How many on a page", examples=[50])] = 50
    page: Annotated[int, Field(ge=1, le=100_000, description="Which page, from 1 on", examples=[1])] = 1


class ReplayBody(Schema):
    start_time: Start
    end_time: End = None
    room_id: OnlyRoom = ""
    status: Annotated[Status, Field(description="Only what failed, or was taken", examples=["failed"])] = "all"
    event_names: Names = []
    limit: Annotated[int, Field(ge=1, le=replays.MOST, description="How many at most", examples=[500])] = replays.MOST
    offset: Annotated[
        int, Field(ge=0, le=10_000_000, description="How many of the oldest are left out", examples=[0])
    ] = 0


class DeliveryPayload(Schema):
    event_data: Annotated[dict[str, Any], Field(description="`data` of the event", examples=[{"room_name": "standup"}])]
    webhook_url: Annotated[str, Field(description="Where it goes", examples=["https://example.org/hook"])]
    original_event_name: Annotated[str, Field(description="The event", examples=["peer.join.success"])]
    error_reason: Annotated[str, Field(description="Why it failed last, or empty", examples=["answered 500"])]


class DeliveryAnswer(Schema):
    """One event on its way to one endpoint."""

    event_id: Annotated[str, Field(description="The same over retries and replays", examples=["5f0c…"])]
    event_name: Annotated[str, Field(description="The event", examples=["peer.join.success"])]
    room_id: RoomId
    event_timestamp: Moment
    status: Annotated[str, Field(description="`waiting`, `delivered` or `dead`", examples=["delivered"])]
    attempts: Annotated[int, Field(description="How often it was sent", examples=[1])]
    response_status: Annotated[int | None, Field(description="What was answered last", examples=[200])]
    is_replay: Annotated[bool, Field(description="Whether it was asked for again", examples=[False])]
    payload: DeliveryPayload


class Pagination(Schema):
    current_page: Annotated[int, Field(description="From 1 on", examples=[1])]
    page_size: Annotated[int, Field(description="How many on a page", examples=[50])]
    total_pages: Annotated[int, Field(description="How many pages", examples=[3])]
    total_items: Annotated[int, Field(description="How many in all", examples=[120])]
    has_next: Annotated[bool, Field(description="Whether a page follows", examples=[True])]
    has_prev: Annotated[bool, Field(description="Whether a page came before", examples=[False])]


class Summary(Schema):
    total_events: Annotated[int, Field(description="How many in all", examples=[120])]


class DeliveriesAnswer(Schema):
    events: Annotated[list[DeliveryAnswer], Field(description="This page, newest first")]
    pagination: Pagination
    summary: Summary


class ReplayAnswer(Schema):
    workflow_id: ReplayId
    status: Annotated[
        Literal["started", "already_running"],
        Field(description="The same filters run once at a time", examples=["started"]),
    ]
    message: Annotated[str, Field(description="In words", examples=["120 events are told again"])]
    filters: Annotated[dict[str, Any], Field(description="As they were given", examples=[{"status": "failed"}])]


class ReplayStateAnswer(Schema):
    workflow_id: ReplayId
    status: Annotated[Literal["running", "completed"], Field(description="How it stands", examples=["running"])]
    started_at: Moment
    completed_at: Annotated[Moment | None, Field(description="Null while it runs")]
    total_events: Annotated[int, Field(description="How many are told again", examples=[120])]
    done_events: Annotated[int, Field(description="How many of them were", examples=[37])]


class TrackEventsAnswer(Schema):
    limit: Annotated[int, Field(description="How many on a page", examples=[10])]
    total: Annotated[int, Field(description="How many in all", examples=[0])]
    next: Annotated[str, Field(description="Empty: no page follows", examples=[""])]
    events: Annotated[list[dict[str, Any]], Field(description="None", examples=[[]])]


@router.get("/webhooks", response=answers(DeliveriesAnswer))
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


@router.post("/webhooks/replay", response=answers(ReplayAnswer))
def replay(request: HttpRequest, payload: ReplayBody) -> Any:
    """Tell again what these filters choose, ten a second; of the same filters one runs at a time."""
    workflow, is_new = replays.start(_filters(payload), limit=payload.limit, offset=payload.offset)
    return {
        "workflow_id": workflow.pk,
        "status": "started" if is_new else "already_running",
        "message": f"{workflow.total} events are told again",
        "filters": payload.dict(exclude_defaults=True),
    }


@router.get("/webhooks/replay/{workflow_id}", response=answers(ReplayStateAnswer, 404))
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


@router.get("/events", response=answers(TrackEventsAnswer))
def list_track_events(request: HttpRequest) -> Any:
    """Events of tracks and recordings: none, for there is no media."""
    return {"limit": 10, "total": 0, "next": "", "events": []}


def _filters(given: DeliveryQuery | ReplayBody) -> Filters:
    now = database_now()
    start = given.start_time
    if not now - _BACK <= start <= now:
        raise BadRequest("start_time: expected at most 30 days ago, and not later than now")
    end = min(start + _SPAN, now) if given.end_time is None else given.end_time
    if not start <= end <= start + _SPAN:
        raise BadRequest("end_time: expected at most 14 days after start_time")
    if unknown := [name for name in given.event_names if name not in EVENTS]:
        raise BadRequest(f"event_names: {unknown[0][:40]!r} is none of {', '.join(EVENTS)}")
    return Filters(milliseconds(start), milliseconds(end), given.room_id, given.status, tuple(given.event_names))


def _at(at: int) -> str:
    return moment(datetime.fromtimestamp(at / 1000, UTC))


def _shown(delivery: WebhookDelivery) -> dict[str, Any]:
    event = orjson.loads(delivery.body)
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
