"""Rooms and their codes."""

from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from rooms.admin.actions import ask_to_end, confirmation
from rooms.admin.editing import Editing, SeenForm
from rooms.admin.fields import JSONText
from rooms.admin.shared import Inspection, LiveFilter, author, lasting, link, list_link, may_view, number_of, present
from rooms.creation.codes import make_codes, replace_code, switch_code
from rooms.creation.rooms import change_room, delete_room
from rooms.models import AuditEntry, Room, RoomCode, Session, Template
from rooms.operations.engine.calls import Author
from rooms.operations.engine.gate import acting
from rooms.wire.errors import NotFound, RoomError
from rooms.wire.json_gate import JSON


class RoomForm(SeenForm):
    """What of a room may be changed; what is not sent stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"template", "max_duration_seconds", "history", "slow_mode"} & self.fields.keys():
            self.fields[name].required = False

    def clean_template(self) -> Template:
        return self.cleaned_data["template"] or self.instance.template

    def clean_max_duration_seconds(self) -> int:
        seconds: int | None = self.cleaned_data["max_duration_seconds"]
        return self.instance.max_duration_seconds if seconds is None else seconds

    def clean_history(self) -> int:
        number: int | None = self.cleaned_data["history"]
        return self.instance.history if number is None else number

    def clean_slow_mode(self) -> int:
        seconds: int | None = self.cleaned_data["slow_mode"]
        return self.instance.slow_mode if seconds is None else seconds

    def clean_metadata_rules(self) -> JSON:
        rules = self.cleaned_data["metadata_rules"]
        if rules is None:
            return [] if "metadata_rules" in self.data else self.instance.metadata_rules
        return rules


@admin.register(Room)
class RoomAdmin(Editing, Inspection):
    list_display = ["__str__", "name", "people", "live_for", "enabled", "created_at"]
    list_filter = [LiveFilter, "enabled", "large_room", "template", "created_at"]
    ordering = ["-created_at"]
    search_fields = ["id", "name", "title", "codes__code"]
    search_help_text = "Id, name, title, or code for those who may see codes"
    actions = ["close", "open", "end_session", "remove"]
    shown_to = {
        "people": "peer", "live_for": "session", LiveFilter: "session", "session": "session", "earlier": "session",
        "codes__code": "roomcode", "template": "template", "template_link": "template", "acts": "auditentry",
    }  # fmt: skip
    form = RoomForm
    formfield_overrides = {models.JSONField: {"form_class": JSONText}}
    fields = [
        "id", "name", "title", "description", "enabled", "template_link", "size", "large_room", "max_duration_seconds",
        "history", "slow_mode", "region", "metadata_rules", "created_at", "updated_at", "people", "session", "earlier",
        "acts",
    ]  # fmt: skip
    readonly_fields = [
        "id", "enabled", "region", "created_at", "updated_at", "template_link", "people", "session", "earlier", "acts",
    ]  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_manage_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = super().get_fields(request, obj)
        if not self.has_change_permission(request):
            return fields
        return ["template" if name == "template_link" else name for name in fields]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, empty_label=None, **kwargs)

    def save_model(self, request: HttpRequest, room: Room, form: RoomForm, change: Any) -> None:
        if form.given:
            change_room(room.pk, author=author(request), look=form.check, **form.given)

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

    @admin.display(description="audit")
    def acts(self, room: Room) -> str:
        return list_link(AuditEntry, "who did what", room_id=room.pk)

    # --- Codes --------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        codes = path("<str:object_id>/codes/", self.admin_site.admin_view(self.codes), name="rooms_room_codes")
        return [codes, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if may_view(request, "roomcode"):
            codes = list(obj.codes.order_by("role", "created_at"))
            links = [(code, _link_of(request, code)) for code in codes]
            without = set(obj.template.usable_roles) - {code.role for code in codes if code.enabled}
            context |= {"codes": links, "roles_without_code": sorted(without)}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @method_decorator(require_POST)
    def codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a code for the role ``make``, or switch the code ``on`` or ``off``; back to the room's page."""
        if not (self.has_manage_permission(request) and may_view(request, "roomcode")):
            raise PermissionDenied
        room = get_object_or_404(Room, pk=object_id)
        try:
            noted, told = _change_codes(room, request.POST, author(request))
        except (RoomError, Room.DoesNotExist) as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, room, noted)
            self.message_user(request, told, messages.SUCCESS)
        return redirect("admin:rooms_room_change", room.pk)

    # --- Actions ------------------------------------------------------------------------------------

    @admin.action(description="Close selected rooms to newcomers", permissions=["manage"])
    def close(self, request: HttpRequest, rooms: QuerySet[Room]) -> None:
        self._set_enabled(request, rooms, False, "closed")

    @admin.action(description="Open selected rooms again", permissions=["manage"])
    def open(self, request: HttpRequest, rooms: QuerySet[Room]) -> None:
        self._set_enabled(request, rooms, True, "open")

    def _set_enabled(self, request: HttpRequest, rooms: QuerySet[Room], enabled: bool, word: str) -> None:
        for room in rooms:
            try:
                change_room(room.pk, author=author(request), enabled=enabled)
            except (RoomError, Room.DoesNotExist) as error:
                self.message_user(request, f"“{room}”: {error}", messages.ERROR)
            else:
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
            try:
                with acting():
                    # First, for the entry has the room's name in it.
                    self.log_deletions(request, Room.objects.filter(pk=room.pk))
                    delete_room(room.pk, author=author(request))
            except (RoomError, Room.DoesNotExist) as error:
                self.message_user(request, f"“{room}”: {error}", messages.ERROR)
            else:
                self.message_user(request, f"Room “{room}” is deleted.", messages.SUCCESS)
        return None

    @admin.action(description="End the session of selected rooms…", permissions=["act"])
    def end_session(self, request: HttpRequest, rooms: QuerySet[Room]) -> HttpResponse | None:
        return ask_to_end(self, request, Session.objects.filter(room__in=rooms.values("pk")))


def _link_of(request: HttpRequest, code: RoomCode) -> str:
    """The address that a code opens."""
    address = reverse("room", args=[code.code])
    return f"{settings.PUBLIC_URL}{address}" if settings.PUBLIC_URL else request.build_absolute_uri(address)


def _change_codes(room: Room, form: QueryDict, by: Author) -> tuple[str, str]:
    """Do what the form of a room's codes asks for; what to note of it, and what to tell. Raises RoomError."""
    if role := form.get("make"):
        [made] = make_codes(room.pk, role, author=by)
        return f"code for {role} made", f"The code for {role} is {made.code}."
    on = "on" in form
    code = room.codes.filter(code=form.get("on") or form.get("off") or "").first()
    if code is None:
        raise NotFound("code: no such room code")
    switch_code(code.code, on=on, author=by)
    word = "switched on" if on else "switched off"
    return f"code for {code.role} {word}", f"The code {code.code} is {word}."


@admin.register(RoomCode)
class RoomCodeAdmin(Inspection):
    list_display = ["code", "room_link", "role", "enabled", "created_at"]
    list_filter = ["enabled", "role", "created_at"]
    list_select_related = ["room"]
    ordering = ["-created_at"]
    search_fields = ["code", "room__id", "room__name", "room__title"]
    fields = ["code", "room_link", "role", "enabled", "created_at", "updated_at"]
    readonly_fields = ["room_link"]
    actions = ["replace"]
    shown_to = dict.fromkeys(["room_link", "room__id", "room__name", "room__title"], "room")

    @admin.action(description="Replace selected codes by new ones…", permissions=["manage"])
    def replace(self, request: HttpRequest, codes: QuerySet[RoomCode]) -> HttpResponse | None:
        # All that go: a new one replaces whatever codes its role has in the room.
        concerned = {(code.room, code.role) for code in codes.select_related("room")}
        all_of_them = reduce(or_, (Q(room=room, role=role) for room, role in concerned), Q(pk__in=[]))
        going = RoomCode.objects.filter(all_of_them, enabled=True).select_related("room")
        going = going.order_by("room", "role", "created_at")
        rows = [(code.code, code.role) for code in going]
        if question := confirmation(
            self, request, going, rows, title="Replace the codes?", answer="Yes, replace them",
            what="The links with these codes open nothing any more. Who is inside stays.",
        ):  # fmt: skip
            return question
        asked = {code.pk for code in codes}
        for room, role in concerned:
            if others := {code.code for code in going if (code.room, code.role) == (room, role)} - asked:
                told = f"Meanwhile {', '.join(sorted(others))} was made for {role}; its codes are not replaced."
                self.message_user(request, told, messages.ERROR)
                continue
            try:
                new = replace_code(room.pk, role, author=author(request))
            except (RoomError, ValidationError, Room.DoesNotExist, RoomCode.DoesNotExist) as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_change(request, room, f"code for {role} replaced")
                self.message_user(request, f"The code for {role} is now {new.code}.", messages.SUCCESS)
        return None

    @admin.display(description="room", ordering="room__name")
    def room_link(self, code: RoomCode) -> str:
        return link(code.room)
