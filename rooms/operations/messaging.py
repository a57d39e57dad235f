"""Messages: chat and whatever else an app sends to everybody, to roles, or to one peer.

They are kept for the life of the session, the last KEPT_MESSAGES of them, as part of its journal.
"""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, NotRequired, TypedDict

from rooms.models import Message, Peer
from rooms.operations.engine.gate import Context, operation
from rooms.operations.engine.work import RANDOM_DIGITS
from rooms.wire.errors import BadRequest, Forbidden, NotFound
from rooms.wire.events import EVERYBODY, Audience, Event, Stored, compact
from rooms.wire.names import shows
from rooms.wire.parameters import Between, Chars, Items, PeerId, RoleName, Text
from rooms.wire.results import Outcome

CHAT = "chat"
"""The type of messages that people read."""


class Info(TypedDict):
    """What is said. Messages of other types than ``chat`` are events for the app."""

    message: Annotated[str, Text(1, "MAX_MESSAGE_CHARS")]
    type: NotRequired[Annotated[str, Chars(0, 64)]]


@operation("broadcast", requires="sendMessages")
def broadcast(
    context: Context,
    *,
    info: Info,
    roles: Annotated[list[RoleName], Items(50)] | None = None,
    peer_id: PeerId | None = None,
    client_id: Annotated[str, Chars(0, 64)] | None = None,
) -> Outcome:
    """Send a message to everybody else, or to the holders of some of the room's roles, or to one peer.

    ``client_id`` makes a repetition harmless: it gets the first one's answer. Answers ``{message_id, timestamp}``.
    What the server says has no sender.
    """
    _check(context, info, roles or ())
    sender, session = context.known_peer, context.session
    if client_id:
        sent_under = context.work.sent_under()
        if earlier := sent_under.get((session.id, context.actor, client_id)):
            message_id, timestamp, seq = earlier
            return Outcome({"message_id": message_id, "timestamp": timestamp, "seq": seq})
    # After the question of a repetition: who got the message may have left since.
    if peer_id:
        context.present_peer(peer_id)
    timestamp, seq = context.work.at, session.seq + 1
    # It ends in its number, so that a message is found by the table's own key.
    message_id = f"{context.work.random}{seq:08x}"
    message: dict[str, Any] = {
        "message_id": message_id,
        "timestamp": timestamp,
        "private": bool(peer_id),
        "info": {"message": info["message"], "type": info.get("type", CHAT)},
    }
    if sender:
        message["peer"] = author(sender)
    if roles and not peer_id:
        message["roles"] = list(dict.fromkeys(roles))
    context.audit_act("message.send", details={"peer": peer_id, "roles": message.get("roles")})
    audience = Audience(but=context.actor, peer=peer_id or "", roles=tuple(roles or ()) if not peer_id else ())
    session.messages += 1
    if client_id:
        # For a repetition in the same transaction, which finds no row yet.
        sent_under[session.id, context.actor, client_id] = message_id, timestamp, seq
    stored = Stored(message_id, session.messages, context.actor, client_id or "")
    sent = Event("on-broadcast", compact(message), audience, stored=stored)
    return Outcome({"message_id": message_id, "timestamp": timestamp}, [sent])


def author(peer: Peer) -> dict[str, Any]:
    """The sender as messages carry it."""
    return {
        "peer_id": peer.peer_id,
        "person": peer.person,
        "role": peer.role,
        "groups": peer.groups,
        # Without its metadata, which may be longer than the message and is known from the peer itself.
        "info": {"name": peer.name, "data": "", "user_id": peer.user_id},
    }


def _check(context: Context, info: Info, roles: Sequence[str]) -> None:
    if info.get("type", CHAT) == CHAT and not shows(info["message"]):
        raise BadRequest("info.message: there is nothing to see in it")
    for place, role in enumerate(roles):
        if context.room.template.role(role) is None:
            raise NotFound(f"roles[{place}]: no such role")


# --- Kept messages ------------------------------------------------------------------------------

_MESSAGE_ID = re.compile(r"[0-9a-f]{32,36}")

MAX_PAGE = 100


@operation(reads=True)
def list_messages(
    context: Context, *, before: Annotated[str, Chars(0, 64)] = "", limit: Annotated[int, Between(1, MAX_PAGE)]
) -> Outcome:
    """Messages that are kept, whoever they were for, the newest first: ``{messages, last}``. For the server.

    ``before`` is the id of a message, which may be kept no more. A private one names its receiver in ``peer_id``.
    """
    messages = Message.objects.filter(session_id=context.session.id).order_by("-seq")
    if before:
        if not (number := _number(before)):
            raise BadRequest("before: expected the id of a message")
        messages = messages.filter(seq__lt=number)
    found = list(messages[: limit + 1])
    page = found[:limit]
    return Outcome(
        {"messages": [_as_wire(row) for row in page], "last": page[-1].message_id if len(found) > limit else ""}
    )


def _as_wire(row: Message) -> dict[str, Any]:
    receiver = Audience.decode(row.audience).peer
    message: dict[str, Any] = json.loads(row.body)
    return {**message, "peer_id": receiver} if receiver else message


def _number(message_id: str) -> int:
    """The number of the event that the message is; 0 for what is no id of a message."""
    return int(message_id[RANDOM_DIGITS:], 16) if _MESSAGE_ID.fullmatch(message_id) else 0


def public_message(context: Context, message_id: str, *, field: str) -> Message:
    """A message of the session that was for everybody.

    Raises Forbidden for one that was for the caller and others, and NotFound for any else, as if it did not exist.
    """
    number = _number(message_id)
    found = Message.objects.filter(session_id=context.session.id, seq=number, message_id=message_id).first()
    audience = Audience.decode(found.audience) if found else EVERYBODY
    if found and audience._replace(but="") == EVERYBODY:
        return found
    if found and not context.caller.is_server:
        peer = context.peer
        if found.peer_id == peer.peer_id or audience.includes(peer.peer_id, peer.role, frozenset()):
            raise Forbidden(f"{field}: the message was not for everybody")
    raise NotFound(f"{field}: no such message")
