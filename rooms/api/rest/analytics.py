"""``/v2/analytics``: what webhooks told, and telling it again."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms.models import WebhookDelivery, WebhookReplay, milliseconds
from rooms.operations.engine.statements import database_now
from rooms.webhooks import deliveries, replays
from rooms.webhooks.deliveries import Filters
from rooms.wire.errors import BadRequest, NotFound
from rooms.wire.webhooks import EVENTS, moment

router = Router(tags=["Analytics"])

_BACK, _SPAN = timedelta(days=30), timedelta(days=14)

RoomId = Annotated[str, Field(max_length=24, description="Only of this room", examples=["66f0a1b2c3d4e5f601234567"])]
Names = Annotated[list[str], Field(max_length=20, description=f"Only these events: {', '.join(EVENTS)}")]
Start = Annotated[datetime, Field(description="RFC 3339; at most 30 days ago", examples=["2026-01-05T09:00:00Z"])]
End = Annotated[
    datetime | None, Field(description="RFC 3339; at most 14 days after start_time, now or then if it is missing")
]


class DeliveryQuery(Schema):
    start_time: Start
    end_time: End = None
    room_id: RoomId = ""
    status: Annotated[Literal["all", "failed", "success"], Field(description="What became of them")] = "all"
    event_names: Names = []
    limit: Annotated[int, Field(ge=1, le=100, description="How many on a page")] = 50
    page: Annotated[int, Field(ge=1, le=100_000, description="Which page, from 1 on")] = 1


class ReplayBody(Schema):
    start_time: Start
    end_time: End = None
    room_id: RoomId = ""
    status: Annotated[Literal["all", "failed", "success"], Field(description="Only what failed, or was taken")] = "all"
    event_names: Names = []
    limit: Annotated[int, Field(ge=1, le=replays.MOST, description="How many at most")] = replays.MOST
    offset: Annotated[int, Field(ge=0, le=10_000_000, description="How many of the oldest are left out")] = 0


@router.get("/webhooks")
def list_deliveries(request: HttpRequest, query: Query[DeliveryQuery]) -> dict[str, Any]:
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


@router.post("/webhooks/replay")
def replay(request: HttpRequest, payload: ReplayBody) -> dict[str, Any]:
    """Tell again what these filters choose, ten a second; of the same filters one runs at a time."""
    workflow, is_new = replays.start(_filters(payload), limit=payload.limit, offset=payload.offset)
    return {
        "workflow_id": workflow.pk,
        "status": "started" if is_new else "already_running",
        "message": f"{workflow.total} events are told again",
        "filters": payload.dict(exclude_defaults=True),
    }


@router.get("/webhooks/replay/{workflow_id}")
def get_replay(request: HttpRequest, workflow_id: str) -> dict[str, Any]:
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


@router.get("/events")
def list_track_events(request: HttpRequest) -> dict[str, Any]:
    """Events of tracks and recordings: none, for there is no media."""
    return {"limit": 10, "total": 0, "next": "", "events": []}


def _filters(given: DeliveryQuery | ReplayBody) -> Filters:
    now = database_now()
    start = _aware(given.start_time)
    if not now - _BACK <= start <= now:
        raise BadRequest("start_time: expected at most 30 days ago, and not later than now")
    end = min(start + _SPAN, now) if given.end_time is None else _aware(given.end_time)
    if not start <= end <= start + _SPAN:
        raise BadRequest("end_time: expected at most 14 days after start_time")
    if unknown := [name for name in given.event_names if name not in EVENTS]:
        raise BadRequest(f"event_names: {unknown[0][:40]!r} is none of {', '.join(EVENTS)}")
    return Filters(milliseconds(start), milliseconds(end), given.room_id, given.status, tuple(given.event_names))


def _aware(given: datetime) -> datetime:
    return given if given.tzinfo else given.replace(tzinfo=UTC)


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
