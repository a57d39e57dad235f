"""The journal of a session: numbered events, appended in the transaction that causes them, and read again.

Numbers follow the order of commits and have no holes, because whoever appends holds the room's lock.
"""

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings

from rooms.models import Session
from rooms.operations.engine import clock
from rooms.operations.engine.transaction import Cursor
from rooms.wire import effects
from rooms.wire.effects import CameBack, RoleChanged, StateChanged
from rooms.wire.events import Audience, Event, Numbered, compact, size_of

_TRIM_EVERY = 64

_FEW = 64
"""Events that are read at first where not all may be wanted."""

_SIFTED = 4
"""Times what may be sent to a peer that is read at most to find it among what is for others."""

# Straight to the driver: a model instance for each message costs more than storing it.
_INSERT = (
    "INSERT INTO rooms_event (session_id, seq, kind, audience, body, facts, at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_INSERT_MESSAGE = (
    "INSERT INTO rooms_message"
    " (session_id, seq, message_id, number, peer_id, client_id, type, person, receiver, audience, body, at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
# As one row, for with SQLite each row lets other threads run, and to have its turn again takes longer than to read it.
_SELECT_OLDEST = (
    "SELECT CAST({collect}({row}(seq, at, size, number)) AS text) FROM"
    " (SELECT seq, at, {size} AS size, {number} AS number FROM {table} WHERE session_id = %s AND seq <= %s"
    " ORDER BY seq LIMIT %s OFFSET %s) oldest"
)


def _oldest(table: str, number: str, *texts: str) -> dict[str, str]:
    """By vendor, the statement that reads the oldest rows of a session: what _rows gives."""
    return {
        vendor: _SELECT_OLDEST.format(
            collect=collect, row=row, table=table, number=number, size=" + ".join(map(length.format, texts))
        )
        for vendor, collect, row, length in [
            ("sqlite", "json_group_array", "json_array", "LENGTH(CAST({} AS BLOB))"),
            ("postgresql", "json_agg", "json_build_array", "OCTET_LENGTH({})"),
        ]
    }


_OLDEST = _oldest("rooms_event", "0", "audience", "body", "facts")
_OLDEST_MESSAGES = _oldest("rooms_message", "number", "audience", "body", "reactions")
_DELETE = "DELETE FROM {} WHERE session_id = %s AND seq <= %s"
_READ = (
    "SELECT seq, kind, audience, body, facts FROM rooms_event WHERE session_id = %s AND seq > %s AND seq <= %s"
    " UNION ALL"
    " SELECT seq, 'on-broadcast', audience, body, '' FROM rooms_message"
    " WHERE session_id = %s AND seq > %s AND seq <= %s ORDER BY seq"
)
_READ_BACK = f"{_READ} DESC LIMIT %s"
_COUNT = "UPDATE rooms_session SET seq = %s, messages = %s, journal_bytes = %s, generation = %s WHERE id = %s"


def number(session: Session, events: Iterable[Event]) -> list[Numbered]:
    """The events with the session's next numbers; the session's seq moves on, in memory."""
    numbered = []
    for event in events:
        session.seq += 1
        numbered.append(Numbered(session.seq, event.kind, event.body, event.audience, event.effect, event.stored))
    return numbered


def append(cursor: Cursor, entries: Sequence[tuple[Session, Sequence[Numbered]]], *, at: int) -> None:
    """Store events that have just been numbered, and their sessions' counters; at is in milliseconds."""
    rows: list[tuple[Any, ...]] = []
    messages: list[tuple[Any, ...]] = []
    counters: list[tuple[Any, ...]] = []
    for session, events in entries:
        for event in events:
            audience = event.audience.encode()
            facts = compact(effects.encode(event.effect)) if event.effect else ""
            session.journal_bytes += size_of(audience + event.body + facts)
            if stored := event.stored:
                messages.append((session.id, event.seq, *stored, audience, event.body, at))
            else:
                rows.append((session.id, event.seq, event.kind, audience, event.body, facts, at))
        # Seldom, and a few at a time: so no transaction pays for the deleting of thousands.
        if events and events[-1].seq // _TRIM_EVERY != (events[0].seq - 1) // _TRIM_EVERY:
            trim(cursor, session, at=at, most=2 * len(events) + _TRIM_EVERY)
        counters.append((session.seq, session.messages, session.journal_bytes, session.generation, session.id))
    for statement, values in ((_INSERT, rows), (_INSERT_MESSAGE, messages), (_COUNT, counters)):
        if values:
            cursor.executemany(statement, values)


def trim(cursor: Cursor, session: Session, *, at: int, most: int) -> None:
    """Delete up to most of the oldest events, and of the oldest messages, that need not be kept.

    The last JOURNAL_EVENTS stay; of the others what is younger than JOURNAL_SECONDS, within JOURNAL_MAX_EVENTS and
    JOURNAL_MAX_BYTES. Messages also stay, within JOURNAL_MAX_BYTES, if they are among the last KEPT_MESSAGES, or if
    their senders may yet repeat them.
    """
    newest = session.seq - settings.JOURNAL_EVENTS
    if newest <= 0:
        return
    seconds = max(settings.JOURNAL_SECONDS, settings.CLIENT_ID_SECONDS)
    kept_from = session.messages - settings.KEPT_MESSAGES
    for table, oldest, young, kept in (
        ("rooms_event", _OLDEST[cursor.vendor], at - settings.JOURNAL_SECONDS * 1000, None),
        ("rooms_message", _OLDEST_MESSAGES[cursor.vendor], at - seconds * 1000, kept_from),
    ):
        last = 0
        for seq, written, size, count in _rows(cursor, oldest, session, newest, most):
            fits = session.seq - seq < settings.JOURNAL_MAX_EVENTS and written > young
            if session.journal_bytes <= settings.JOURNAL_MAX_BYTES and (fits or (kept is not None and count > kept)):
                # Whatever follows is younger, and fits too.
                break
            last = seq
            session.journal_bytes -= size
        if last:
            cursor.execute(_DELETE.format(table), (session.id, last))


def _rows(
    cursor: Cursor, statement: str, session: Session, newest: int, most: int
) -> Iterator[tuple[int, int, int, int]]:
    """(seq, at, size, number) of the oldest up to a number. Nearly always the first one is to stay."""
    for after, limit in ((0, 1), (1, most - 1)):
        cursor.execute(statement, (session.id, newest, limit, after))
        [found] = cursor.fetchone()
        yield from json.loads(found or "[]")


def read(session_id: str, *, after: int, until: int) -> list[Numbered] | None:
    """The events with after < seq <= until, or None if some of them are no longer kept."""
    with Cursor() as cursor:
        cursor.execute(_READ, (session_id, after, until) * 2)
        rows = cursor.fetchall()
    # Numbers have no holes: fewer rows than numbers can only mean that some were trimmed.
    return [_numbered(*row) for row in rows] if len(rows) == until - after else None


def _read_back(session_id: str, *, until: int, few: int) -> Iterator[Numbered | None]:
    """The events up to a number, the newest first, a few at a time; a None at the end if older ones are not kept."""
    most = few
    while until:
        with Cursor() as cursor:
            cursor.execute(_READ_BACK, (*(session_id, 0, until) * 2, most))
            rows = cursor.fetchall()
        for row in rows:
            # A hole: what is older was trimmed.
            if row[0] != until:
                break
            until -= 1
            yield _numbered(*row)
        else:
            if rows:
                most *= 2  # who reads on so far may well want them all
                continue
        yield None
        return


class Past:
    """What a session's journal holds, read once however many ask who come back one after the other.

    Up to the number ``until``, and in one history: numbers of another one are other events. ``chars`` is how long what
    it holds is, ``asked_at`` when somebody asked last (seconds).
    """

    def __init__(self, session_id: str, *, history: str, until: int, asked: int) -> None:
        """Up to a number; ``asked`` is how many events the first caller asks for."""
        self.session_id, self.history, self.until = session_id, history, until
        self.chars, self.asked_at = 0, 0.0
        self._unread = _read_back(session_id, until=until, few=min(asked, _FEW))
        self._read: list[Numbered | None] = []
        self._newer: list[Numbered] = []

    def add(self, events: Sequence[Numbered]) -> None:
        """Add what follows."""
        self._newer += events
        self.until += len(events)
        self.chars += sum(len(event.body) for event in events)

    def newest_first(self, *, after: int) -> Iterator[Numbered | None]:
        """The events with a greater number, the newest first; a None at the end if some of them are not kept."""
        self.asked_at = clock.seconds()
        for event in itertools.chain(reversed(self._newer), self._older()):
            if event and event.seq <= after:
                return
            yield event
            # Older ones need not be there.
            if event is None or event.seq == after + 1:
                return

    def _older(self) -> Iterator[Numbered | None]:
        for place in itertools.count():
            if place == len(self._read):
                event = next(self._unread, None)
                self._read.append(event)
                self.chars += len(event.body) if event else 0
            yield self._read[place]


def _numbered(seq: int, kind: str, audience: str, body: str, facts: str) -> Numbered:
    effect = effects.decode(json.loads(facts)) if facts else None
    return Numbered(seq, kind, body, Audience.decode(audience), effect)


# --- Places -------------------------------------------------------------------------------------

MAX_HISTORIES = 16
"""Of a session's histories so many are remembered; a place of an older one is not known any more."""


def write_history(session: Session, history: str, *, first: int) -> bool:
    """Note under which history a session's events from a number on are written; whether that is another one now."""
    if session.histories and session.histories[-1][0] == history:
        return False
    session.histories = [*session.histories, [history, first]][-MAX_HISTORIES:]
    return True


def is_past(session: Session, seq: int, *, history: str | None, now: str) -> bool:
    """Whether a place is of what is the session's past ``now``, and not of one that the database has forgotten.

    A client that does not say of which history its place is is believed as long as there was but one.
    """
    begun = [*session.histories, [now, session.seq + 1]]
    if history is None:
        return len({name for name, _ in begun}) == 1 and seq <= session.seq
    # Who has everything before the first number of a history is at the beginning of that one, and at the former's end.
    ends = [first for _, first in begun[1:]] + [session.seq + 1]
    return any(name == history and first - 1 <= seq < end for (name, first), end in zip(begun, ends, strict=True))


def addressed_to(
    newest_first: Iterable[Numbered | None],
    *,
    peer_id: str,
    role: str,
    observed: frozenset[str],
    came: int = 0,
    since: int = 0,
    most: float = math.inf,
) -> list[Numbered] | None:
    """Those of the events that a peer gets which holds this role, and observes these keys, after the newest of them.

    ``came`` and ``since`` are as of ``Audience.includes``.

    Of several states of somebody's connection it gets the last alone: after a restart everybody was lost and came back.

    None if older ones are not kept, which a None stands for, or if they are more than ``most`` bytes. No more is asked
    for than it takes to know that.
    """
    kept, size, seen = [], 0, 0
    connections: set[str] = set()
    # Backwards from the role that the peer holds now: each change of it tells which it held before.
    for event in newest_first:
        if event is None:
            return None
        seen += len(event.body)
        if event.audience.includes(peer_id, role, observed, came, since):
            if isinstance(event.effect, StateChanged | CameBack):
                if (about := event.effect.peer["peer_id"]) in connections:
                    continue
                connections.add(about)
            shown = event.shown_to(role, observed)
            size += size_of(shown.body)
            kept.append(shown)
        if size > most or seen > _SIFTED * most:
            return None
        if isinstance(event.effect, RoleChanged) and event.effect.peer_id == peer_id:
            # Since when it held that one is not told.
            role, since = event.effect.before, event.seq
    kept.reverse()
    return kept
