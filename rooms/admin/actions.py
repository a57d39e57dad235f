"""What can be done from several pages."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from rooms.admin.shared import Inspection, author, may_view
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
    """A page that asks whether an action is meant, or None if that was answered. It lists the rows that it concerns.

    The answer names these rows, which are ``chosen``, whatever the action was started with.
    """
    if "confirmed" in request.POST:
        return None
    return question(model_admin, request, chosen, rows, request.POST["action"], title=title, what=what, answer=answer)


def question(
    model_admin: Inspection,
    request: HttpRequest,
    chosen: QuerySet[Any],
    rows: Iterable[Sequence[str]],
    action: str,
    **words: str,
) -> HttpResponse:
    """The page of ``confirmation``; the answer goes to that action of the list of what is chosen."""
    context = {
        **model_admin.admin_site.each_context(request),
        **words,
        "rows": rows,
        "opts": model_admin.opts,
        "asked": chosen.model._meta,
        "chosen": [row.pk for row in chosen],
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/rooms/confirmation.html", context)


def show_secrets(model_admin: Inspection, request: HttpRequest, secrets: Sequence[tuple[str, str]]) -> HttpResponse:
    """A page with new secrets and what each is of: the answer itself, for messages travel in a cookie that stays."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "A new secret",
        "opts": model_admin.opts,
        "secrets": secrets,
    }
    return TemplateResponse(request, "admin/rooms/secrets.html", context)


def ask_to_end(model_admin: Inspection, request: HttpRequest, sessions: QuerySet[Session]) -> HttpResponse | None:
    """A page that asks whether live ones of the sessions are to end; None if there are none, which is told."""
    live = sessions.filter(ended_at=None).select_related("room")
    if not live:
        model_admin.message_user(request, "There is no live session to end.", messages.WARNING)
        return None
    rows = [(_called(request, session), f"since {session.started_at:%Y-%m-%d %H:%M}") for session in live]
    # Answered with the sessions that it lists: in their rooms there may be others by then.
    return question(
        model_admin, request, live, rows, "end", title="End the session?", answer="Yes, end it",
        what="Everybody in it is sent away, and its metadata and messages are deleted. The room stays.",
    )  # fmt: skip


def end_sessions(model_admin: Inspection, request: HttpRequest, sessions: QuerySet[Session]) -> None:
    """End sessions, and tell of each what became of it."""
    for session in sessions.select_related("room"):
        called = _called(request, session)
        try:
            # By the operation that peers call, so that those who are inside are told.
            perform_now(end_room, author(request).caller(session.room_id, session.pk))
        except RoomError as error:
            model_admin.message_user(request, f"“{called}”: {error.message}", messages.ERROR)
        else:
            model_admin.log_change(request, session, "ended")
            model_admin.message_user(request, f"The session in “{called}” is over.", messages.SUCCESS)


def _called(request: HttpRequest, session: Session) -> str:
    return str(session.room) if may_view(request, "room") else session.pk
