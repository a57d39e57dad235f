"""What was told, and what came of it: for REST, commands and the admin."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import QuerySet

from rooms.models import WebhookDelivery
from rooms.wire.events import compact

_STATES = {"failed": WebhookDelivery.State.DEAD, "success": WebhookDelivery.State.DELIVERED}

STATUSES = ("all", *_STATES)
"""In the service's words. What waits yet is neither failed nor a success."""


class Filters(NamedTuple):
    """Which deliveries: written from ``start`` on and before ``end``, if there is one, in milliseconds since 1970, of a
    room or all, of one of STATUSES, of these names or all; of these ids alone, if any are given.
    """

    start: int
    end: int | None = None
    room_id: str = ""
    status: str = "all"
    names: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()

    def text(self) -> str:
        """The same for the same filters."""
        ids = [sorted(set(self.ids))] if self.ids else []
        return compact([*self[:4], sorted(set(self.names)), *ids])

    @classmethod
    def of(cls, text: str) -> "Filters":
        start, end, room_id, status, *lists = json.loads(text)
        return cls(start, end, room_id, status, *map(tuple, lists))

    @classmethod
    def only(cls, deliveries: Sequence[WebhookDelivery]) -> "Filters":
        """Those that choose these deliveries, of which there is one at least."""
        moments = [delivery.at for delivery in deliveries]
        return cls(min(moments), max(moments) + 1, ids=tuple(delivery.pk for delivery in deliveries))


def chosen(filters: Filters) -> QuerySet[WebhookDelivery]:
    """The deliveries of these filters, in no order."""
    rows = WebhookDelivery.objects.filter(at__gte=filters.start)
    if filters.end is not None:
        rows = rows.filter(at__lt=filters.end)
    if filters.room_id:
        rows = rows.filter(room_id=filters.room_id)
    if filters.status in _STATES:
        rows = rows.filter(state=_STATES[filters.status])
    if filters.names:
        rows = rows.filter(name__in=filters.names)
    if filters.ids:
        rows = rows.filter(pk__in=filters.ids)
    return rows


def listed(filters: Filters) -> QuerySet[WebhookDelivery]:
    """The same with their endpoints, the newest first."""
    return chosen(filters).select_related("endpoint").order_by("-at", "-pk")
