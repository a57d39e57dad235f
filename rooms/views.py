"""The pages: make a room or open one, and the room itself."""

import logging
import re
import sys
import time
import unicodedata
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, get_language_bidi, gettext, gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST, require_safe

from rooms.access import tokens
from rooms.api.http import admitted, counted, limit_address
from rooms.catalogue import words
from rooms.creation.rooms import create_room
from rooms.models import MAX_DESCRIPTION_CHARS, Peer, Room, RoomCode, Session
from rooms.observe.logs import describe
from rooms.operations.engine.calls import Author
from rooms.operations.persons import remembered
from rooms.wire.errors import TooFast, Unauthorized

log = logging.getLogger("rooms.views")

MAX_TITLE_CHARS = 100
HOST, GUEST = "host", "guest"
UNTITLED = gettext_lazy("A room")
# What roles are called, where that is no name of the room's own.
_USUAL_ROLES = {HOST: gettext_lazy("host"), GUEST: gettext_lazy("guest"), "viewer": gettext_lazy("viewer")}
MAX_RECENT = 8  # rooms that the start page lists, as many as static/rooms/page/recent.js remembers

# The characters of Bidi_Control and their short names, as static/rooms/page/text.js shows them.
_DIRECTIONS = {
    0x061C: "⟨ALM⟩",
    0x200E: "⟨LRM⟩",
    0x200F: "⟨RLM⟩",
    0x202A: "⟨LRE⟩",
    0x202B: "⟨RLE⟩",
    0x202C: "⟨PDF⟩",
    0x202D: "⟨LRO⟩",
    0x202E: "⟨RLO⟩",
    0x2066: "⟨LRI⟩",
    0x2067: "⟨RLI⟩",
    0x2068: "⟨FSI⟩",
    0x2069: "⟨PDI⟩",
}

private = cache_control(private=True, no_cache=True)


@require_safe
@private
def start(request: HttpRequest) -> HttpResponse:
    """Make a room, or open one by its code."""
    return _start(request)


@require_safe
@cache_control(private=True, max_age=86_400)
def manifest(request: HttpRequest) -> HttpResponse:
    """What browsers know of the pages when somebody keeps them as an app."""
    start = reverse("start")
    about = {
        "name": "hmsroom",
        "description": gettext("Rooms to talk in."),
        "lang": get_language(),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": "#f5f4f0",
        "theme_color": "#0f6b5c",
        "icons": [{"src": static("rooms/page/favicon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }
    return JsonResponse(about, content_type="application/manifest+json")


@require_POST
def new_room(request: HttpRequest) -> HttpResponseBase:
    """Make a room and enter it as its host."""
    if not _may_make_rooms(request):
        login = _login_url()
        return redirect_to_login(reverse("start"), login_url=login) if login else permission_denied(request)
    title = " ".join(request.POST.get("title", "").split())
    if len(title) > MAX_TITLE_CHARS:
        problem = gettext("A name has at most %(limit)d characters; this one has %(count)d.")
        problem %= {"limit": MAX_TITLE_CHARS, "count": len(title)}
        return _start(request, status=400, title=title, title_problem=problem)
    # After what can be mended by typing: a mistake uses up nothing.
    try:
        limit_address(request)
    except TooFast:
        problem = gettext("Too many rooms were made from here just now. Try again in a moment.")
        return _start(request, status=429, title=title, title_problem=problem)
    try:
        made = create_room(title=title, author=Author(request.user.get_username(), "page"))
    except ValidationError as error:
        return _start(request, status=400, title=title, title_problem=" ".join(error.messages))
    return redirect("room", code=_most_important(made).code)


@require_GET
@private
def open_room(request: HttpRequest) -> HttpResponseBase:
    """Go to the room of a code; a whole link to it will do."""
    given = request.GET.get("code", "").strip()
    code = code_in(given)
    if RoomCode.objects.filter(code=code).exists():
        return redirect("room", code=code)
    if given:
        problem = gettext("No room has this code. Check it, or ask for the link again.")
    else:
        problem = gettext("Type a code or paste a link.")
    return _start(request, status=404 if given else 400, code=given, code_problem=problem)


@require_GET
@private
def recent_rooms(request: HttpRequest) -> HttpResponse:
    """A piece of the start page: those of the codes that this browser remembers whose rooms can be entered."""
    codes = request.GET.getlist("code")[:MAX_RECENT]
    found = {code.code: code for code in RoomCode.objects.select_related("room").filter(code__in=codes, enabled=True)}
    rooms = [
        {"code": code, "title": shown(found[code].room.title) or UNTITLED, "people": head_count(found[code].room)}
        for code in codes
        if code in found and found[code].room.enabled
    ]
    return render(request, "rooms/_recent.html", {"rooms": rooms})


@require_safe
@private
@gzip_page  # nothing in it is secret to who can ask for it: its code is its address
def room(request: HttpRequest, code: str) -> HttpResponse:
    """The lobby and the room, in one page."""
    found = RoomCode.objects.select_related("room__template").filter(code=code.lower()).first()
    if found is None:
        return page_not_found(request, what="room")
    # The browser knows whether it is inside: who is may reload the page and come back, others read that it is closed.
    is_closed = not (found.enabled and found.room.enabled)
    invited = found if is_closed else invitation(found)
    return render(
        request,
        "rooms/room.html",
        {
            "code": found.code,
            "role": found.role,
            "role_name": _USUAL_ROLES.get(found.role, found.role),
            # A link that was replaced tells nothing more of the room; who is inside by it is told there.
            "title": (found.enabled and shown(found.room.title)) or UNTITLED,
            "closed": _closed(found),
            "words": words(),
            # The page shows times by the server's clock, for its own may be anything.
            "now": time.time_ns() // 1_000_000,
            "people": None if is_closed else head_count(found.room),
            "description": "" if is_closed else shown(found.room.description),
            "locked": not is_closed and _is_locked(found.room),
            "invite": request.build_absolute_uri(reverse("room", args=[invited.code])),
            "invite_role": invited.role,
            "limits": {
                "message": settings.MAX_MESSAGE_CHARS,
                "name": settings.MAX_NAME_CHARS,
                "title": MAX_TITLE_CHARS,
                "description": MAX_DESCRIPTION_CHARS,
            },
        },
        status=403 if is_closed else 200,
    )


@require_safe
@private
def door(request: HttpRequest, code: str) -> HttpResponse:
    """What the door says of a room, ``{inside, locked, removed}``, for who waits there; 403 where nobody new enters.

    With the auth token that somebody has for the room, as the header ``Token``, it says whether they are kept out, else
    whether anybody new is.
    """
    found = RoomCode.objects.select_related("room").filter(code=code.lower(), enabled=True, room__enabled=True).first()
    if found is None:
        return JsonResponse({}, status=403)
    inside = render_to_string("rooms/_inside.html", {"people": head_count(found.room)})
    try:
        token = request.headers.get("token")
        person = remembered(found.room.id, tokens.read(admitted(request, token)).owner) if token else None
    except (Unauthorized, TooFast) as error:  # nobody knows whether who waits may come
        return JsonResponse({}, status=counted(request, error).code)
    locked = _is_locked(found.room) and not (person and person.was_let_in)
    removed = bool(person and person.removed_at)
    return JsonResponse({"inside": inside.strip(), "locked": locked, "removed": removed})


def _closed(code: RoomCode) -> dict[str, Promise]:
    """Why nobody new enters by a code, as a heading and an explanation; empty if that is not so."""
    if code.enabled and code.room.enabled:
        return {}
    heading, explanation = _REFUSALS["closed room" if code.enabled else "dead link"]
    return {"heading": heading, "explanation": explanation}


def _is_locked(room: Room) -> bool:
    return Session.objects.filter(room=room, ended_at=None, locked=True).exists()


def code_in(text: str) -> str:
    """The code in a link to a room, or in what somebody typed."""
    link = re.search(r"/r/([^/?#\s]+)", text)
    return (link[1] if link else text).strip("/ ").lower()


def shown(title: str) -> str:
    """A title as pages show it: characters that turn the direction of what follows are seen; empty if nothing is."""
    if not any(unicodedata.category(character)[0] in "LNPS" for character in title):
        return ""
    return title.translate(_DIRECTIONS)


def invitation(own: RoomCode) -> RoomCode:
    """The code to give to others: the guests' for whoever may remove people, else one's own."""
    role = own.room.template.role(own.role)
    if role is None or not role.allows("removeOthers"):
        return own
    return own.room.codes.filter(role=GUEST, enabled=True).first() or own


def _most_important(room: Room) -> RoomCode:
    """The code for who makes a room: the host's, or of the role that comes first where the template has no host."""
    codes = {code.role: code for code in room.codes.all()}
    roles = filter(None, map(room.template.role, sorted(codes)))
    return codes.get(HOST) or codes[min(roles, key=lambda role: role.priority).name]


def head_count(room: Room) -> int:
    """How many are in the room, those whose connection is just lost included."""
    return Peer.objects.filter(session__room=room, session__ended_at=None).exclude(state=Peer.State.LEFT).count()


# --- Refusals -----------------------------------------------------------------------------------

# What each tells: heading, explanation.
_REFUSALS = {
    "bad": (
        gettext_lazy("That did not work"),
        gettext_lazy("The request could not be understood. Go back and try once more."),
    ),
    "csrf": (
        gettext_lazy("That did not work"),
        gettext_lazy("The page was open for too long, or cookies are off. Go back, reload and try again."),
    ),
    "closed": (gettext_lazy("This page is closed"), gettext_lazy("You may not see this page.")),
    "closed room": (
        gettext_lazy("This room is closed"),
        gettext_lazy("Whoever runs the room has closed it. Ask them to open it again."),
    ),
    "dead link": (
        gettext_lazy("This link is no longer good"),
        gettext_lazy("It was replaced by another one, or switched off. Ask whoever invited you for a new one."),
    ),
    "missing": (gettext_lazy("Nothing here"), gettext_lazy("There is no page at this address.")),
    "missing room": (
        gettext_lazy("No such room"),
        gettext_lazy("No room has this code. Check the link, or ask for it again."),
    ),
    "away": (gettext_lazy("Not now"), gettext_lazy("The server cannot reach its database. Try again in a moment.")),
    "error": (
        gettext_lazy("Something broke"),
        gettext_lazy("The server made a mistake, and its log says which. Try again in a moment."),
    ),
}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _refuse(request, "bad", 400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _refuse(request, "csrf", 403)


def permission_denied(request: HttpRequest, exception: Exception | None = None, what: str = "") -> HttpResponse:
    return _refuse(request, f"closed {what}".strip(), 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None, what: str = "") -> HttpResponse:
    return _refuse(request, f"missing {what}".strip(), 404)


def server_error(request: HttpRequest) -> HttpResponse:
    # Django hands over none; it asks for this page while the error is being handled.
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        log.error("the database cannot be used", extra={"context": {"why": describe(error)}})
        return _refuse(request, "away", 503)
    return _refuse(request, "error", 500)


def _refuse(request: HttpRequest, kind: str, status: int) -> HttpResponse:
    heading, explanation = _REFUSALS[kind]
    context = {"heading": heading, "explanation": explanation, "status": status}
    return render(request, "rooms/refusal.html", context, status=status)


# --- The start page -----------------------------------------------------------------------------


def _start(request: HttpRequest, *, status: int = 200, **filled: Any) -> HttpResponse:
    context = {
        "may_make_rooms": _may_make_rooms(request),
        "login_url": _login_url(),
        "max_title": MAX_TITLE_CHARS,
        **filled,
    }
    return render(request, "rooms/start.html", context, status=status)


def _may_make_rooms(request: HttpRequest) -> bool:
    return settings.ROOM_CREATION == "anyone" or bool(request.user.is_active and request.user.is_staff)


def _login_url() -> str:
    """Where staff log in; empty while the admin is off."""
    return reverse("admin:login") if settings.ADMIN_PATH else ""
