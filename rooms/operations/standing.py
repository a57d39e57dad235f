"""What is remembered of a room between transactions: its live session, its roles, and the peers who asked something.

The rows stay the truth. Whatever changes a peer gives the session a new generation, and whatever changes a template
gives that one; a transaction reads both together with the room's lock, and uses what is remembered only if they are
the same. So a message costs no more than the rows that are written for it.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from django.db import connection

from rooms.models import Peer, Room, Session

MAX_ROOMS = 2000


class Place(NamedTuple):
    """Where a room stands, read with its lock. Of a room that nobody is in, session_id is None."""

    room_id: str
    template_generation: int
    session_id: str | None
    session_generation: int
    seq: int
    messages: int
    journal_bytes: int


@dataclass(slots=True)
class Standing:
    """The rows of a room that belong to one generation of its session and of its template."""

    generations: tuple[int, int]
    room: Room
    session: Session
    peers: dict[str, Peer | None]

    def fits(self, place: Place) -> bool:
        return self.session.id == place.session_id and self.generations == (
            place.session_generation,
            place.template_generation,
        )


_remembered: OrderedDict[str, Standing] = OrderedDict()


def lock(room_ids: Iterable[str]) -> dict[str, Place]:
    """Take the locks of these rooms, and read where they stand.

    In the order of their ids: two transactions with several rooms each would otherwise wait for each other. SQLite's
    IMMEDIATE transaction is the lock of everything; there this only reads.
    """
    wanted = sorted(room_ids)
    chosen = f"r.id IN ({', '.join(['%s'] * len(wanted))})"
    with connection.cursor() as cursor:
        if connection.features.has_select_for_update:
            # A statement of its own: one that waits for a lock goes on with what it saw before it waited.
            cursor.execute(f"SELECT 1 FROM rooms_room r WHERE {chosen} ORDER BY r.id FOR UPDATE", wanted)
        cursor.execute(_PLACES[connection.vendor].format(chosen=chosen), wanted)
        [places] = cursor.fetchone()
        return {place[0]: Place._make(place) for place in orjson.loads(places or "[]")}


# By hand, for it is asked for every set of messages, and building the query would take longer than its answer. As one
# row, for with SQLite each row lets other threads run, and to have its turn again takes longer than to read it.
_SELECT_PLACES = """
    SELECT CAST({collect}({row}(
        r.id, t.generation, s.id, COALESCE(s.generation, 0), COALESCE(s.seq, 0), COALESCE(s.messages, 0),
        COALESCE(s.journal_bytes, 0)
    )) AS text)
    FROM rooms_room r JOIN rooms_template t ON t.id = r.template_id
    LEFT JOIN rooms_session s ON s.room_id = r.id AND s.ended_at IS NULL
    WHERE {chosen}
"""
_PLACES = {
    vendor: _SELECT_PLACES.replace("{collect}", collect).replace("{row}", row)
    for vendor, collect, row in [
        ("sqlite", "json_group_array", "json_array"),
        ("postgresql", "json_agg", "json_build_array"),
    ]
}


def recall(place: Place) -> Standing | None:
    """What is remembered of a room, if it still holds; the session's counters are brought up to date."""
    standing = _remembered.get(place.room_id)
    if standing is None or not standing.fits(place):
        return None
    session = standing.session
    session.seq, session.messages, session.journal_bytes = place.seq, place.messages, place.journal_bytes
    return standing


def remember(standing: Standing) -> None:
    """Keep what a committed transaction knew of a room."""
    _remembered[standing.room.id] = standing
    if len(_remembered) > MAX_ROOMS:
        _remembered.popitem(last=False)


def forget(room_ids: Iterable[str]) -> None:
    """Drop what a transaction has changed in memory and then not committed."""
    for room_id in room_ids:
        _remembered.pop(room_id, None)
