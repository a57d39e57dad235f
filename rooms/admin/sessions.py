"""Sessions and their metadata."""

import hashlib
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from rooms.admin.acting import ACTS, changed_meanwhile, held_meanwhile, in_words, perform_act, require, send_notice
from rooms.admin.actions import ask_to_end, end_sessions
from rooms.admin.entries import EntryForm, set_entry
from rooms.admin.live import standing
from rooms.admin.shared import (
    Inspection,
    LiveFilter,
    brief,
    indented,
    lasting,
    link,
    list_link,
    number_of,
    present,
    shortened,
    visible,
)
from rooms.models import AuditEntry, MetadataEntry, Peer, Session
from rooms.wire.errors import LockConflict, RoomError, VersionConflict


@admin.register(Session)
class SessionAdmin(Inspection):
    list_display = [
        "brief_id", "room_link", "is_live", "started_at", "duration", "people", "everybody", "messages", "ending",
    ]  # fmt: skip
    list_filter = [LiveFilter, "started_at", "ended_at"]
    ordering = ["-started_at"]
    search_fields = ["id", "room__id", "room__name", "room__title"]
    linked = ["room__id__exact"]
    actions = ["end"]
    fields = [
        "id", "room_link", "is_live", "locked", "started_at", "ended_at", "ending", "ended_by", "messages", "seq",
        "people", "everybody", "acts",
    ]  # fmt: skip
    readonly_fields = ["room_link", "is_live", "ending", "people", "everybody", "acts"]
    shown_to = {
        "people": "peer", "everybody": "peer", "acts": "auditentry",
        **dict.fromkeys(["room_link", "room__id", "room__id__exact", "room__name", "room__title"], "room"),
    }  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        # With its room, which may be deleted at any moment, and the session with it.
        queryset: QuerySet[Session] = super().get_queryset(request).select_related("room")
        return queryset.annotate(number=number_of(present(), "session"), total=number_of(Peer.objects.all(), "session"))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        ours = [
            path("<str:object_id>/live/", view(self.live), name="rooms_session_live"),
            path("<str:object_id>/act/<slug:name>/", view(self.act), name="rooms_session_act"),
            path("<str:object_id>/entry/", view(self.entry), name="rooms_session_entry"),
        ]
        return [*ours, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        context |= standing(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    # --- Acting -------------------------------------------------------------------------------------

    @method_decorator(require_safe)
    def live(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What of a session's page changes, for the page's script to put in its place."""
        self._session(request, object_id)
        # One for all forms, to be left out where pages are compared: it is another each time.
        token = get_token(request)
        page = self.change_view(request, object_id, extra_context={"csrf_token": token})
        if not isinstance(page, TemplateResponse):  # it leads away from a session that was deleted meanwhile
            raise Http404
        page.template_name = "admin/rooms/session/_live.html"
        page.render()
        version = hashlib.sha256(page.content.replace(token.encode(), b"")).hexdigest()
        page["ETag"] = f'"{version}"'
        return get_conditional_response(request, etag=page["ETag"], response=page) or page

    @method_decorator(require_POST)
    def act(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Do one of ACTS, or send a notice, and come back to the page, which says what became of it."""
        require(request)
        session = self._session(request, object_id)
        act = ACTS.get(name)
        if act is None and name != "notice":
            raise Http404
        try:
            told = perform_act(request, session, act) if act else send_notice(request, session)
        except VersionConflict:
            self.message_user(request, changed_meanwhile(session, request.POST["key"]), messages.ERROR)
        except LockConflict as error:
            self.message_user(request, held_meanwhile(request, session, error), messages.ERROR)
        except RoomError as error:
            self.message_user(request, in_words(error), messages.ERROR)
        else:
            self.log_change(request, session, act.noted if act else "sent a notice")
            self.message_user(request, told, messages.SUCCESS)
        return redirect("admin:rooms_session_change", session.pk)

    def entry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page to set a key of the session's metadata; what changed meanwhile is shown and not written over."""
        require(request, "metadataentry")
        session = self._session(request, object_id)
        key = request.GET.get("key", "")
        form = EntryForm(request.POST or None, initial=EntryForm.showing(key, session.entries.filter(key=key).first()))
        if request.method == "POST" and form.is_valid():
            key = form.cleaned_data["key"]
            try:
                set_entry(request, session, **form.cleaned_data)
            except VersionConflict:
                form.show_conflict(session.entries.filter(key=key).first())
            except LockConflict as error:
                form.refuse(held_meanwhile(request, session, error))
            except RoomError as error:
                form.refuse(error.message)
            else:
                self.log_change(request, session, "set a key")
                self.message_user(request, format_html("“<bdi>{}</bdi>” is set.", key), messages.SUCCESS)
                return redirect("admin:rooms_session_change", session.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Set a value",
            "opts": self.opts,
            "session": session,
            "form": form,
        }
        return TemplateResponse(request, "admin/rooms/session/entry.html", context)

    def _session(self, request: HttpRequest, object_id: str) -> Session:
        session: Session = get_object_or_404(self.get_queryset(request), pk=object_id)
        return session

    @admin.display(description="id", ordering="id")
    def brief_id(self, session: Session) -> str:
        return brief(session.pk)

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

    @admin.display(description="audit")
    def acts(self, session: Session) -> str:
        return list_link(AuditEntry, "who did what", room_id=session.room_id, session_id=session.pk)

    @admin.display(description="why it ended", ordering="end_reason")
    def ending(self, session: Session) -> str:
        return session.end_reason or "-"

    @admin.action(description="End selected sessions…", permissions=["act"])
    def end(self, request: HttpRequest, sessions: QuerySet[Session]) -> HttpResponse | None:
        if "confirmed" not in request.POST:
            return ask_to_end(self, request, sessions)
        end_sessions(self, request, sessions)
        return None


@admin.register(MetadataEntry)
class MetadataEntryAdmin(Inspection):
    list_display = ["key_shown", "room_link", "value", "change_version", "updated_by_name", "updated_at"]
    list_filter = ["updated_at"]
    list_select_related = ["session__room"]
    ordering = ["-updated_at"]
    search_fields = ["key", "data", "updated_by_name", "session__id", "session__room__name", "session__room__title"]
    linked = ["session__id__exact"]
    fields = [
        "key_shown", "session_link", "room_link", "whole_value", "size", "change_version", "updated_by_name",
        "updated_by", "updated_at", "owner", "on_leave", "expires_at",
    ]  # fmt: skip
    readonly_fields = ["key_shown", "session_link", "room_link", "whole_value"]
    shown_to = {
        **dict.fromkeys(["session_link", "session__id", "session__id__exact"], "session"),
        **dict.fromkeys(["updated_by", "updated_by_name", "owner"], "peer"),
        **dict.fromkeys(["room_link", "session__room__name", "session__room__title"], "room"),
    }  # fmt: skip

    @admin.display(description="key", ordering="key")
    def key_shown(self, entry: MetadataEntry) -> str:
        return visible(entry.key)

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
