"""Messages that are kept: whom each is for, and those of before.

They are found by their ids, which end in the numbers of their events. Whom a message is for is asked of persons, not of
peer ids: an id may be another's once its owner is forgotten.
"""

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Annotated, Any

from django.db.models import Q, QuerySet

from rooms.models import Message, Peer
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.engine.work import RANDOM_DIGITS
from rooms.operations.messaging import CHAT
from rooms.operations.room_settings import MANAGES
from rooms.operations.telling import as_told, as_wire
from rooms.wire.errors import BadRequest, Forbidden, NotFound
from rooms.wire.events import EVERYBODY, NOBODY, Audience, size_of
from rooms.wire.parameters import Between, Chars
from rooms.wire.results import Outcome

_MESSAGE_ID = re.compile(r"[0-9a-f]{32,36}")

MAX_PAGE = 100
MAX_PAGE_BYTES = 256 * 1024
_MOST_READ = 500
"""Messages that are read at a time, of which perhaps none is for who asks."""


def number_in(message_id: str) -> int:
    """The number of the event that the message is; 0 for what is no id of a message."""
    return int(message_id[RANDOM_DIGITS:], 16) if _MESSAGE_ID.fullmatch(message_id) else 0


def find(context: Context, message_id: str) -> tuple[Message, Audience] | None:
    """A message of the session, with whom it is for, nobody if it was deleted."""
    row = Message.objects.filter(
        session_id=context.session.id, seq=number_in(message_id), message_id=message_id
    ).first()
    return (row, Audience.decode(row.audience)) if row else None


def is_by(peer: Peer, row: Message) -> bool:
    """Whether a peer is of the person who said it."""
    return row.person != "" and row.person == peer.person


def is_for(peer: Peer, row: Message, audience: Audience) -> bool:
    """Whether a message is for a peer that is there now, be it that it said it itself.

    One to roles is for who holds one of them, if it was said since the holder was given it.
    """
    if audience.nobody:
        return False
    if is_by(peer, row):
        return True
    if audience.peer:
        return row.receiver != "" and row.receiver == peer.person
    return not audience.roles or (peer.role in audience.roles and row.seq > peer.role_since)


def public_message(context: Context, message_id: str, *, field: str) -> Message:
    """A message of the session that was for everybody.

    Raises Forbidden for one that was for the caller and others, and NotFound for any else, as if it did not exist: also
    for one from before what the caller is shown, who may know its id by what was done to it since.
    """
    row, audience = find(context, message_id) or (None, NOBODY)
    if row and audience._replace(but="") == EVERYBODY:
        if _is_shown(context, row):
            return row
    elif row and not context.caller.is_server and is_for(context.peer, row, audience):
        raise Forbidden(f"{field}: the message was not for everybody")
    raise NotFound(f"{field}: no such message")


def _is_shown(context: Context, row: Message) -> bool:
    """Whether a message that was for everybody is among what the room shows to the caller, or to another of its tabs.

    The server may read all, and so may who can have the room show more.
    """
    if context.caller.is_server or context.role.allows(MANAGES):
        return True
    tabs = (one for one in context.work.peers_of(context.session, context.peer.owner) if one.present)
    first = min(tabs, key=attrgetter("joined_seq"))
    if row.seq > first.joined_seq or is_by(first, row):
        return True
    return row.type == CHAT and row.seq >= _first_shown(_of(context, first), first, context.room.history)


# --- Pages --------------------------------------------------------------------------------------


@operation("message-history")
def message_history(
    context: Context,
    *,
    before: Annotated[str, Chars(0, 64)] = "",
    limit: Annotated[int, Between(1, MAX_PAGE)] = 50,
) -> Outcome:
    """What was said for the caller, the newest first: ``{messages, last, withheld}``. Only messages of type ``chat``.

    ``before`` is the id of a message, only older ones follow; ``last`` is that of the next page, empty at the end. Of
    what was said before the caller came there is as much as the room shows, see Room.history; ``withheld`` is whether
    there was more.
    """
    peer, until = context.peer, context.session.seq + 1
    if before and not (until := number_in(before)):
        raise BadRequest("before: expected the id of a message")
    rows = _of(context, peer)
    first = _first_shown(rows, peer, context.room.history)
    page: list[dict[str, Any]] = []
    size, last = 0, ""
    for row in _each(rows.filter(seq__lt=until, seq__gte=first), limit + 1):
        if not is_for(peer, row, Audience.decode(row.audience)):
            continue
        size += size_of(row.body) + size_of(row.reactions)
        if len(page) == limit or (page and size > MAX_PAGE_BYTES):
            last = page[-1]["message_id"]
            break
        page.append(as_told(row, peer))
    withheld = not last and _is_withheld(context, rows, peer, first)
    return Outcome({"messages": page, "last": last, "withheld": withheld})


def _of(context: Context, peer: Peer) -> QuerySet[Message]:
    """What may be for a peer, the newest first: only of messages to roles that is not known yet."""
    private = Q(receiver="") | Q(receiver=peer.person) | Q(person=peer.person)
    rows = Message.objects.filter(private, session_id=context.session.id, type=CHAT)
    return rows.exclude(body="").order_by("-seq")


def _each(rows: QuerySet[Message], few: int) -> Iterator[Message]:
    """The messages in their order, so many at first, then more at a time: nobody knows where those for a peer are."""
    while True:
        found = list(rows[:few])
        yield from found
        if len(found) < few:
            return
        rows, few = rows.filter(seq__lt=found[-1].seq), max(few, min(2 * few, _MOST_READ))


def _first_shown(rows: QuerySet[Message], peer: Peer, most: int) -> int:
    """The number from which on a peer is shown what was said for it: all since it came, so many of before."""
    first = peer.joined_seq
    before = rows.filter(seq__lt=first).defer("body", "reactions")
    for row in _each(before, most) if most else ():
        if is_for(peer, row, Audience.decode(row.audience)):
            first, most = row.seq, most - 1
            if not most:
                break
    return first


def _is_withheld(context: Context, rows: QuerySet[Message], peer: Peer, first: int) -> bool:
    """Whether something was said for a peer before what it is shown first."""
    oldest = Message.objects.filter(session_id=context.session.id).order_by("seq").values_list("number", flat=True)
    if oldest.first() not in (1, None):
        return True  # it is not kept any more
    earlier = _each(rows.filter(seq__lt=first).defer("body", "reactions"), 10)
    return any(is_for(peer, row, Audience.decode(row.audience)) for row in earlier)


@operation(reads=True)
def list_messages(
    context: Context, *, before: Annotated[str, Chars(0, 64)] = "", limit: Annotated[int, Between(1, MAX_PAGE)]
) -> Outcome:
    """Messages that are kept, whoever they were for, the newest first: ``{messages, last}``. For the server.

    ``before`` is the id of a message, which may be kept no more.
    """
    messages = Message.objects.filter(session_id=context.session.id).exclude(body="").order_by("-seq")
    if before:
        if not (number := number_in(before)):
            raise BadRequest("before: expected the id of a message")
        messages = messages.filter(seq__lt=number)
    found = list(messages[: limit + 1])
    page = found[:limit]
    return Outcome(
        {"messages": [as_wire(row) for row in page], "last": page[-1].message_id if len(found) > limit else ""}
    )
