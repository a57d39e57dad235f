"""What an operator does in a live session: by the operations that peers call, so that everybody hears of it at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, QueryDict
from django.utils.html import format_html

from rooms.admin.shared import SHOWN_CHARS, author, may_act, may_view, shortened
from rooms.delivery.hub import perform_now
from rooms.models import Session
from rooms.operations.engine.calls import Operation
from rooms.operations.groups import HANDS, remove_from_group
from rooms.operations.locks import unlock
from rooms.operations.messaging import broadcast
from rooms.operations.metadata.writing import set_metadata
from rooms.operations.moderation import remove_peer, request_role_change
from rooms.operations.persons import let_in
from rooms.operations.polls import stop_poll
from rooms.operations.room_settings import set_room
from rooms.wire.errors import BadRequest, LockConflict, RoomError
from rooms.wire.parameters import bind


@dataclass(frozen=True, slots=True)
class Act:
    """An operation as a form asks for it, to be done by those who may see that ``kind`` of row.

    ``fields`` of the form are arguments of the same name, and so are those of ``numbers`` as whole numbers; ``fixed``
    are the rest. ``told`` is what the operator is told afterwards, ``noted`` what stands in the session's history.
    """

    operation: Operation
    kind: str
    told: str
    noted: str
    fields: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self, form: QueryDict) -> dict[str, Any]:
        numbers = {name: _number(name, form.get(name, "")) for name in self.numbers}
        return {name: form.get(name, "") for name in self.fields} | numbers | dict(self.fixed)


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadRequest(f"{name}: expected a whole number")
    return int(text)


ACTS = {
    "remove": Act(
        remove_peer, "peer", "“{}” is removed, and stays out until let in again.", "removed somebody",
        fields=("requested_for", "reason"),
    ),
    "role": Act(
        request_role_change, "peer", "“{}” has the role now.", "gave somebody a role",
        fields=("requested_for", "role"), fixed={"force": True},
    ),
    "lower-hand": Act(
        remove_from_group, "peer", "The hand of “{}” is down.", "lowered a hand", fields=("peer_id",),
        fixed={"name": HANDS},
    ),
    "let-in": Act(let_in, "peer", "“{}” may come back.", "let somebody in again", fields=("person",)),
    "clear": Act(
        set_metadata, "metadataentry", "“{}” is cleared.", "cleared a key", fields=("key",),
        numbers=("if_change_version",),
    ),
    "release": Act(
        unlock, "metadataentry", "The lock “{}” is released.", "released a lock", fields=("name",), numbers=("token",)
    ),
    "lock": Act(set_room, "session", "Nobody new gets in now.", "locked the room", fixed={"locked": True}),
    "unlock": Act(set_room, "session", "The room is unlocked.", "unlocked the room", fixed={"locked": False}),
    "stop-poll": Act(stop_poll, "poll", "The poll “{}” is stopped.", "stopped a poll", fields=("poll_id",)),
}  # fmt: skip
"""By the last part of the address that a form is sent to."""


def perform(request: HttpRequest, session: Session, operation: Operation, **arguments: Any) -> Mapping[str, Any]:
    """The result of an operation that an operator asks for in a session. Raises RoomError."""
    caller = author(request).caller(session.room_id, session.pk)
    return perform_now(operation, caller, **bind(operation.parameters, arguments))


def perform_act(request: HttpRequest, session: Session, act: Act) -> str:
    """Do what a form asks for; what there is to say about it. Raises RoomError, and PermissionDenied."""
    require(request, act.kind)
    perform(request, session, act.operation, **act.arguments(request.POST))
    return format_html(act.told, format_html("<bdi>{}</bdi>", request.POST.get("called", "")[:SHOWN_CHARS]))


def send_notice(request: HttpRequest, session: Session) -> str:
    """Say something to everybody, to the holders of a role, or to one peer. Raises RoomError, PermissionDenied."""
    form = request.POST
    whom: dict[str, Any] = {}
    if form.get("peer_id"):
        require(request, "peer")
        whom["peer_id"] = form["peer_id"]
    elif form.get("role"):
        whom["roles"] = [form["role"]]
    require(request)
    perform(request, session, broadcast, info={"message": form.get("message", "")}, **whom)
    return "The notice is sent."


def require(request: HttpRequest, kind: str = "") -> None:
    """Raises PermissionDenied unless somebody may act, and may view rows of the kind that is acted on."""
    if not (may_act(request) and (not kind or may_view(request, kind))):
        raise PermissionDenied


_FIELD = re.compile(r"^([a-z]+)[\w.\[\]]*: ")
_CALLED = {"info": "message", "requested": "peer", "roles": "role", "if": "version"}
"""Parameters, by their first word, whose name says nothing to who pressed a button."""


def in_words(error: RoomError) -> str:
    """Why an act was refused, and because of which field of its form."""
    return _FIELD.sub(lambda found: f"{_CALLED.get(found[1], found[1])}: ", error.message)


def changed_meanwhile(session: Session, key: str) -> str:
    """What an operator is told whose page was behind: what the key holds now."""
    entry = session.entries.filter(key=key).first()
    if entry is None or entry.data is None:
        return format_html("“<bdi>{}</bdi>” changed meanwhile: it is not set any more.", key)
    return format_html("“<bdi>{}</bdi>” changed meanwhile, it now says <code>{}</code>", key, shortened(entry.data))


def held_meanwhile(request: HttpRequest, session: Session, conflict: LockConflict) -> str:
    """What an operator is told whose act a lock stands in the way of, or who meant another holder of it."""
    name, holder = conflict.data["name"], conflict.data["holder"]
    if not holder:
        return format_html("Nobody holds the lock “<bdi>{}</bdi>” any more.", name)
    peer = session.peers.filter(peer_id=holder).first() if may_view(request, "peer") else None
    return format_html("The lock “<bdi>{}</bdi>” is held by <bdi>{}</bdi>.", name, peer or "somebody")
