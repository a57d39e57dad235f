"""How far the sessions that are followed have got in the database, and what of them was missed."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from rooms.delivery.order import Missed
from rooms.models import Session
from rooms.operations.engine import journal, memory
from rooms.operations.engine.transaction import Cursor
from rooms.wire.events import End

Place = tuple[int, str]
"""Of a feed: the number of its last event, and the history that wrote it."""


class Positions:
    """Remembers what it found, so that of thousands of rooms in which nothing happens each costs next to nothing."""

    def __init__(self) -> None:
        self._history = ""
        self._in_place: dict[str, tuple[Place, Sequence[Any]]] = {}
        """Of the sessions that stood where their feeds did: the place, and the row."""

    def elsewhere(self, places: Mapping[str, Place]) -> dict[str, int | End | None]:
        """Those of the sessions that do not stand at these places: how far they have got, or how they ended.

        None if a session is not there, or its past is not that of the place.
        """
        with Cursor() as cursor:
            history, rows = memory.history(cursor), _rows(cursor, list(places))
        known = self._in_place if history == self._history else {}
        found = {session_id: (place, rows.get(session_id)) for session_id, place in places.items()}
        changed = [session_id for session_id, seen in found.items() if known.get(session_id) != seen]
        positions = _positions({session_id: places[session_id] for session_id in changed}, history)
        elsewhere = {
            session_id: position
            for session_id in changed
            if (position := positions.get(session_id)) != places[session_id][0]
        }
        self._history = history
        self._in_place = {
            session_id: (place, row)
            for session_id, (place, row) in found.items()
            if row is not None and session_id not in elsewhere
        }
        return elsewhere


# As one row, for with SQLite each row lets other threads run, and to have its turn again takes longer than to read it.
_ROWS = {
    "sqlite": "SELECT json_group_array(json_array(s.id, s.seq, s.histories, s.ended_at IS NULL))",
    "postgresql": "SELECT CAST(json_agg(json_build_array(s.id, s.seq, s.histories, s.ended_at IS NULL)) AS text)",
}


def _rows(cursor: Cursor, session_ids: Sequence[str]) -> dict[str, Sequence[Any]]:
    """What tells by session id whether anything happened."""
    if not session_ids:
        return {}
    chosen = ", ".join(["%s"] * len(session_ids))
    cursor.execute(f"{_ROWS[cursor.vendor]} FROM rooms_session s WHERE s.id IN ({chosen})", session_ids)
    [found] = cursor.fetchone()
    return {row[0]: row for row in orjson.loads(found or "[]")}


def _positions(places: Mapping[str, Place], now: str) -> dict[str, int | End]:
    """How far the sessions of these places have got, or how they ended; without those whose past is not that of it."""
    found: dict[str, int | End] = {}
    for session in Session.objects.filter(id__in=list(places)) if places else ():
        if session.ended_at:
            found[session.id] = End(session.end_reason, session.ended_by)
        elif _is_past(session, places[session.id], now):
            found[session.id] = session.seq
    return found


def missed(session_id: str, after: int, until: int, history: str) -> Missed | End | None:
    """The events of a session after a number, up to another, for who got the former in a history; as ``Fetch``."""
    session = Session.objects.filter(id=session_id).first()
    if session is None:
        return None
    if session.ended_at:
        return End(session.end_reason, session.ended_by)
    with Cursor() as cursor:
        now = memory.history(cursor)
    if not _is_past(session, (after, history), now):
        return None
    newest = session.histories[-1][0] if session.histories else history
    # Of another history all that there is, so that the place is of the newest.
    events = journal.read(session_id, after=after, until=session.seq if newest != history else min(until, session.seq))
    return None if events is None else Missed(events, newest)


def _is_past(session: Session, place: Place, now: str) -> bool:
    seq, history = place
    return journal.is_past(session, seq, history=history, now=now) if history else seq <= session.seq
