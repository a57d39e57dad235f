"""The journal of a session: numbered events, appended in the transaction that causes them, and read again.

Numbers follow the order of commits and have no holes, because whoever appends holds the room's lock.
"""

import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from rooms.events import Audience, Event, Numbered, compact
from rooms.models import Event as Row
from rooms.models import Session

_TRIM_EVERY = 64

# Straight to the driver: a model instance for each message costs more than storing it.
_INSERT = (
    "INSERT INTO rooms_event (session_id, seq, kind, audience, body, facts, at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_OLDEST = (
    "SELECT seq, at, LENGTH(body) + LENGTH(facts) FROM rooms_event WHERE session_id = %s AND seq <= %s"
    " ORDER BY seq LIMIT %s OFFSET %s"
)
_COUNT = "UPDATE rooms_session SET seq = %s, messages = %s, journal_bytes = %s, generation = %s WHERE id = %s"


def number(session: Session, events: Iterable[Event]) -> list[Numbered]:
    """The events with the session's next numbers; the session's seq moves on, in memory."""
    numbered = []
    for event in events:
        session.seq += 1
        numbered.append(Numbered(session.seq, event.kind, event.body, event.audience, event.facts))
    return numbered


def append(cursor: CursorWrapper, entries: Sequence[tuple[Session, Sequence[Numbered]]], *, at: int) -> None:
    """Store events that have just been numbered, and their sessions' counters; at is in milliseconds."""
    rows = []
    for session, events in entries:
        for event in events:
            facts = compact(event.facts) if event.facts else ""
            rows.append((session.id, event.seq, event.kind, event.audience.encode(), event.body, facts, at))
            session.journal_bytes += len(event.body) + len(facts)
        if events and events[-1].seq // _TRIM_EVERY != (events[0].seq - 1) // _TRIM_EVERY:
            trim(cursor, session, at=at, most=2 * len(events) + _TRIM_EVERY)
    counters = [(s.seq, s.messages, s.journal_bytes, s.generation, s.id) for s, _ in entries]
    if rows:
        cursor.executemany(_INSERT, rows)
    if counters:
        cursor.executemany(_COUNT, counters)


def trim(cursor: CursorWrapper, session: Session, *, at: int, most: int) -> None:
    """Delete up to most of the oldest events that need not be kept.

    The last JOURNAL_EVENTS stay; of the others what is younger than JOURNAL_SECONDS, within JOURNAL_MAX_EVENTS and
    JOURNAL_MAX_BYTES.
    """
    newest = session.seq - settings.JOURNAL_EVENTS
    if newest <= 0:
        return
    last = 0
    # Nearly always the first one is to stay.
    oldest = functools.partial(_oldest, cursor, session, newest)
    for seq, written, size in itertools.chain(oldest(0, 1), oldest(1, most - 1)):
        young = written > at - settings.JOURNAL_SECONDS * 1000
        fits = session.seq - seq < settings.JOURNAL_MAX_EVENTS and session.journal_bytes <= settings.JOURNAL_MAX_BYTES
        if young and fits:
            break
        last = seq
        session.journal_bytes -= size
    if last:
        Row.objects.filter(session_id=session.id, seq__lte=last).delete()


def _oldest(
    cursor: CursorWrapper, session: Session, newest: int, after: int, most: int
) -> Iterator[tuple[int, int, int]]:
    """(seq, at, size) of the oldest events up to a number, but for the first ``after`` of them."""
    cursor.execute(_OLDEST, (session.id, newest, most, after))
    yield from cursor.fetchall()


def read(session_id: str, *, after: int, until: int) -> list[Numbered] | None:
    """The events with after < seq <= until, or None if some of them are no longer kept."""
    rows = Row.objects.filter(session_id=session_id, seq__gt=after, seq__lte=until).order_by("seq")
    events = [
        Numbered(seq, kind, body, Audience.decode(audience), json.loads(facts) if facts else {})
        for seq, kind, audience, body, facts in rows.values_list("seq", "kind", "audience", "body", "facts")
    ]
    return events if len(events) == until - after else None


def addressed_to(events: Sequence[Numbered], *, peer_id: str, role: str, observed: frozenset[str]) -> list[Numbered]:
    """Those of the events that a peer gets which holds this role, and observes these keys, after the last of them."""
    kept = []
    for event in reversed(events):
        if event.audience.includes(peer_id, role, observed):
            kept.append(event)
        if "role" in event.facts and event.facts["role"][0] == peer_id:
            role = event.facts["role"][1]
    kept.reverse()
    return kept
