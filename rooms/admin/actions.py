"""What can be done from several pages."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from rooms.admin.shared import Inspection, author
from rooms.delivery.hub import perform_now
from rooms.models import Session
from rooms.operations.moderation import end_room
from rooms.wire.errors import RoomError


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
            # By the operation that peers call, so that those who are inside are told.
            perform_now(end_room, author(request).caller(session.room_id))
        except RoomError as error:
            model_admin.message_user(request, f"“{session.room}”: {error.message}", messages.ERROR)
        else:
            model_admin.log_change(request, session, "ended")
            model_admin.message_user(request, f"The session in “{session.room}” is over.", messages.SUCCESS)
    return None
