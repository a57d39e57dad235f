"""Statements of a transaction that are written by hand: Django would take longer to build one than it takes to run."""

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeVar

import orjson
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, models

from rooms.models import Message, Peer, Room, Session, Template
from rooms.operations.engine import clock
from rooms.operations.engine.transaction import Cursor

Row = TypeVar("Row", bound=models.Model)
Sent = tuple[str, int, int]
"""Message id, when (milliseconds), seq."""
Changed = tuple[models.Model, tuple[str, ...]]
"""A row, and the names of its fields that are to be saved."""
Taken = tuple[Callable[[models.Model], Sequence[Any]], Sequence[tuple[int, Any]]]
"""Gives the values of a row's fields, and the places of those that are changed to be stored, each with its field."""


def database_now() -> datetime:
    """The database's clock on PostgreSQL, so that processes on several machines agree; else this process's."""
    with Cursor() as cursor:
        return now(cursor)


def now(cursor: Cursor) -> datetime:
    """As ``database_now``, over a cursor that is open."""
    if cursor.vendor != "postgresql":
        return clock.now()
    cursor.execute("SELECT clock_timestamp()", ())
    moment: datetime = cursor.fetchone()[0]
    return moment


def peers(cursor: Cursor, sessions: Sequence[str], **columns: Collection[str]) -> list[Peer]:
    """The peers of these sessions that have, in one of the columns, one of the values that are given for it.

    One that is found by two columns comes twice.
    """
    conditions: list[str] = []
    values: list[str] = []
    for column, among in columns.items():
        if among:
            conditions.append(f"session_id IN ({_placeholders(sessions)}) AND {column} IN ({_placeholders(among)})")
            values += [*sessions, *among]
    return _select(cursor, Peer, conditions, values) if conditions else []


def rooms(cursor: Cursor, ids: Collection[str]) -> list[Room]:
    """The rooms with these ids, and of each its template."""
    columns = f"{_columns(Room)}, {_columns(Template)}"
    joined = '"rooms_room" JOIN "rooms_template" ON "rooms_template"."id" = "rooms_room"."template_id"'
    chosen = f'"rooms_room"."id" IN ({_placeholders(ids)})'
    cursor.execute(f"SELECT {columns} FROM {joined} WHERE {chosen}", list(ids))
    found, width = [], len(Room._meta.concrete_fields)
    for stored in cursor.fetchall():
        room = _row(Room, stored[:width])
        room.template = _row(Template, stored[width:])
        found.append(room)
    return found


def sessions(cursor: Cursor, ids: Collection[str]) -> list[Session]:
    """The sessions with these ids."""
    return _select(cursor, Session, [f"id IN ({_placeholders(ids)})"], list(ids)) if ids else []


def present_peers(cursor: Cursor, session_id: str) -> list[Peer]:
    """The peers that are in a session, connected or reconnecting."""
    return _select(cursor, Peer, ["session_id = %s AND state <> %s"], [session_id, Peer.State.LEFT.value])


def holders(cursor: Cursor, session_id: str, role: str) -> list[str]:
    """The ids of the peers that are in a session and hold a role."""
    cursor.execute(
        "SELECT peer_id FROM rooms_peer WHERE session_id = %s AND state <> %s AND role = %s",
        [session_id, Peer.State.LEFT.value, role],
    )
    return [peer_id for (peer_id,) in cursor.fetchall()]


def _placeholders(values: Collection[str]) -> str:
    return ", ".join(["%s"] * len(values))


def _select(cursor: Cursor, kind: type[Row], conditions: Sequence[str], values: Sequence[str]) -> list[Row]:
    """What ``kind.objects.filter(…)`` finds under each of the conditions."""
    statement = f'SELECT {_columns(kind)} FROM "{kind._meta.db_table}"'
    # Not joined by OR, for which SQLite looks at all rows of a session where it could use two indexes.
    cursor.execute(" UNION ALL ".join([f"{statement} WHERE {condition}" for condition in conditions]), values)
    return [_row(kind, found) for found in cursor.fetchall()]


@functools.cache
def _columns(kind: type[models.Model]) -> str:
    return ", ".join([f'"{kind._meta.db_table}"."{field.column}"' for field in kind._meta.concrete_fields])


def _row(kind: type[Row], stored: Sequence[Any]) -> Row:
    """The row of which these are the columns."""
    names, loads = _fields(kind)
    values = list(stored)
    for index, load in loads:
        if values[index] is not None:
            values[index] = load(values[index])
    return kind.from_db(DEFAULT_DB_ALIAS, names, values)


@functools.cache
def _fields(kind: type[models.Model]) -> tuple[list[str], list[tuple[int, Callable[[Any], Any]]]]:
    """The names of the fields, and what makes values of what is stored, by index, where they differ."""
    fields = kind._meta.concrete_fields
    loads = [(index, _LOADS[type(field)]) for index, field in enumerate(fields) if type(field) in _LOADS]
    return [field.attname for field in fields], loads


_LOADS: dict[type, Callable[[Any], Any]] = {
    models.BooleanField: bool,  # SQLite has numbers
    models.JSONField: orjson.loads,
    # All are of UTC; SQLite's do not say so.
    models.DateTimeField: functools.partial(datetime.replace, tzinfo=UTC),
}


def client_ids(cursor: Cursor, session_id: str, peer_id: str) -> list[str]:
    """The client ids of what a peer sent among the newest JOURNAL_MAX_EVENTS messages of a session."""
    cursor.execute(_CLIENT_IDS, [session_id, settings.JOURNAL_MAX_EVENTS, peer_id])
    return [client_id for (client_id,) in cursor.fetchall()]


def sent_under(cursor: Cursor, session_id: str, peer_id: str, client_id: str) -> Sent | None:
    """What a peer sent under a client id, if it is among the newest JOURNAL_MAX_EVENTS messages of a session."""
    cursor.execute(_SENT, [session_id, settings.JOURNAL_MAX_EVENTS, peer_id, client_id])
    found: Sent | None = cursor.fetchone()
    return found


_NEWEST = "SELECT {columns} FROM rooms_message WHERE session_id = %s ORDER BY seq DESC LIMIT %s"
_CLIENT_IDS = (
    f"SELECT client_id FROM ({_NEWEST.format(columns='peer_id, client_id')}) newest"
    " WHERE peer_id = %s AND client_id > ''"
)
_SENT = (
    f"SELECT message_id, at, seq FROM ({_NEWEST.format(columns='peer_id, client_id, message_id, at, seq')}) newest"
    " WHERE peer_id = %s AND client_id = %s"
)


def update_message(cursor: Cursor, message: Message) -> None:
    """Save what may change of a message."""
    values = [getattr(message, name) for name in _OF_A_MESSAGE]
    cursor.execute(_UPDATE_MESSAGE, [*values, message.session_id, message.seq])


_OF_A_MESSAGE = ("audience", "body", "reactions", "edit_seq", "pinned")
_UPDATE_MESSAGE = (
    f"UPDATE rooms_message SET {', '.join(f'{name} = %s' for name in _OF_A_MESSAGE)} WHERE session_id = %s AND seq = %s"
)


def applied(cursor: Cursor, session_id: str, peer_id: str, change_id: str, *, since: int) -> str | None:
    """What a change under this id was answered, not before a moment (milliseconds)."""
    cursor.execute(_APPLIED, (session_id, peer_id, change_id, since))
    found = cursor.fetchone()
    return found and str(found[0])


_APPLIED = (
    "SELECT answer FROM rooms_appliedchange WHERE session_id = %s AND peer_id = %s AND change_id = %s AND at >= %s"
)


def forget_applied(cursor: Cursor, session_id: str, peer_id: str, *, kept: int) -> None:
    """Delete what a peer's changes were answered but for the last so many."""
    cursor.execute(_FORGET_APPLIED, (session_id, peer_id) * 2 + (kept,))


_FORGET_APPLIED = (
    "DELETE FROM rooms_appliedchange WHERE session_id = %s AND peer_id = %s AND id <= (SELECT id FROM"
    " rooms_appliedchange WHERE session_id = %s AND peer_id = %s ORDER BY id DESC LIMIT 1 OFFSET %s)"
)


def forget_all_applied(cursor: Cursor, session_id: str, peer_ids: Collection[str]) -> None:
    """Delete what the changes of these peers were answered."""
    among = ", ".join(["%s"] * len(peer_ids))
    cursor.execute(
        f"DELETE FROM rooms_appliedchange WHERE session_id = %s AND peer_id IN ({among})", [session_id, *peer_ids]
    )


def insert(cursor: Cursor, rows: Sequence[models.Model]) -> None:
    """What ``bulk_create(rows)`` does for rows of one kind, which would take longer than the rest of a join."""
    statement, taken = _insert_statement(type(rows[0]))
    # One by one, for executemany gives no keys back.
    for row in rows:
        cursor.execute(statement, _values(cursor, row, taken))
        [row.pk] = cursor.fetchone()
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@functools.cache
def _insert_statement(kind: type[models.Model]) -> tuple[str, Taken]:
    """The statement, which gives the row's key, and the fields whose values it takes."""
    key: Any = kind._meta.pk
    fields = [field for field in kind._meta.concrete_fields if field is not key]
    columns = ", ".join([f'"{field.column}"' for field in fields])
    values = ", ".join(["%s"] * len(fields))
    statement = f'INSERT INTO "{kind._meta.db_table}" ({columns}) VALUES ({values}) RETURNING "{key.column}"'
    return statement, _taken(fields)


def update(cursor: Cursor, changed: Iterable[Changed]) -> None:
    """What ``row.save(update_fields=names)`` does for each, which would take most of the time of a small change."""
    alike: dict[str, list[list[Any]]] = {}
    for row, names in changed:
        statement, taken = _update_statement(type(row), names)
        alike.setdefault(statement, []).append(_values(cursor, row, taken))
    for statement, values in alike.items():
        if len(values) == 1:
            cursor.execute(statement, values[0])
        else:
            cursor.executemany(statement, values)


@functools.cache
def _update_statement(kind: type[models.Model], names: tuple[str, ...]) -> tuple[str, Taken]:
    """The statement, and the fields whose values it takes, the row's key last."""
    key: Any = kind._meta.pk
    fields: list[Any] = [kind._meta.get_field(name) for name in names]
    changes = ", ".join([f'"{field.column}" = %s' for field in fields])
    return f'UPDATE "{kind._meta.db_table}" SET {changes} WHERE "{key.column}" = %s', _taken([*fields, key])


_STORED_AS_IS = {
    models.CharField, models.TextField, models.BigIntegerField, models.PositiveIntegerField, models.BigAutoField,
}  # fmt: skip


def _taken(fields: Sequence[Any]) -> Taken:
    others = [(place, field) for place, field in enumerate(fields) if type(field) not in _STORED_AS_IS]
    return attrgetter(*[field.attname for field in fields]), others  # of two fields at least, or it gives no sequence


def _values(cursor: Cursor, row: models.Model, taken: Taken) -> list[Any]:
    """What these fields of a row hold, as the database takes it."""
    held, others = taken
    values = list(held(row))
    for place, field in others:
        value = values[place]
        if value is None:
            pass
        elif type(value) is datetime and cursor.vendor == "sqlite":
            values[place] = str(value.replace(tzinfo=None))  # as Django writes moments, which are of UTC here
        else:
            values[place] = field.get_db_prep_save(value, cursor.connection)
    return values
