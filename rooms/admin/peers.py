"""Peers, and what became of each."""

import json
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from rooms.admin.shared import Inspection, link, may_act, table, written
from rooms.models import Event, Peer, milliseconds
from rooms.wire import effects
from rooms.wire.effects import Came, CameBack, Left, RoleChanged, StateChanged
from rooms.wire.events import compact

MAX_STEPS = 200
"""Of a peer's timeline, the last ones."""

NOT_KEPT = (
    "Stored with a peer is when it came and left last. What lies between (lost connections, roles, earlier visits) is "
    "read from the journal of its session, which keeps the newest events alone and goes when the session ends. "
    "Who gave a role or removed somebody is in the audit."
)


@admin.register(Peer)
class PeerAdmin(Inspection):
    list_display = ["__str__", "room_link", "state", "role", "user_id", "joined_at", "left_at", "leave_reason"]
    list_filter = ["state", "role", "leave_reason", "joined_at"]
    ordering = ["-id"]  # nearly that of joining, and has an index
    search_fields = ["name", "peer_id", "user_id", "session__id", "session__room__name", "session__room__title"]
    linked = ["session__id__exact"]
    fields = [
        "name", "peer_id", "user_id", "session_link", "room_link", "state", "role", "groups", "metadata", "observed",
        "joined_at", "gone_at", "left_at", "leave_reason", "worker", "conn_id", "timeline",
    ]  # fmt: skip
    readonly_fields = ["session_link", "room_link", "timeline"]
    shown_to = {
        **dict.fromkeys(["session_link", "session__id", "session__id__exact"], "session"), "observed": "metadataentry",
        **dict.fromkeys(["room_link", "session__room__name", "session__room__title"], "room"),
    }  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Peer]:
        # With its session and room, which may be deleted at any moment, and the peer with them.
        queryset: QuerySet[Peer] = super().get_queryset(request)
        return queryset.select_related("session__room")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if may_act(request) and obj.present and obj.session.ended_at is None:
            roles = sorted(obj.session.room.template.usable_roles)
            context |= {"acts": True, "peer": obj, "session": obj.session, "roles": roles}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @admin.display(description="room", ordering="session__room__name")
    def room_link(self, peer: Peer) -> str:
        return link(peer.session.room)

    @admin.display(description="session", ordering="session")
    def session_link(self, peer: Peer) -> str:
        return link(peer.session)

    @admin.display()
    def timeline(self, peer: Peer) -> str:
        rows = [(written(moment), what) for moment, what in _steps(peer)]
        return format_html("{}<p>{}</p>", table(["When", "What"], rows), NOT_KEPT)


def _steps(peer: Peer) -> list[tuple[datetime, str]]:
    """What is known to have happened to a peer, in order."""
    steps = _from_journal(peer)
    told = {(milliseconds(moment), what.partition(" ")[0]) for moment, what in steps}
    held = [(peer.joined_at, f"joined as {peer.joined_role or peer.role}")]
    if peer.state == Peer.State.RECONNECTING and peer.gone_at:
        held.append((peer.gone_at, "lost the connection"))
    if peer.left_at:
        held.append((peer.left_at, f"left: {peer.leave_reason}"))
    # What the journal tells as well is told once.
    steps += [(moment, what) for moment, what in held if (milliseconds(moment), what.partition(" ")[0]) not in told]
    return sorted(steps)


def _from_journal(peer: Peer) -> list[tuple[datetime, str]]:
    events = Event.objects.filter(session_id=peer.session_id, facts__contains=compact(peer.peer_id))
    steps = []
    for facts, body, at in events.order_by("-seq").values_list("facts", "body", "at")[:MAX_STEPS]:
        if what := _step(peer, facts, body):
            steps.append((datetime.fromtimestamp(at / 1000, UTC), what))
    return steps


def _step(peer: Peer, facts: str, body: str) -> str:
    """What an event says of the peer; nothing if it is of another, whose facts have its id in them."""
    match effects.decode(json.loads(facts)):
        case Came(peer.peer_id):
            return f"joined as {json.loads(body).get('role', '?')}"
        case CameBack({"peer_id": peer.peer_id}):
            return "is back on a new connection"
        case StateChanged({"peer_id": peer.peer_id, "state": state}):
            return "lost the connection" if state == Peer.State.RECONNECTING else "was not lost after all"
        case RoleChanged(peer.peer_id, before, now):
            return f"role: {before}, now {now}"
        case Left(peer.peer_id):
            return f"left: {json.loads(body).get('reason', '')}"
    return ""
