"""What is remembered of a room between transactions: its live session, its roles, and the peers who asked something.

The rows stay the truth. Whatever changes a peer or an entry gives the session a new generation, and whatever changes
a template gives that one; a transaction reads both together with the room's lock, and uses what is remembered only if
they are the same. So a message costs no more than the rows that are written for it.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import orjson
from django.conf import settings

from rooms.models import Lock, MetadataEntry, Peer, Person, Room, Session
from rooms.operations.engine import clock
from rooms.operations.engine.journal import Past
from rooms.operations.engine.transaction import Cursor

MAX_ROOMS = 2000
MAX_REGULARS = 256
MAX_ABSENT = 64
MAX_OWNERS = 256
MAX_ENTRY_BYTES = 1024
MAX_PASTS = 16
PAST_SECONDS = 10


class Place(NamedTuple):
    """Where a room stands, read with its lock. Of a room that nobody is in, session_id is None.

    ``webhooks`` says whether there is an endpoint at all.
    """

    room_id: str
    title: str
    enabled: bool
    large_room: bool
    size: int
    template_generation: int
    session_id: str | None
    session_generation: int
    seq: int
    messages: int
    journal_bytes: int
    history: str
    webhooks: bool


class Head(NamedTuple):
    """What is known of each entry of session metadata: its size, 0 if it was removed, and on what terms it is kept."""

    size: int
    owner: str
    expires_at: datetime | None


@dataclass(slots=True)
class Standing:
    """What is known of a room's live session, as of one generation of it and of the room's template.

    ``peers`` and ``entries`` are those that were asked for, ``absent`` ids that no peer has. ``owned`` are the ids of
    all peers of an owner, by owner, for those who were asked for. ``head_count``, ``persons`` by owner, ``heads``
    of the entries by key, and ``locks`` by name are None until they were. ``regulars`` are the ids of peers that did
    more than come.
    """

    room: Room
    session: Session
    peers: dict[str, Peer] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    owned: dict[str, set[str]] = field(default_factory=dict)
    persons: dict[str, Person] | None = None
    entries: dict[str, MetadataEntry] = field(default_factory=dict)
    head_count: int | None = None
    heads: dict[str, Head] | None = None
    locks: dict[str, Lock] | None = None
    regulars: set[str] = field(default_factory=set)
    generations: tuple[int, int] = (0, 0)

    def forget_strangers(self) -> None:
        """Let go of those who came to the door: any number may, and it changes nothing."""
        if len(self.absent) > MAX_ABSENT:
            self.absent.clear()
        if len(self.owned) > MAX_OWNERS:
            self.owned.clear()

    def shrink(self, keys: Iterable[str]) -> None:
        """Let go of the many that only come and listen, and of large values of these keys."""
        if len(self.regulars) > MAX_REGULARS:
            self.regulars.clear()
        if len(self.peers) > len(self.regulars):  # or looking at each would cost every change more than it frees
            self.peers = {
                peer_id: peer for peer_id, peer in self.peers.items() if peer.present and peer_id in self.regulars
            }
            self.owned = {owner: peer_ids for owner, peer_ids in self.owned.items() if peer_ids <= self.peers.keys()}
        for key in keys:
            if key in self.entries and self.entries[key].size > MAX_ENTRY_BYTES:
                del self.entries[key]


_remembered: OrderedDict[str, Standing] = OrderedDict()


def lock(cursor: Cursor, room_ids: Iterable[str], *, patience: float | None) -> tuple[dict[str, Place], set[str]]:
    """Take the locks of these rooms, and read where they stand.

    Of several rooms those that somebody else holds are passed over, for the others must not wait for them; their ids
    come second. For a single room this waits ``patience`` seconds, and so does every later statement of the
    transaction that meets a lock. Without patience no lock is taken.

    In the order of their ids: two transactions with several rooms each would otherwise wait for each other. SQLite's
    IMMEDIATE transaction is the lock of everything; there this only reads.
    """
    wanted = sorted(room_ids)
    chosen = f"r.id IN ({', '.join(['%s'] * len(wanted))})"
    taken = set(wanted)
    if patience is not None and cursor.vendor != "sqlite":
        # Statements of their own: one that waits for a lock goes on with what it saw before it waited.
        cursor.execute(
            # 0 would be no limit.
            f"SET LOCAL lock_timeout = {max(1, int(patience * 1000))};"
            f" SELECT r.id FROM rooms_room r WHERE {chosen} ORDER BY r.id FOR UPDATE"
            f" {'SKIP LOCKED' if len(wanted) > 1 else ''}",
            wanted,
        )
        # Past the answer to SET.
        cursor.nextset()
        taken = {room_id for (room_id,) in cursor.fetchall()}
    cursor.execute(_PLACES[cursor.vendor].format(chosen=chosen), wanted)
    [found] = cursor.fetchone()
    places, held = {}, set()
    for place in orjson.loads(found or "[]"):
        if place[0] in taken:
            places[place[0]] = Place._make(place)
        else:
            held.add(place[0])
    return places, held


# By hand, for it is asked for every set of messages, and building the query would take longer than its answer. As one
# row, for with SQLite each row lets other threads run, and to have its turn again takes longer than to read it.
_SELECT_PLACES = """
    SELECT CAST({collect}({row}(
        r.id, r.title, r.enabled, r.large_room, r.size, t.generation,
        s.id, COALESCE(s.generation, 0), COALESCE(s.seq, 0), COALESCE(s.messages, 0),
        COALESCE(s.journal_bytes, 0), {history}, EXISTS (SELECT 1 FROM rooms_webhookendpoint)
    )) AS text)
    FROM rooms_room r JOIN rooms_template t ON t.id = r.template_id
    LEFT JOIN rooms_session s ON s.room_id = r.id AND s.ended_at IS NULL
    WHERE {chosen}
"""
# Which run of the database this is: with SQLite the lease of the one process that serves it, taken anew at each start;
# else when the database was started, and which database and table it is: a dump is put back into others.
_HISTORY = {
    "sqlite": (
        "COALESCE((SELECT w.id FROM rooms_worker w ORDER BY w.dead_at IS NULL DESC, w.last_seen DESC LIMIT 1), '')"
    ),
    "postgresql": (
        "concat_ws('-', to_hex((EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000)::bigint),"
        " (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()), 'rooms_session'::regclass::oid)"
    ),
}
_PLACES = {
    vendor: _SELECT_PLACES.replace("{collect}", collect).replace("{row}", row).replace("{history}", _HISTORY[vendor])
    for vendor, collect, row in [
        ("sqlite", "json_group_array", "json_array"),
        ("postgresql", "json_agg", "json_build_array"),
    ]
}


def history(cursor: Cursor) -> str:
    """Which run of the database this is."""
    cursor.execute(f"SELECT {_HISTORY[cursor.vendor]}", ())
    [name] = cursor.fetchone()
    return str(name)


def recall(place: Place) -> Standing | None:
    """What is remembered of a room, if it still holds. It is forgotten until ``remember``.

    So what a transaction changes in memory and then does not commit is not found again.
    """
    standing = _remembered.pop(place.room_id, None)
    # Another process may have written since: the generations are read with the lock, so this cannot be late.
    if standing is None or standing.generations != (place.session_generation, place.template_generation):
        return None
    room, session = standing.room, standing.session
    if session.id != place.session_id:
        return None
    # What changes without another generation.
    room.title, room.size = place.title, place.size
    room.enabled, room.large_room = bool(place.enabled), bool(place.large_room)
    session.seq, session.messages, session.journal_bytes = place.seq, place.messages, place.journal_bytes
    return standing


_pasts: dict[str, Past] = {}
"""The pasts of sessions that somebody came back to in the last seconds, by their ids: after a restart many do.

The last that was used comes last.
"""


def take_past(session_id: str, *, history: str, until: int) -> Past | None:
    """A session's past, if it is remembered up to this number; forgotten until ``keep_past``, as with ``recall``."""
    past = _pasts.pop(session_id, None)
    return past if past and (past.history, past.until) == (history, until) else None


def keep_past(past: Past) -> None:
    """Keep what a committed transaction read, or added, while others come back; not if it is long."""
    _pasts[past.session_id] = past
    for one in list(_pasts.values()):
        is_long = one.chars > settings.MAX_UNSENT_BYTES
        if is_long or clock.seconds() - one.asked_at > PAST_SECONDS or len(_pasts) > MAX_PASTS:
            _pasts.pop(one.session_id, None)


def forget_past(session_id: str) -> None:
    """Let go of it, for it may hold what was taken away."""
    _pasts.pop(session_id, None)


def remember(standing: Standing) -> None:
    """Keep what a committed transaction knew of a room."""
    standing.generations = standing.session.generation, standing.room.template.generation
    # A thread may come late, with an older state: its generations tell.
    _remembered[standing.room.id] = standing
    if len(_remembered) > MAX_ROOMS:
        _remembered.popitem(last=False)
