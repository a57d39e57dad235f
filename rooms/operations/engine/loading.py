"""What a transaction begins with: the locks of its rooms, and what is known of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rooms.models import Peer, Room, Session
from rooms.operations.engine import memory, statements
from rooms.operations.engine.calls import Call
from rooms.operations.engine.journal import Past
from rooms.operations.engine.memory import Place, Standing
from rooms.operations.engine.transaction import Cursor
from rooms.wire.events import End, Numbered


@dataclass(slots=True)
class Pages:
    """A session in a transaction: what is known of it, and what is added to it."""

    known: Standing
    session: Session
    is_new: bool = False
    fields_changed: bool = False  # fields of the session's row that are seldom changed
    rows_changed: bool = False  # peers or entries
    all_present: bool = False  # whether all present peers are known
    entries: set[str] = field(default_factory=set)  # keys of those that were read or changed
    events: list[Numbered] = field(default_factory=list)
    past: Past | None = None  # the journal without those events, once it was read
    end: End | None = None

    def take(self, row: Peer) -> None:
        """Remember a peer that was read, unless it is known already."""
        # One object for each row: what a call changed of a peer must be there for the next one.
        self.known.peers.setdefault(row.peer_id, row)
        self.known.absent.discard(row.peer_id)
        # Only where all of an owner are known: a part of them would pass for all.
        if self.is_new or row.owner in self.known.owned:
            self.known.owned.setdefault(row.owner, set()).add(row.peer_id)


class Loaded:
    """Takes the locks of the rooms of these calls, and reads what they need that is not remembered.

    ``rooms`` and ``live`` are by room id, ``pages`` by session id. ``held`` are the ids of rooms whose locks somebody
    else has, ``history`` is the run of the database, see Session.histories. Without patience no lock is taken.
    """

    def __init__(self, calls: Sequence[Call], cursor: Cursor, *, patience: float | None) -> None:
        self._cursor = cursor
        self.rooms: dict[str, Room] = {}
        self.pages: dict[str, Pages] = {}
        self.live: dict[str, Pages] = {}
        askers: dict[str, set[str]] = {}
        newcomers: dict[str, set[str]] = {}  # owners of those who may not have joined yet
        for call in calls:
            askers.setdefault(call.caller.room_id, set()).add(call.caller.peer_id)
            if not call.operation.joined:
                newcomers.setdefault(call.caller.room_id, set()).add(call.caller.owner)
        places, self.held = memory.lock(cursor, askers, patience=patience)
        self.history = next(iter(places.values())).history if places else ""
        self.has_webhooks = any(place.webhooks for place in places.values())
        # The server's own jobs, which make good what went wrong, believe the rows alone.
        unknown = []
        for place in places.values():
            if "" in askers[place.room_id] or patience is None or not self._recall(place):
                unknown.append(place)
        if unknown:
            self._load(unknown)
        self._load_askers(askers, newcomers)

    def _recall(self, place: Place) -> bool:
        """Take what is remembered of a room, if it still holds."""
        known = memory.recall(place)
        if known is None:
            return False
        self.rooms[place.room_id] = known.room
        self.open(Pages(known, known.session))
        return True

    def _load(self, places: Sequence[Place]) -> None:
        for room in statements.rooms(self._cursor, [place.room_id for place in places]):
            self.rooms[room.id] = room
        for session in statements.sessions(self._cursor, [place.session_id for place in places if place.session_id]):
            self.open(Pages(Standing(self.rooms[session.room_id], session), session))

    def _load_askers(self, askers: Mapping[str, set[str]], newcomers: Mapping[str, set[str]]) -> None:
        """Read the rows of those who ask, and of newcomers also the other peers of their owners."""
        peer_ids: set[str] = set()
        owners: set[str] = set()
        sessions = []
        for room_id, pages in self.live.items():
            known = pages.known
            unknown = askers[room_id] - known.peers.keys() - known.absent - {""}
            strangers = newcomers.get(room_id, set()) - known.owned.keys()
            if unknown or strangers:
                # Until they are found, see Pages.take.
                known.absent |= unknown
                known.owned |= {owner: set() for owner in strangers}
                peer_ids |= unknown
                owners |= strangers
                sessions.append(pages.session.id)
        if not sessions:
            return
        for peer in statements.peers(self._cursor, sessions, peer_id=peer_ids, owner=owners):
            self.pages[peer.session_id].take(peer)

    def open(self, pages: Pages) -> None:
        """Have a session among those that are written at the end."""
        self.pages[pages.session.id] = self.live[pages.session.room_id] = pages
