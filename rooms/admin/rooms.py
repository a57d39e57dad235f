"""Rooms and their codes."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse

from rooms.admin.actions import confirmation, end_sessions
from rooms.admin.shared import Inspection, LiveFilter, author, lasting, link, list_link, number_of, present, table
from rooms.creation import change_room, delete_room, replace_code
from rooms.models import AuditEntry, Room, RoomCode, Session
from rooms.wire.errors import RoomError


@admin.register(Room)
class RoomAdmin(Inspection):
    list_display = ["__str__", "name", "people", "live_for", "enabled", "created_at"]
    list_filter = [LiveFilter, "enabled", "large_room", "template", "created_at"]
    ordering = ["-created_at"]
    search_fields = ["id", "name", "title", "codes__code"]
    search_help_text = "Id, name, title, or code for those who may see codes"
    actions = ["close", "open", "end_session", "remove"]
    shown_to = {
        "people": "peer", "live_for": "session", LiveFilter: "session", "session": "session", "earlier": "session",
        "codes": "roomcode", "codes__code": "roomcode", "template": "template", "template_link": "template",
        "acts": "auditentry",
    }  # fmt: skip
    fields = [
        "id", "name", "title", "enabled", "template_link", "size", "large_room", "metadata_rules", "created_at",
        "people", "session", "earlier", "codes", "acts",
    ]  # fmt: skip
    readonly_fields = ["id", "enabled", "created_at", "template_link", "people", "session", "earlier", "codes", "acts"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_manage_permission(request)

    def save_model(self, request: HttpRequest, room: Room, form: Any, change: Any) -> None:
        # Under the room's lock, and only what was typed: the rest may have changed since the page was made.
        change_room(room.pk, author=author(request), **{name: form.cleaned_data[name] for name in form.changed_data})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        live = Session.objects.filter(room=OuterRef("pk"), ended_at=None)
        return (
            super()
            .get_queryset(request)
            .annotate(
                number=number_of(present(), "session__room"),
                live_id=Subquery(live.values("pk")[:1]),
                live_since=Subquery(live.values("started_at")[:1]),
            )
        )

    @admin.display(ordering="number")
    def people(self, room: Any) -> int:
        return int(room.number)

    @admin.display(ordering="live_since")
    def live_for(self, room: Any) -> str:
        return lasting(room.live_since, None) if room.live_since else "-"

    @admin.display(description="template")
    def template_link(self, room: Room) -> str:
        return link(room.template)

    @admin.display(description="live session")
    def session(self, room: Any) -> str:
        return link(Session(pk=room.live_id)) if room.live_id else "-"

    @admin.display(description="all sessions")
    def earlier(self, room: Room) -> str:
        return list_link(Session, room.sessions.count(), room__id__exact=room.pk)

    @admin.display(description="codes")
    def codes(self, room: Room) -> str:
        codes = room.codes.order_by("role", "created_at")
        return table(["Code", "Role", "Enabled"], [(link(code), code.role, code.enabled) for code in codes])

    @admin.display(description="audit")
    def acts(self, room: Room) -> str:
        return list_link(AuditEntry, "who did what", room_id=room.pk)

    @admin.action(description="Close selected rooms to newcomers", permissions=["manage"])
    def close(self, request: HttpRequest, rooms: QuerySet[Room]) -> None:
        self._set_enabled(request, rooms, False, "closed")

    @admin.action(description="Open selected rooms again", permissions=["manage"])
    def open(self, request: HttpRequest, rooms: QuerySet[Room]) -> None:
        self._set_enabled(request, rooms, True, "open")

    def _set_enabled(self, request: HttpRequest, rooms: QuerySet[Room], enabled: bool, word: str) -> None:
        for room in rooms:
            change_room(room.pk, author=author(request), enabled=enabled)
            self.log_change(request, room, word)
            self.message_user(request, f"Room “{room}” is {word}.", messages.SUCCESS)

    @admin.action(description="Delete selected rooms…", permissions=["remove"])
    def remove(self, request: HttpRequest, rooms: QuerySet[Room]) -> HttpResponse | None:
        rows = [(str(room), room.name, f"since {room.created_at:%Y-%m-%d %H:%M}") for room in rooms]
        if question := confirmation(
            self, request, rooms, rows, title="Delete the rooms?", answer="Yes, delete them",
            what="Everybody in them is sent away. The rooms, their codes and their history are gone for good.",
        ):  # fmt: skip
            return question
        for room in rooms:
            # First, for the entry has the room's name in it.
            self.log_deletions(request, Room.objects.filter(pk=room.pk))
            try:
                delete_room(room.pk, author=author(request))
            except (RoomError, Room.DoesNotExist) as error:
                self.message_user(request, f"“{room}”: {error}", messages.ERROR)
            else:
                self.message_user(request, f"Room “{room}” is deleted.", messages.SUCCESS)
        return None

    @admin.action(description="End the session of selected rooms…", permissions=["act"])
    def end_session(self, request: HttpRequest, rooms: QuerySet[Room]) -> HttpResponse | None:
        live = Session.objects.filter(room__in=rooms.values("pk"), ended_at=None)
        return end_sessions(self, request, live, chosen=rooms)


@admin.register(RoomCode)
class RoomCodeAdmin(Inspection):
    list_display = ["code", "room_link", "role", "enabled", "created_at"]
    list_filter = ["enabled", "role", "created_at"]
    list_select_related = ["room"]
    ordering = ["-created_at"]
    search_fields = ["code", "room__id", "room__name", "room__title"]
    fields = ["code", "room_link", "role", "enabled", "created_at"]
    readonly_fields = ["room_link"]
    actions = ["replace"]
    shown_to = dict.fromkeys(["room_link", "room__id", "room__name", "room__title"], "room")

    @admin.action(description="Replace selected codes by new ones…", permissions=["manage"])
    def replace(self, request: HttpRequest, codes: QuerySet[RoomCode]) -> HttpResponse | None:
        rows = [(code.code, code.role) for code in codes]
        if question := confirmation(
            self, request, codes, rows, title="Replace the codes?", answer="Yes, replace them",
            what="The links with these codes open nothing any more. Who is inside stays.",
        ):  # fmt: skip
            return question
        # A set: several old codes of a role get one new one.
        for room, role in {(code.room, code.role) for code in codes.select_related("room")}:
            try:
                new = replace_code(room.pk, role, author=author(request))
            except (ValidationError, Room.DoesNotExist) as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_change(request, room, f"code for {role} replaced")
                self.message_user(request, f"The code for {role} is now {new.code}.", messages.SUCCESS)
        return None

    @admin.display(description="room", ordering="room__name")
    def room_link(self, code: RoomCode) -> str:
        return link(code.room)
