"""Django's admin: what rooms hold now, and what sessions there were.

Most of it is to be looked at only. Rooms can be changed, closed to newcomers and deleted, sessions ended, codes
replaced. What peers wrote reaches a page as text. Messages are not shown at all. What belongs to another kind of row
than the page's own is shown to those alone who may view that kind.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from rooms.access.logins import LoginForm
from rooms.creation import change_room, delete_room, replace_code
from rooms.delivery.hub import perform_now
from rooms.models import MetadataEntry, Peer, Room, RoomCode, Session, Template, Worker
from rooms.operations.engine.calls import Caller
from rooms.operations.moderation import end_room
from rooms.wire.errors import RoomError

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

SHOWN_PEERS = 100
"""How many peers the page of a session lists by itself."""

SHOWN_CHARS = 80
"""How much of a value a list shows."""

SEARCH_CHARS = 200
"""How much of what is searched for is looked at."""

WAYS = {"", "exact", "gte", "lt", "isnull"}
"""How the filters of lists compare; of the many others Django has some fail on what they cannot read."""

admin.site.site_header = admin.site.site_title = "hmsroom"
admin.site.login_form = LoginForm


# --- What the pages share -----------------------------------------------------------------------


def may_view(request: HttpRequest, kind: str) -> bool:
    """Whether somebody may view rows of a kind, or change them, which includes it."""
    return any(request.user.has_perm(f"rooms.{right}_{kind}") for right in ("view", "change"))


class Inspection(ModelAdmin):
    """Pages to look at rows, never to change them.

    ``shown_to`` names, for what stands on these pages of other rows (columns, fields, filters, what is searched, what
    links filter by), the kind of these rows. ``linked`` are the filters that stand in links of other pages alone.
    """

    list_per_page = 50
    show_full_result_count = False
    shown_to: Mapping[Any, str] = {}
    linked: Sequence[str] = ()

    def _shown(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        """Those of the names that are shown in this request."""
        return [name for name in names if name not in self.shown_to or may_view(request, self.shown_to[name])]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self._shown(request, super().get_fields(request, obj))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._shown(request, super().get_list_display(request))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return self._shown(request, super().get_list_filter(request))

    def get_search_fields(self, request: HttpRequest) -> list[Any]:
        return self._shown(request, super().get_search_fields(request))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether a list may be filtered so: else what no page shows is found letter by letter."""
        filters = self.get_list_filter(request)
        names = [name if isinstance(name, str) else name.parameter_name for name in filters]
        name, _, way = lookup.partition("__")
        way = way.removeprefix("id").removeprefix("__")  # of another row, by its id
        known = (name in names and way in WAYS) or lookup in self._shown(request, self.linked)
        return known and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Each word is a condition of its own, and databases take only so many."""
        return super().get_search_results(request, queryset, search_term[:SEARCH_CHARS])

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may do what is declared with ``permissions=["act"]``."""
        return bool(request.user.has_perm("rooms.change_room"))

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Who may do what is declared with ``permissions=["remove"]``."""
        return bool(request.user.has_perm("rooms.delete_room"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_act"] = self.has_act_permission(request)
        context["may_remove"] = self.has_remove_permission(request)
        context["may_view_sessions"] = may_view(request, "session")
        return super().render_change_form(request, context, *args, **kwargs)


class LiveFilter(admin.SimpleListFilter):
    """Rooms with somebody in them, or sessions that are not over."""

    title = "live"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        live = Session.objects.filter(ended_at=None).values("room" if queryset.model is Room else "pk")
        if self.value() == "yes":
            return queryset.filter(pk__in=live)
        return queryset.exclude(pk__in=live) if self.value() == "no" else queryset


def number_of(rows: QuerySet[Any], by: str) -> Coalesce:
    """How many of the rows name each outer row in that field."""
    counted = rows.filter(**{by: OuterRef("pk")}).order_by().values(by).annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), 0)


def present() -> QuerySet[Peer]:
    """Peers that are in a session, those whose connection is just lost included."""
    return Peer.objects.filter(session__ended_at=None).exclude(state=Peer.State.LEFT)


def link(row: Model, text: object = None) -> str:
    """A link to the page of a row."""
    url = reverse(f"admin:rooms_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, row if text is None else text)


def list_link(model: type[Model], text: object, **filters: str) -> str:
    """A link to the list of a model's rows, filtered."""
    url = reverse(f"admin:rooms_{model._meta.model_name}_changelist", query=filters)
    return format_html('<a href="{}">{}</a>', url, text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table within a page."""
    body = [(format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows]
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", body),
    )


def written(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "-"


def lasting(start: datetime, end: datetime | None) -> str:
    """``h:mm:ss`` from start to end, or until now."""
    return str(timedelta(seconds=int(((end or timezone.now()) - start).total_seconds())))


def shortened(text: str | None) -> str:
    """The beginning of a value's JSON text."""
    if text is None:
        return "(removed)"
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"


def indented(text: str | None) -> str:
    """A value's JSON text over several lines."""
    if text is None:
        return "(removed)"
    return format_html("<pre>{}</pre>", json.dumps(json.loads(text), indent=2, ensure_ascii=False))


# --- Rooms --------------------------------------------------------------------------------------


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
    }  # fmt: skip
    fields = [
        "id", "name", "title", "enabled", "template_link", "size", "large_room", "created_at", "people", "session",
        "earlier", "codes",
    ]  # fmt: skip
    readonly_fields = ["id", "enabled", "created_at", "template_link", "people", "session", "earlier", "codes"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_act_permission(request)

    def save_model(self, request: HttpRequest, room: Room, form: Any, change: Any) -> None:
        change_room(room.pk, **{name: form.cleaned_data[name] for name in form.changed_data})

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

    @admin.action(description="Close selected rooms to newcomers", permissions=["act"])
    def close(self, request: HttpRequest, rooms: QuerySet[Room]) -> None:
        self._set_enabled(request, rooms, False, "closed")

    @admin.action(description="Open selected rooms again", permissions=["act"])
    def open(self, request: HttpRequest, rooms: QuerySet[Room]) -> None:
        self._set_enabled(request, rooms, True, "open")

    def _set_enabled(self, request: HttpRequest, rooms: QuerySet[Room], enabled: bool, word: str) -> None:
        for room in rooms:
            change_room(room.pk, enabled=enabled)
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
            self.log_deletions(request, Room.objects.filter(pk=room.pk))
            try:
                delete_room(room.pk, by=request.user.get_username())
            except (RoomError, Room.DoesNotExist) as error:
                self.message_user(request, f"“{room}”: {error}", messages.ERROR)
            else:
                self.message_user(request, f"Room “{room}” is deleted.", messages.SUCCESS)
        return None

    @admin.action(description="End the session of selected rooms…", permissions=["act"])
    def end_session(self, request: HttpRequest, rooms: QuerySet[Room]) -> HttpResponse | None:
        live = Session.objects.filter(room__in=rooms.values("pk"), ended_at=None)
        return end_sessions(self, request, live, chosen=rooms)


def confirmation(
    model_admin: Inspection,
    request: HttpRequest,
    chosen: QuerySet[Any],
    rows: Iterable[Sequence[str]],
    *,
    title: str,
    what: str,
    answer: str,
) -> HttpResponse | None:
    """A page that asks whether an action is meant, or None if that was answered. It lists the rows that it concerns."""
    if "confirmed" in request.POST:
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "what": what,
        "answer": answer,
        "rows": rows,
        "opts": model_admin.opts,
        "chosen": chosen.values_list("pk", flat=True),
        "action": request.POST["action"],
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/rooms/confirmation.html", context)


def end_sessions(
    model_admin: Inspection, request: HttpRequest, sessions: QuerySet[Session], *, chosen: QuerySet[Any]
) -> HttpResponse | None:
    """End live sessions once this is confirmed. ``chosen`` are the rows that the action was started with."""
    live = sessions.filter(ended_at=None).select_related("room")
    if not live:
        model_admin.message_user(request, "There is no live session to end.", messages.WARNING)
        return None
    rows = [(str(session.room), f"since {session.started_at:%Y-%m-%d %H:%M}") for session in live]
    if question := confirmation(
        model_admin, request, chosen, rows, title="End the session?", answer="Yes, end it",
        what="Everybody in it is sent away, and its metadata and messages are deleted. The room stays.",
    ):  # fmt: skip
        return question
    for session in live:
        try:
            perform_now(end_room, Caller(session.room_id, name=request.user.get_username()))
        except RoomError as error:
            model_admin.message_user(request, f"“{session.room}”: {error.message}", messages.ERROR)
        else:
            model_admin.log_change(request, session, "ended")
            model_admin.message_user(request, f"The session in “{session.room}” is over.", messages.SUCCESS)
    return None


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

    @admin.action(description="Replace selected codes by new ones…", permissions=["act"])
    def replace(self, request: HttpRequest, codes: QuerySet[RoomCode]) -> HttpResponse | None:
        rows = [(code.code, code.role) for code in codes]
        if question := confirmation(
            self, request, codes, rows, title="Replace the codes?", answer="Yes, replace them",
            what="The links with these codes open nothing any more. Who is inside stays.",
        ):  # fmt: skip
            return question
        for room, role in {(code.room, code.role) for code in codes.select_related("room")}:
            try:
                new = replace_code(room.pk, role)
            except (ValidationError, Room.DoesNotExist) as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_change(request, room, f"code for {role} replaced")
                self.message_user(request, f"The code for {role} is now {new.code}.", messages.SUCCESS)
        return None

    @admin.display(description="room", ordering="room__name")
    def room_link(self, code: RoomCode) -> str:
        return link(code.room)


@admin.register(Template)
class TemplateAdmin(Inspection):
    list_display = ["name", "role_names", "number_of_rooms"]
    ordering = ["name"]
    search_fields = ["id", "name"]
    shown_to = {"number_of_rooms": "room"}
    fields = ["id", "name", "roles_text", "settings_text", "number_of_rooms"]
    readonly_fields = ["roles_text", "settings_text", "number_of_rooms"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        return super().get_queryset(request).annotate(number=number_of(Room.objects.all(), "template"))

    @admin.display(description="roles")
    def role_names(self, template: Template) -> str:
        return ", ".join(sorted(template.usable_roles))

    @admin.display(description="rooms", ordering="number")
    def number_of_rooms(self, template: Any) -> str:
        return list_link(Room, template.number, template__id__exact=template.pk)

    @admin.display(description="roles")
    def roles_text(self, template: Template) -> str:
        return indented(json.dumps(template.roles))

    @admin.display(description="settings")
    def settings_text(self, template: Template) -> str:
        return indented(json.dumps(template.settings))


# --- Sessions -----------------------------------------------------------------------------------


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
        "people", "everybody", "peers", "entries",
    ]  # fmt: skip
    readonly_fields = ["room_link", "is_live", "duration", "ending", "people", "everybody", "peers", "entries"]
    shown_to = {
        "people": "peer", "everybody": "peer", "peers": "peer", "entries": "metadataentry",
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
        "updated_at",
    ]  # fmt: skip
    readonly_fields = ["session_link", "room_link", "whole_value"]
    shown_to = {
        "session_link": "session", "session__id": "session",
        **dict.fromkeys(["updated_by", "updated_by_name"], "peer"),
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


# --- Processes ----------------------------------------------------------------------------------


@admin.register(Worker)
class WorkerAdmin(Inspection):
    list_display = ["id", "is_alive", "last_seen", "dead_at", "people"]
    ordering = ["-last_seen"]
    search_fields = ["id"]
    fields = ["id", "is_alive", "last_seen", "dead_at", "people"]
    readonly_fields = ["is_alive", "people"]
    shown_to = {"people": "peer"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        connected = Peer.objects.filter(state=Peer.State.CONNECTED)
        return super().get_queryset(request).annotate(number=number_of(connected, "worker"))

    @admin.display(description="alive", boolean=True)
    def is_alive(self, worker: Worker) -> bool:
        return worker.dead_at is None and timezone.now() - worker.last_seen < timedelta(seconds=settings.LEASE_TTL)

    @admin.display(description="connected peers", ordering="number")
    def people(self, worker: Any) -> int:
        return int(worker.number)
