"""Messages: chat and whatever else an app sends to everybody, to roles, or to one peer."""

import itertools
import secrets
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from rooms.errors import BadRequest, TooLarge
from rooms.events import Audience, Event, Outcome, compact
from rooms.models import Peer, SentMessage
from rooms.operations.calls import Call
from rooms.operations.gate import Context, operation
from rooms.operations.work import Work

MAX_TYPE_CHARS = 64
MAX_CLIENT_ID_CHARS = 64
MAX_ROLES = 50


@operation("broadcast", requires="sendMessages")
def broadcast(
    context: Context,
    *,
    info: dict[str, Any],
    roles: list[str] | None = None,
    peer_id: str | None = None,
    client_id: str | None = None,
) -> Outcome:
    """Send ``info {message, type}`` to everybody else, or to the holders of some roles, or to one peer.

    ``client_id`` makes a repetition harmless: it gets the first one's answer. Answers ``{message_id, timestamp}``.
    """
    text, kind = _checked(info, context.work.once(_most_chars))
    if roles and len(roles) > MAX_ROLES:
        raise TooLarge(f"roles: {len(roles)}, at most {MAX_ROLES}")
    if client_id:
        earlier = _earlier(context, client_id)
        if earlier:
            return Outcome({"message_id": earlier.message_id, "timestamp": earlier.timestamp, "seq": earlier.seq})
    sender = context.peer
    if peer_id:
        context.present_peer(peer_id)
    timestamp, message_id = context.work.at, next(context.work.once(_message_ids))
    message: dict[str, Any] = {
        "message_id": message_id,
        "timestamp": timestamp,
        "private": bool(peer_id),
        "info": {"message": text, "type": kind},
        "peer": author(sender),
    }
    if roles and not peer_id:
        message["roles"] = roles
    audience = Audience(but=sender.peer_id, peer=peer_id or "", roles=tuple(roles or ()) if not peer_id else ())
    context.session.messages += 1
    if client_id:
        context.work.add(_remember(context, client_id, message_id, timestamp))
    sent = Event("on-broadcast", compact(message), audience)
    return Outcome({"message_id": message_id, "timestamp": timestamp}, [sent])


def author(peer: Peer) -> dict[str, Any]:
    """The sender as messages carry it."""
    return {
        "peer_id": peer.peer_id,
        "role": peer.role,
        "groups": peer.groups,
        # Without its metadata, which may be longer than the message and is known from the peer itself.
        "info": {"name": peer.name, "data": "", "user_id": peer.user_id},
    }


def _message_ids(work: Work) -> Iterator[str]:
    # 32 hex digits, random but for the last eight: the kernel is asked once a transaction.
    prefix = secrets.token_hex(12)
    return (f"{prefix}{number:08x}" for number in itertools.count())


def _most_chars(work: Work) -> int:
    # Asked for once a transaction: Django's settings take a microsecond.
    limit: int = settings.MAX_MESSAGE_CHARS
    return limit


def _checked(info: dict[str, Any], most: int) -> tuple[str, str]:
    text, kind = info.get("message"), info.get("type", "chat")
    if not isinstance(text, str):
        raise BadRequest("info.message: expected a string")
    if not text:
        raise BadRequest("info.message: empty")
    if len(text) > most:
        raise TooLarge(f"info.message: {len(text)} characters, at most {most}")
    if not isinstance(kind, str) or len(kind) > MAX_TYPE_CHARS:
        raise BadRequest(f"info.type: expected a string of at most {MAX_TYPE_CHARS} characters")
    return text, kind


# --- Repetitions --------------------------------------------------------------------------------


def _earlier(context: Context, client_id: str) -> SentMessage | None:
    if len(client_id) > MAX_CLIENT_ID_CHARS:
        raise BadRequest(f"client_id: longer than {MAX_CLIENT_ID_CHARS} characters")
    return context.work.once(_sent).get((context.session.id, context.actor, client_id))


def _sent(work: Work) -> dict[tuple[str, str, str], SentMessage]:
    """What was sent before under the client ids of this transaction's calls."""
    calls: list[Call] = [call for call in work.calls if "client_id" in call.arguments]
    rows = SentMessage.objects.filter(
        client_id__in={call.arguments["client_id"] for call in calls},
        peer_id__in={call.caller.peer_id for call in calls},
    )
    return {(row.session_id, row.peer_id, row.client_id): row for row in rows}


def _remember(context: Context, client_id: str, message_id: str, timestamp: int) -> SentMessage:
    sent = SentMessage(
        session=context.session,
        peer_id=context.actor,
        client_id=client_id,
        message_id=message_id,
        timestamp=timestamp,
        seq=context.session.seq + 1,
    )
    context.work.once(_sent)[sent.session_id, sent.peer_id, sent.client_id] = sent
    return sent
