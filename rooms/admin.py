"""Django's admin: what rooms hold now, and what sessions there were.

Everything is to be looked at only, but for two acts: closing a room to newcomers, and ending a session. What peers wrote
reaches a page as text. Messages are not shown at all.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from rooms.errors import RoomError
from rooms.hub import perform_now
from rooms.models import MetadataEntry, Peer, Room, RoomCode, Session, Template, Worker
from rooms.operations.gate import Caller
from rooms.operations.moderation import end_room

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _YesNoFilter = admin.SimpleListFilter
else:
    _ModelAdmin = admin.ModelAdmin

SHOWN_PEERS = 100
"""How many peers the page of a session lists by itself."""

SHOWN_CHARS = 80
"""How much of a value a list shows."""

admin.site.site_header = admin.site.site_title = "hmsroom"
admin.site.index_title = "What the server holds"


# --- What the pages share -----------------------------------------------------------------------


class Inspection(_ModelAdmin):
    """Pages to look at rows, never to change them. ``may_act`` is who may do the acts that a subclass offers."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for actions with ``permissions=["act"]``."""
        return request.user.has_perm("rooms.change_room")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_act = self.has_act_permission(request)
        return super().change_view(request, object_id, form_url, {"may_act": may_act, **(extra_context or {})})


class LiveFilter(admin.SimpleListFilter):
    """Rooms with somebody in them, and sessions that are not over."""

    title = "now"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "live"), ("no", "not live")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        live = Session.objects.filter(ended_at=None)
        key = "pk__in", live.values("room" if queryset.model is Room else "pk")
        return queryset.filter(key) if self.value() == "yes" else queryset.exclude(key)


def number_of(rows: QuerySet[Any], by: str) -> Coalesce:
    """How many rows there are for each outer row, which they name by that field."""
    counted = rows.filter(**{by: OuterRef("pk")}).order_by().values(by).annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), 0)


def present() -> QuerySet[Peer]:
    """Peers that are in a session, those whose connection is just lost included."""
    return Peer.objects.filter(session__ended_at=None).exclude(state=Peer.State.LEFT)


def link(row: Model | None, text: object = None) -> str:
    """A link to the page of a row."""
    if row is None:
        return "-"
    url = reverse(f"admin:rooms_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, row if text is None else text)


def list_link(model: type[Model], text: object, **filters: str) -> str:
    """A link to the list of a model's rows, filtered."""
    url = reverse(f"admin:rooms_{model._meta.model_name}_changelist", query=filters)
    return format_html('<a href="{}">{}</a>', url, text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A small table within a page."""
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
        format_html_join(
            "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
        ),
    )


def moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "-"


def shortened(text: str | None) -> str:
    """The beginning of a value's JSON text."""
    if text is None:
        return "(removed)"
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"


def indented(text: str | None) -> str:
    """A value's JSON text on lines of its own."""
    if text is None:
        return "(removed)"
    return format_html("<pre>{}</pre>", json.dumps(json.loads(text), indent=2, ensure_ascii=False))
