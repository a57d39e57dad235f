"""One transaction: the rooms it holds, what it read of them, and what it will write.

Operations change the objects that they get from here and say so; everything is written at the end, at once. Several
calls can share a transaction, and each sees what those before it did.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.utils import timezone

from rooms import journal
from rooms.events import End, Event, Numbered
from rooms.models import Event as EventRow
from rooms.models import MetadataEntry, Peer, Poll, Room, SentMessage, Session, milliseconds, new_generation
from rooms.operations import standing
from rooms.operations.calls import Call

T = TypeVar("T")


def database_now() -> datetime:
    """The database's clock on PostgreSQL, so that processes on several machines agree; else this machine's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


@dataclass(slots=True)
class _Pages:
    """What a transaction adds to one session. ``changed`` are fields of the session's row."""

    session: Session
    peers: dict[str, Peer | None] = field(default_factory=dict)  # by peer id; None is known not to exist
    is_new: bool = False
    changed: bool = False
    peers_changed: bool = False
    events: list[Numbered] = field(default_factory=list)
    end: End | None = None


class Work:
    """The open transaction. Made inside ``transaction.atomic()``; takes the locks of its rooms first of all."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self._pages: dict[str, _Pages] = {}
        self._live: dict[str, str] = {}
        self.rooms: dict[str, Room] = {}
        self._present: dict[str, int] = {}
        self._all_present: set[str] = set()
        self._entries: dict[tuple[str, str], MetadataEntry] = {}
        self._changed: dict[models.Model, set[str]] = {}
        self._added: dict[type[models.Model], list[models.Model]] = {}
        self._memo: dict[Callable[..., Any], Any] = {}
        askers: dict[str, set[str]] = {}
        light: dict[str, bool] = {}
        for call in calls:
            room_id = call.caller.room_id
            askers.setdefault(room_id, set()).add(call.caller.peer_id)
            light[room_id] = call.operation.light and light.get(room_id, True)
        self._places = standing.lock(askers)
        self.now = database_now()
        self.at = milliseconds(self.now)
        self._load({room_id for room_id in self._places if not (light[room_id] and self._recall(room_id))}, askers)

    def _recall(self, room_id: str) -> bool:
        """Take what is remembered of a room, if it still holds."""
        place = self._places[room_id]
        known = standing.recall(place)
        if known is None:
            return False
        self.rooms[room_id] = known.room
        self._open(_Pages(known.session, known.peers))
        return True

    def _load(self, room_ids: set[str], askers: Mapping[str, set[str]]) -> None:
        if not room_ids:
            return
        for room in Room.objects.filter(id__in=room_ids).select_related("template"):
            self.rooms[room.id] = room
        sessions = [place.session_id for place in self._places.values() if place.room_id in room_ids]
        for session in Session.objects.filter(id__in=[session_id for session_id in sessions if session_id]):
            self._open(_Pages(session, dict.fromkeys(askers[session.room_id])))
        wanted = {peer_id for room_id in room_ids for peer_id in askers[room_id]}
        for peer in Peer.objects.filter(session_id__in=self._pages, peer_id__in=wanted):
            self._pages[peer.session_id].peers[peer.peer_id] = peer

    def _open(self, pages: _Pages) -> None:
        self._pages[pages.session.id] = pages
        self._live[pages.session.room_id] = pages.session.id

    # --- Sessions

    def session(self, room_id: str) -> Session | None:
        """The room's live session."""
        session_id = self._live.get(room_id)
        return None if session_id is None else self._pages[session_id].session

    def start_session(self, room: Room) -> Session:
        pages = _Pages(Session(room=room, started_at=self.now), is_new=True)
        self._open(pages)
        self._present[pages.session.id] = 0
        self._all_present.add(pages.session.id)
        return pages.session

    def end_session(self, session: Session, end: End) -> None:
        self._pages[session.id].end = end
        session.ended_at, session.end_reason = self.now, end.reason
        session.ended_by = end.by or session.ended_by
        del self._live[session.room_id]

    def record(self, session: Session, events: Sequence[Event]) -> list[Numbered]:
        """Number the events; they are stored when the transaction is."""
        numbered = journal.number(session, events)
        self._pages[session.id].events += numbered
        return numbered

    def events_after(self, session: Session, seq: int) -> list[Numbered] | None:
        """All events of the session with a greater number, or None if some are no longer kept."""
        unwritten = self._pages[session.id].events
        last_stored = session.seq - len(unwritten)
        stored = journal.read(session.id, after=seq, until=last_stored) if seq < last_stored else []
        return None if stored is None else [*stored, *(event for event in unwritten if event.seq > seq)]

    def session_changed(self, session: Session) -> None:
        self._pages[session.id].changed = True

    # --- Peers

    def peer(self, session: Session, peer_id: str) -> Peer | None:
        """The session's row of this peer id, present or not."""
        pages = self._pages[session.id]
        if peer_id not in pages.peers and not pages.is_new:
            pages.peers[peer_id] = Peer.objects.filter(session_id=session.id, peer_id=peer_id).first()
        return pages.peers.get(peer_id)

    def add_peer(self, peer: Peer) -> None:
        pages = self._pages[peer.session_id]
        pages.peers[peer.peer_id] = peer
        pages.peers_changed = True
        self.add(peer)

    def head_count(self, session: Session) -> int:
        """How many peers are in the session, connected or reconnecting."""
        if session.id not in self._present:
            stored = Peer.objects.filter(session_id=session.id).exclude(state=Peer.State.LEFT).count()
            self._present[session.id] = stored
        return self._present[session.id]

    def count(self, session: Session, change: int) -> None:
        """Note that a peer came (1) or went (-1)."""
        self._present[session.id] = self.head_count(session) + change

    def present(self, session: Session) -> list[Peer]:
        """All peers that are in the session, in the order of joining."""
        peers = self._pages[session.id].peers
        if session.id not in self._all_present:
            for row in Peer.objects.filter(session_id=session.id).exclude(state=Peer.State.LEFT):
                peers.setdefault(row.peer_id, row)
            self._all_present.add(session.id)
        return sorted((peer for peer in peers.values() if peer and peer.present), key=lambda peer: peer.joined_seq)

    # --- Session metadata

    def entry(self, session: Session, key: str) -> MetadataEntry:
        """The entry of a key; one that was never set is at version 0, and is not stored unless it changes."""
        place = session.id, key
        if place not in self._entries:
            self._entries[place] = MetadataEntry.objects.filter(session_id=session.id, key=key).first() or (
                MetadataEntry(session=session, key=key, updated_at=self.now)
            )
        return self._entries[place]

    def entry_sizes(self, session: Session) -> dict[str, int]:
        """Size by key, of all keys that were ever set; 0 for removed ones."""
        sizes = dict(MetadataEntry.objects.filter(session_id=session.id).values_list("key", "size"))
        for (session_id, key), entry in self._entries.items():
            if session_id == session.id and entry.change_version:
                sizes[key] = entry.size
        return sizes

    # --- Rows

    def changed(self, row: models.Model, *fields: str) -> None:
        """Note that these fields of a row are to be saved."""
        if isinstance(row, Peer):
            self._pages[row.session_id].peers_changed = True
        if not row._state.adding:
            self._changed.setdefault(row, set()).update(fields)

    def add(self, row: models.Model) -> None:
        """Note that this row is to be inserted."""
        self._added.setdefault(type(row), []).append(row)

    def once(self, load: Callable[["Work"], T]) -> T:
        """What load(self) returned the first time in this transaction."""
        if load not in self._memo:
            self._memo[load] = load(self)
        result: T = self._memo[load]
        return result

    def flush(self) -> None:
        """Write everything that was noted."""
        for pages in self._pages.values():
            if pages.is_new:
                pages.session.save(force_insert=True)
            elif pages.end:
                # Before the next session of the room is inserted: a room has one live session.
                pages.session.save(update_fields=["ended_at"])
        for kind, rows in self._added.items():
            kind._default_manager.bulk_create(rows)
        for row, fields in self._changed.items():
            row.save(update_fields=fields)
        for pages in self._pages.values():
            if pages.end:
                self._close(pages.session)
            elif pages.peers_changed:
                pages.session.generation = new_generation()
            if pages.changed or pages.end or pages.peers_changed:
                pages.session.save(update_fields=["empty_since", "ended_at", "end_reason", "ended_by", "generation"])
        written = [(pages.session, pages.events) for pages in self._pages.values() if pages.events and not pages.end]
        if written:
            journal.append(written, at=self.at)
        transaction.on_commit(self._remember)

    def _remember(self) -> None:
        for pages in self._pages.values():
            session = pages.session
            if not pages.end:
                room = self.rooms[session.room_id]
                generations = session.generation, room.template.generation
                standing.remember(standing.Standing(generations, room, session, pages.peers))

    def _close(self, session: Session) -> None:
        """Nothing that peers wrote outlives the session."""
        session.journal_bytes = 0
        session.save(update_fields=["seq", "messages", "journal_bytes"])
        for kind in (EventRow, MetadataEntry, SentMessage, Poll):
            kind._default_manager.filter(session_id=session.id).delete()
        peers = Peer.objects.filter(session_id=session.id)
        peers.exclude(state=Peer.State.LEFT).update(
            state=Peer.State.LEFT, left_at=self.now, leave_reason=Peer.Leave.ENDED
        )
        # Of the peers there remain who they were and when.
        peers.update(metadata="", groups=[], observed=[], conn_id="", worker="")
