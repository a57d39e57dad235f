"""The audit: who did what, to be looked at only. Whoever may view its entries sees all that stands in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from rooms.admin.shared import (
    Inspection,
    brief,
    indented,
    isolated,
    link,
    list_link,
    may_view,
    shortened,
    visible,
    written,
)
from rooms.models import AuditEntry, Room, Session, milliseconds
from rooms.operations.engine.audit import SOURCES, WHATS

LOOKED_THROUGH = 10_000
"""The newest entries, of all or of one room, are those that filters and searches look through."""

_SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


class WhenFilter(admin.SimpleListFilter):
    title = parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, f"The last {name}") for name in _SPANS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        span = _SPANS.get(self.value() or "")
        return queryset.filter(at__gte=milliseconds(timezone.now() - span)) if span else queryset


class WhatFilter(admin.SimpleListFilter):
    title = parameter_name = "what"
    words: tuple[str, ...] = WHATS

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in self.words]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class SourceFilter(WhatFilter):
    title = parameter_name = "source"
    words = SOURCES


class Newest(ChangeList):
    """Its pages are of the newest entries: there may be many millions, and but one index."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        entries = AuditEntry.objects.order_by("-pk")
        if room_id := self.params.get("room_id"):
            entries = entries.filter(room_id=room_id)
        self.root_queryset = AuditEntry.objects.filter(pk__in=entries.values("pk")[:LOOKED_THROUGH])
        return super().get_queryset(request, exclude_parameters)


@admin.register(AuditEntry)
class AuditEntryAdmin(Inspection):
    list_display = ["when", "what", "who", "source", "room", "session", "key_shown", "version", "change"]
    list_filter = [WhenFilter, WhatFilter, SourceFilter]
    linked = ["room_id", "session_id"]
    ordering = ["-id"]
    search_fields = ["=room_id", "=session_id", "=author_id", "room_name", "author", "key"]
    search_help_text = f"Room, session, author or key, among the newest {LOOKED_THROUGH:,} entries, or those of a room"
    fields = [
        "when", "what", "source", "who", "author_id", "room", "room_id", "session", "key_shown", "version", "old_shown",
        "new_shown", "details_shown",
    ]  # fmt: skip
    readonly_fields = ["when", "who", "room", "session", "key_shown", "old_shown", "new_shown", "details_shown"]

    def get_changelist(self, request: HttpRequest, **more: Any) -> type[ChangeList]:
        return Newest

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        places = _places(request, request.GET.get("room_id", ""), request.GET.get("session_id", ""))
        return super().changelist_view(request, {**(extra_context or {}), "places": places})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        context["places"] = _places(request, obj.room_id, obj.session_id)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @admin.display(description="when (UTC)", ordering="id")
    def when(self, entry: AuditEntry) -> str:
        return written(datetime.fromtimestamp(entry.at / 1000, UTC))

    @admin.display(description="author", ordering="author")
    def who(self, entry: AuditEntry) -> str:
        return isolated(entry.author or entry.author_id or "-")

    @admin.display(ordering="room_name")
    def room(self, entry: AuditEntry) -> str:
        return list_link(AuditEntry, isolated(entry.room_name), room_id=entry.room_id) if entry.room_id else "-"

    @admin.display(ordering="session_id")
    def session(self, entry: AuditEntry) -> str:
        where = {"room_id": entry.room_id, "session_id": entry.session_id}
        return list_link(AuditEntry, brief(entry.session_id), **where) if entry.session_id else "-"

    @admin.display(description="key", ordering="key")
    def key_shown(self, entry: AuditEntry) -> str:
        return isolated(visible(entry.key))

    @admin.display(description="what changed")
    def change(self, entry: AuditEntry) -> str:
        if entry.old is None and entry.new is None:
            return isolated(shortened(entry.details))
        return format_html(
            "{} → {}", *(isolated("-" if text is None else shortened(text)) for text in (entry.old, entry.new))
        )

    @admin.display(description="old value")
    def old_shown(self, entry: AuditEntry) -> str:
        return _whole(entry.old)

    @admin.display(description="new value")
    def new_shown(self, entry: AuditEntry) -> str:
        return _whole(entry.new)

    @admin.display(description="details")
    def details_shown(self, entry: AuditEntry) -> str:
        return indented(entry.details) if entry.details else "-"


def _places(request: HttpRequest, room_id: str, session_id: str) -> list[str]:
    """Links back to the room and the session of entries, as far as they are still there and may be seen."""
    asked = ((Room, room_id, "The room"), (Session, session_id, "The session"))
    seen = [(kind, pk, text) for kind, pk, text in asked if pk and may_view(request, kind._meta.model_name or "")]
    return [link(kind(pk=pk), text) for kind, pk, text in seen if kind.objects.filter(pk=pk).exists()]


def _whole(text: str | None) -> str:
    """What is kept of a value, which may be cut and then is no JSON."""
    return "-" if text is None else format_html('<pre tabindex="0"><bdi>{}</bdi></pre>', text)
