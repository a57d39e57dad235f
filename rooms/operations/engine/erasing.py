"""Taking what messages said out of all that is stored of them besides the messages themselves.

There are the events that told their last edits; and, of those that were ever pinned, the pins as they were told,
answered, written down in the audit and sent to back ends. Copies that an app made under other keys are the app's.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rooms.models import Session
from rooms.operations.engine.transaction import Cursor
from rooms.wire.events import NOBODY, Audience, compact, size_of, values_body
from rooms.wire.webhooks import METADATA

EDITED = "on-message-edit"
"""The event that tells what a message says now."""

Replace = Callable[[str, Any], Any]
"""What the value of a key of session metadata is without what was said."""


class Copies(NamedTuple):
    """Where what messages said may be stored, of which the first is of the number ``seq``, said ``at`` (milliseconds).

    The events of numbers from ``edits`` up to, but not including, ``until`` may tell the last edits of those that were
    ``edited``, by their ids. ``pinned`` are those that were ever pinned, as ``{id: what pins showed}``: ``keys`` of
    session metadata hold those, and ``replace`` takes them out.
    """

    session: Session
    seq: int
    at: int
    edits: int
    until: int
    edited: frozenset[str]
    pinned: Mapping[str, str]
    keys: tuple[str, ...]
    replace: Replace


class _Log:
    """Whether the database's log may hold what was taken away."""

    holds = False


log = _Log()


def take_away(cursor: Cursor, copies: Copies) -> int:
    """Take it away; by how many bytes the journal is smaller now."""
    log.holds = True
    freed = 0
    if copies.edited:
        freed += _forget_edits(cursor, copies)
    if copies.pinned:
        freed += _change_told(cursor, copies)
        _change_answers(cursor, copies)
        _change_deliveries(cursor, copies)
        _change_audit(cursor, copies)
    return freed


MAX_MARKS = 20
"""With more to look for, all texts are read."""


def _having(cursor: Cursor, column: str, marks: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The condition that a text holds one of some others, with its values; one that always holds for many."""
    if len(marks) > MAX_MARKS:
        return "1 = 1", ()
    has = {"sqlite": "INSTR({}, %s) > 0", "postgresql": "STRPOS({}, %s) > 0"}[cursor.vendor].format(column)
    return f"({' OR '.join([has] * len(marks))})", marks


def _marks(copies: Copies) -> list[str]:
    """What a text holds that tells a pin: the message's id, or all that is shown of it."""
    return [mark for message_id, shown in copies.pinned.items() for mark in (message_id, compact(shown))]


def _forget_edits(cursor: Cursor, copies: Copies) -> int:
    condition, given = _having(cursor, "body", sorted(copies.edited))
    cursor.execute(
        "SELECT seq, audience, body FROM rooms_event WHERE session_id = %s AND seq >= %s AND seq < %s AND kind = %s"
        f" AND {condition}",
        (copies.session.id, copies.edits, copies.until, EDITED, *given),
    )
    nothing = "{}"
    told = [row for row in cursor.fetchall() if json.loads(row[2]).get("message_id") in copies.edited]
    return _write_events(cursor, copies, [(*row, NOBODY.encode(), nothing) for row in told])


def _change_told(cursor: Cursor, copies: Copies) -> int:
    condition, given = _having(cursor, "body", _marks(copies))
    cursor.execute(
        "SELECT seq, audience, body FROM rooms_event WHERE session_id = %s AND seq > %s AND kind = 'on-metadata-change'"
        f" AND {condition}",
        (copies.session.id, copies.seq, *given),
    )
    return _write_events(cursor, copies, [(*row, *_told(copies, *row[1:])) for row in cursor.fetchall()])


def _write_events(cursor: Cursor, copies: Copies, rows: Sequence[tuple[int, str, str, str, str]]) -> int:
    """Store events, ``(seq, audience, body, new audience, new body)``; by how many bytes they are shorter."""
    statement = "UPDATE rooms_event SET audience = %s, body = %s WHERE session_id = %s AND seq = %s"
    cursor.executemany(statement, [(audience, body, copies.session.id, seq) for seq, _, _, audience, body in rows])
    return sum(size_of(before + was) - size_of(audience + body) for _, before, was, audience, body in rows)


def _told(copies: Copies, audience: str, body: str) -> tuple[str, str]:
    """Audience and body of an event that tells entries, without what was said; the others stay as they were written."""
    whom, texts, shares = Audience.decode(audience), [], []
    for share, text in _entries(whom, body):
        entry = json.loads(text) if share.key in copies.keys else {}
        if entry and (value := copies.replace(share.key, entry["data"])) != entry["data"]:
            text = compact({**entry, "data": value})
        texts.append(text)
        shares.append(share._replace(chars=len(text)))
    return whom._replace(entries=tuple(shares)).encode(), values_body(texts)


def _entries(audience: Audience, body: str) -> Iterator[tuple[Any, str]]:
    before, after = values_body(["|"]).split("|")
    at, end = len(before), len(body) - len(after)
    for share in audience.entries:
        # How long its text is, is not said of the only one.
        chars = share.chars if len(audience.entries) > 1 else end - at
        yield share, body[at : at + chars]
        at += chars + 1  # and the comma


def _change_answers(cursor: Cursor, copies: Copies) -> None:
    """Of the answers that a repeated change of session metadata gets."""

    def changed(text: str) -> str:
        answer = json.loads(text)
        for entry in answer["entries"]:
            _replace_in(copies, entry)
        return compact(answer)

    where = "session_id = %s"
    _rewrite(cursor, copies, "rooms_appliedchange", "answer", where, (copies.session.id,), changed)


def _change_deliveries(cursor: Cursor, copies: Copies) -> None:
    """Of what back ends are told, also of what they were: it may be told again."""

    def changed(text: str) -> str:
        told = json.loads(text)
        for change in told["data"]["changes"]:
            _replace_in(copies, change)
        return compact(told)

    where = "at >= %s AND session_id = %s AND name = %s"
    given = (copies.at, copies.session.id, METADATA)
    _rewrite(cursor, copies, "rooms_webhookdelivery", "body", where, given, changed)


def _replace_in(copies: Copies, entry: dict[str, Any]) -> None:
    if entry["key"] in copies.keys and "data" in entry:
        entry["data"] = copies.replace(entry["key"], entry["data"])


def _rewrite(
    cursor: Cursor,
    copies: Copies,
    table: str,
    column: str,
    where: str,
    given: Sequence[Any],
    changed: Callable[[str], str],
) -> None:
    condition, marks = _having(cursor, column, _marks(copies))
    cursor.execute(f"SELECT id, {column} FROM {table} WHERE {where} AND {condition}", (*given, *marks))
    rows = [(changed(text), row_id) for row_id, text in cursor.fetchall()]
    cursor.executemany(f"UPDATE {table} SET {column} = %s WHERE id = %s", rows)


def _change_audit(cursor: Cursor, copies: Copies) -> None:
    """Of the beginnings of values; one that is no whole value is let go of, for nobody can tell what it is of."""
    among = ", ".join(["%s"] * len(copies.keys))
    cursor.execute(
        "SELECT id, key, old, new FROM rooms_auditentry WHERE room_id = %s AND session_id = %s AND at >= %s"
        f" AND key IN ({among}) AND (old IS NOT NULL OR new IS NOT NULL)",
        (copies.session.room_id, copies.session.id, copies.at, *copies.keys),
    )
    rows = [(_beginning(copies, key, old), _beginning(copies, key, new), pk) for pk, key, old, new in cursor.fetchall()]
    cursor.executemany("UPDATE rooms_auditentry SET old = %s, new = %s WHERE id = %s", rows)


def _beginning(copies: Copies, key: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    replaced = copies.replace(key, value)
    return text if replaced == value else compact(replaced)
