"""Messages: chat and whatever else an app sends to everybody, to roles, or to one peer.

They are kept for the life of the session, the last KEPT_MESSAGES of them, as part of its journal.
"""

from collections.abc import Sequence
from typing import Annotated, Any, NotRequired, TypedDict

from rooms.models import Message, Peer
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.room_settings import check_slow_mode
from rooms.operations.telling import as_told
from rooms.wire.errors import BadRequest, NotFound
from rooms.wire.events import Audience, Event, Stored, compact
from rooms.wire.names import shows
from rooms.wire.parameters import Chars, Items, MessageId, PeerId, RoleName, Text
from rooms.wire.results import Outcome

CHAT = "chat"
"""The type of messages that people read."""


Mentions = Annotated[list[PeerId], Items(20)]
"""Peers that a message is about: ids, of which nobody checks whether they are in the room."""


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
    mentions: Mentions | None = None,
    reply_to: MessageId | None = None,
) -> Outcome:
    """Send a message to everybody else, or to the holders of some of the room's roles, or to one peer.

    ``client_id`` makes a repetition harmless: it gets the first one's answer, and if anything was done to the message
    since, that as it is now. ``reply_to`` is the message that it answers: nobody checks that there is one, or for whom.
    Answers ``{message_id, timestamp}``. What the server says has no sender.
    """
    kind = info.get("type", CHAT)
    check_shows(info["message"], kind, field="info.message")
    if roles:
        check_roles(context, roles)
    sender, session = context.known_peer, context.session
    if client_id and (earlier := context.work.sent_before(session, context.caller, client_id)):
        message_id, timestamp, seq = earlier
        answer = {"message_id": message_id, "timestamp": timestamp, "seq": seq}
        return Outcome({**answer, **_become(context, seq)})
    # After the question of a repetition: who got the message may have left since.
    receiver = context.present_peer(peer_id).person if peer_id else ""
    if kind == CHAT:
        check_slow_mode(context, sender)
    timestamp, seq = context.work.at, session.seq + 1
    # It ends in its number, so that a message is found by the table's own key.
    message_id = f"{context.work.random}{seq:08x}"
    message: dict[str, Any] = {
        "message_id": message_id,
        "timestamp": timestamp,
        "private": bool(peer_id),
        "info": {"message": info["message"], "type": kind},
    }
    if mentions:
        message["mentions"] = list(dict.fromkeys(mentions))
    if reply_to:
        message["reply_to"] = reply_to
    if sender:
        message["peer"] = author(sender)
    if roles and not peer_id:
        message["roles"] = list(dict.fromkeys(roles))
    context.audit_act("message.send", details={"peer": peer_id, "roles": message.get("roles")})
    audience = Audience(but=context.actor, peer=peer_id or "", roles=tuple(roles or ()) if not peer_id else ())
    session.messages += 1
    if client_id:
        context.work.note_sent(session, context.caller, client_id, (message_id, timestamp, seq))
    who = context.actor, client_id or "", kind, sender.person if sender else "", receiver
    stored = Stored(message_id, session.messages, *who)
    sent = Event("on-broadcast", compact(message), audience, stored=stored)
    return Outcome({"message_id": message_id, "timestamp": timestamp}, [sent])


def _become(context: Context, seq: int) -> dict[str, Any]:
    """What a message of the caller's has become since it was said: ``{message}``, None if deleted; empty if the same.

    The events that tell it may have come before the caller knew that this message is its own.
    """
    row = Message.objects.filter(session_id=context.session.id, seq=seq).first()
    sender = context.known_peer
    # Not there is one that was said in this very transaction, or is kept no more. An id may be another's by now.
    if row is None or row.person != (sender.person if sender else ""):
        return {}
    if not row.body:
        return {"message": None}
    return {"message": as_told(row, sender)} if row.edit_seq or row.reactions else {}


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


def check_shows(text: str, kind: str, *, field: str) -> None:
    """Raises BadRequest if it is for people to read, and there is nothing to see in it."""
    if kind == CHAT and not shows(text):
        raise BadRequest(f"{field}: there is nothing to see in it")


def check_roles(context: Context, roles: Sequence[str]) -> None:
    """Raises NotFound unless all are roles of the room."""
    for place, role in enumerate(roles):
        if context.room.template.role(role) is None:
            raise NotFound(f"roles[{place}]: no such role")
