"""Sessions, their peers and their metadata."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from rooms.admin.actions import end_sessions
from rooms.admin.shared import (
    SHOWN_PEERS,
    Inspection,
    LiveFilter,
    indented,
    lasting,
    link,
    list_link,
    number_of,
    present,
    shortened,
    table,
    written,
)
from rooms.models import MetadataEntry, Peer, Session


@admin.register(Session)
class SessionAdmin(Inspection):
    list_display = ["id", "room_link", "is_live", "started_at", "duration", "people", "everybody", "messages", "ending"]
    list_filter = [LiveFilter, "started_at", "ended_at"]
    list_select_related = ["room"]
    ordering = ["-started_at"]
    search_fields = ["id", "room__id", "room__name", "room__title"]
    linked = ["room__id__exact"]
    actions = ["end"]
    fields = [
        "id", "room_link", "is_live", "started_at", "ended_at", "duration", "ending", "ended_by", "messages", "seq",
        "people", "everybody", "peers", "entries", "locks",
    ]  # fmt: skip
    readonly_fields = ["room_link", "is_live", "duration", "ending", "people", "everybody", "peers", "entries", "locks"]
    shown_to = {
        "people": "peer", "everybody": "peer", "peers": "peer", "entries": "metadataentry", "locks": "metadataentry",
        **dict.fromkeys(["room_link", "room__id", "room__id__exact", "room__name", "room__title"], "room"),
    }  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        queryset: QuerySet[Session] = super().get_queryset(request)
        return queryset.annotate(number=number_of(present(), "session"), total=number_of(Peer.objects.all(), "session"))

    @admin.display(description="room", ordering="room__name")
    def room_link(self, session: Session) -> str:
        return link(session.room)

    @admin.display(description="live", boolean=True, ordering="ended_at")
    def is_live(self, session: Session) -> bool:
        return session.ended_at is None

    @admin.display()
    def duration(self, session: Session) -> str:
        return lasting(session.started_at, session.ended_at)

    @admin.display(description="people now", ordering="number")
    def people(self, session: Any) -> int:
        return int(session.number)

    @admin.display(description="people in all", ordering="total")
    def everybody(self, session: Any) -> str:
        return list_link(Peer, session.total, session__id__exact=session.pk)

    @admin.display(description="why it ended", ordering="end_reason")
    def ending(self, session: Session) -> str:
        return session.end_reason or "-"

    @admin.display()
    def peers(self, session: Any) -> str:
        rows = session.peers.order_by(F("left_at").desc(nulls_first=True), "joined_at")[:SHOWN_PEERS]
        shown = table(
            ["Name", "State", "Role", "User", "Joined", "Left", "Why"],
            [
                (link(p), p.state, p.role, p.user_id, written(p.joined_at), written(p.left_at), p.leave_reason)
                for p in rows
            ],
        )
        if session.total <= SHOWN_PEERS:
            return shown
        return format_html("{}{}", shown, list_link(Peer, f"all {session.total}", session__id__exact=session.pk))

    @admin.display(description="metadata")
    def entries(self, session: Session) -> str:
        return table(
            ["Key", "Value", "Version", "Changed by", "Changed"],
            [
                (link(e), shortened(e.data), e.change_version, e.updated_by_name, written(e.updated_at))
                for e in session.entries.order_by("key")
            ],
        )

    @admin.display()
    def locks(self, session: Session) -> str:
        return table(
            ["Name", "Held by peer", "Token", "Until", "Waiting"],
            [
                (lock.name, lock.holder, lock.token, written(lock.expires_at), len(lock.waiters))
                for lock in session.locks.order_by("name")
            ],
        )

    @admin.action(description="End selected sessions…", permissions=["act"])
    def end(self, request: HttpRequest, sessions: QuerySet[Session]) -> HttpResponse | None:
        return end_sessions(self, request, sessions, chosen=sessions)


@admin.register(Peer)
class PeerAdmin(Inspection):
    list_display = ["__str__", "room_link", "state", "role", "user_id", "joined_at", "left_at", "leave_reason"]
    list_filter = ["state", "role", "leave_reason", "joined_at"]
    list_select_related = ["session__room"]
    ordering = ["-id"]  # nearly that of joining, and has an index
    search_fields = ["name", "peer_id", "user_id", "session__id", "session__room__name", "session__room__title"]
    linked = ["session__id__exact"]
    fields = [
        "name", "peer_id", "user_id", "session_link", "room_link", "state", "role", "groups", "metadata", "observed",
        "joined_at", "gone_at", "left_at", "leave_reason", "worker", "conn_id",
    ]  # fmt: skip
    readonly_fields = ["session_link", "room_link"]
    shown_to = {
        **dict.fromkeys(["session_link", "session__id", "session__id__exact"], "session"), "observed": "metadataentry",
        **dict.fromkeys(["room_link", "session__room__name", "session__room__title"], "room"),
    }  # fmt: skip

    @admin.display(description="room", ordering="session__room__name")
    def room_link(self, peer: Peer) -> str:
        return link(peer.session.room)

    @admin.display(description="session", ordering="session")
    def session_link(self, peer: Peer) -> str:
        return link(peer.session)


@admin.register(MetadataEntry)
class MetadataEntryAdmin(Inspection):
    list_display = ["key", "room_link", "value", "change_version", "updated_by_name", "updated_at"]
    list_filter = ["updated_at"]
    list_select_related = ["session__room"]
    ordering = ["-updated_at"]
    search_fields = ["key", "data", "updated_by_name", "session__id", "session__room__name", "session__room__title"]
    fields = [
        "key", "session_link", "room_link", "whole_value", "size", "change_version", "updated_by_name", "updated_by",
        "updated_at", "owner", "on_leave", "expires_at",
    ]  # fmt: skip
    readonly_fields = ["session_link", "room_link", "whole_value"]
    shown_to = {
        "session_link": "session", "session__id": "session",
        **dict.fromkeys(["updated_by", "updated_by_name", "owner"], "peer"),
        **dict.fromkeys(["room_link", "session__room__name", "session__room__title"], "room"),
    }  # fmt: skip

    @admin.display(description="room", ordering="session__room__name")
    def room_link(self, entry: MetadataEntry) -> str:
        return link(entry.session.room)

    @admin.display(description="session")
    def session_link(self, entry: MetadataEntry) -> str:
        return link(entry.session)

    @admin.display()
    def value(self, entry: MetadataEntry) -> str:
        return shortened(entry.data)

    @admin.display(description="value")
    def whole_value(self, entry: MetadataEntry) -> str:
        return indented(entry.data)
