"""The audit: who did what, and who changed which key of a session's metadata to what.

Its rows are written in the transaction of what they tell, and outlive the room and the session. They never hold a
message, a token, a secret or a room code.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args

from django.conf import settings
from django.db import transaction

from rooms.models import AuditEntry, Room, milliseconds
from rooms.operations.engine import statements
from rooms.operations.engine.calls import Author, Source
from rooms.operations.engine.transaction import Cursor
from rooms.wire.events import compact, size_of

What = Literal[
    "metadata.set",
    "metadata.remove",
    "metadata.touch",
    "rules.change",
    "lock.release",
    "session.end",
    "peer.remove",
    "peer.let-in",
    "peer.role",
    "peer.offer-role",
    "peer.group",
    "peer.update",
    "message.send",
    "message.edit",
    "message.delete",
    "message.clear",
    "poll.set",
    "poll.start",
    "poll.stop",
    "poll.prepare",
    "poll.delete",
    "room.create",
    "room.change",
    "room.delete",
    "code.create",
    "code.change",
    "code.replace",
    "template.create",
    "template.change",
    "webhook.create",
    "webhook.change",
    "webhook.delete",
    "webhook.replay",
    "key.create",
    "key.revoke",
    "user.create",
    "user.change",
    "user.delete",
    "group.create",
    "group.change",
    "group.delete",
    "login",
    "login.refused",
    "logout",
]
"""What an entry can tell of. Each word has its line in docs/operations.md."""

WHATS: tuple[What, ...] = get_args(What)

ACTING: frozenset[Source] = frozenset({"rest", "admin", "command"})
"""From where whatever is done is an act. Of what peers do only that is which has power over others."""

Cause = Literal["expiry", "leave", "end"]
"""Why the server did something that nobody asked for."""

Origin = Source | Cause

SOURCES: tuple[str, ...] = get_args(Source) + get_args(Cause)

MAX_DETAILS = 2_000
"""Characters of an entry's details."""

_MAX_NAME = 200


_MOST_FORGOTTEN, _STEP = 10_000, 500
"""Entries that are looked at and deleted at once, and in one transaction, for which with SQLite everybody waits."""


class Entry(NamedTuple):
    """An entry that is not written yet: the fields of ``AuditEntry`` in their order, but for when it was.

    ``old`` and ``new`` are whole values: what is kept of them is asked once for all that are written together.
    """

    what: What
    source: Origin
    author_id: str
    author: str
    room_id: str
    room_name: str
    session_id: str
    key: str
    version: int
    old: str | None
    new: str | None
    details: str


# Straight to the driver, as the journal's: a model instance for each change costs more than storing it.
_INSERT = (
    f"INSERT INTO rooms_auditentry (at, {', '.join(Entry._fields)})"
    f" VALUES ({', '.join(['%s'] * (1 + len(Entry._fields)))})"
)


def is_kept() -> bool:
    return bool(settings.AUDIT_DAYS)


def append(cursor: Cursor, entries: Sequence[Entry], *, at: int) -> None:
    """Store the entries of a transaction; at is in milliseconds."""
    most = settings.AUDIT_VALUE_BYTES
    cursor.executemany(
        _INSERT,
        [
            (at, *entry[:-3], _beginning(entry.old, most), _beginning(entry.new, most), entry.details)
            for entry in entries
        ],
    )


def record(
    author: Author,
    what: What,
    *,
    cause: Cause | None = None,
    room: Room | None = None,
    key: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down an act that is no operation, in the transaction of the act; who acts by itself has a cause."""
    if not is_kept():
        return
    where = (room.id, str(room)) if room else ("", "")
    source: Origin = cause or author.source
    entry = Entry(what, source, "", author.name, *where, "", key[:_MAX_NAME], 0, None, None, bounded(details))
    with transaction.atomic(savepoint=False), Cursor() as cursor:
        append(cursor, [entry], at=milliseconds(statements.now(cursor)))


def forget_old(now: datetime) -> None:
    """Delete what is older than AUDIT_DAYS, or as much of it as others can wait for."""
    until = milliseconds(now - timedelta(days=settings.AUDIT_DAYS))
    # They stand in the order of their times, but for those of a clock that was ahead: while these are yet to come they
    # do not count, however many they are.
    with Cursor() as cursor:
        cursor.execute(_OLD, [milliseconds(now), _MOST_FORGOTTEN, until])
        old = [pk for (pk,) in cursor.fetchall()]
    for first in range(0, len(old), _STEP):
        AuditEntry.objects.filter(pk__in=old[first : first + _STEP]).delete()


_OLD = """
    SELECT id FROM (SELECT id, at FROM rooms_auditentry WHERE at <= %s ORDER BY id LIMIT %s) AS first
    WHERE at < %s ORDER BY id
"""


def _beginning(text: str | None, most: int) -> str | None:
    """Of a value's JSON text its first so many bytes, with a … after it if there is more; nothing of 0 bytes."""
    if text is None or not most:
        return None
    if size_of(text) <= most:
        return text
    # A character that is cut in two is left out.
    return text[:most].encode()[:most].decode(errors="ignore") + "…"


def bounded(details: Mapping[str, Any] | None) -> str:
    """Details as JSON text, shortened where they are too long."""
    if not details:
        return ""
    text = compact(details)
    return text if len(text) <= MAX_DETAILS else compact({name: _short(value) for name, value in details.items()})


def _short(value: Any) -> Any:
    text = compact(value)
    return value if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME]}…"
