"""One transaction: the rooms it holds, what it read of them, and what it will write.

Operations change the objects that they get from here and say so; everything is written at the end, at once. Several
calls can share a transaction, and each sees what those before it did. One file for one class, which says why it is
long.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from django.conf import settings
from django.db import models

from rooms.models import (
    AppliedChange,
    Lock,
    Message,
    MetadataEntry,
    Peer,
    Person,
    Poll,
    Room,
    Session,
    milliseconds,
    new_generation,
)
from rooms.models import Event as EventRow
from rooms.operations.engine import audit, erasing, journal, memory, repetitions, statements
from rooms.operations.engine.calls import Call, Caller
from rooms.operations.engine.erasing import Copies
from rooms.operations.engine.journal import Past
from rooms.operations.engine.loading import Loaded, Pages
from rooms.operations.engine.memory import Head, Standing
from rooms.operations.engine.outbox import Outbox
from rooms.operations.engine.statements import Changed, Sent
from rooms.operations.engine.transaction import Cursor
from rooms.wire.events import End, Event, Numbered

_OF_A_CHANGE = (
    "data", "size", "change_version", "updated_by", "updated_by_name", "updated_at", "owner", "on_leave", "expires_at",
)  # fmt: skip

_OF_AN_END = (
    "seq", "messages", "journal_bytes", "empty_since", "ended_at", "end_reason", "ended_by", "due_at",
)  # fmt: skip

_TELLING = (Peer, Person, Lock)
"""Rows that other processes remember as well."""

MAX_APPLIED = 80
"""Of a peer's changes of session metadata so many are recognised when they are repeated: more than may be under way."""

MAX_APPLIED_OF_SERVER = 1_000
"""Of those that back ends make, all together."""

RANDOM_DIGITS = 24
"""Of a message id so many are random."""


class Work:
    """The open transaction. Made inside ``transaction.atomic()``; takes the locks of its rooms first of all.

    Without patience for locks it only looks at the rows; what is remembered belongs to those that hold the locks.

    Its own statements share one cursor: Django takes longer to make one than SQLite to run most of them. One class,
    though long: each part of it reads what others note, until all is written at once.
    """

    def __init__(self, calls: Sequence[Call], cursor: Cursor, *, patience: float | None) -> None:
        self.calls = calls
        self._cursor = cursor
        self._loaded = Loaded(calls, cursor, patience=patience)
        self.rooms, self._pages, self._live = self._loaded.rooms, self._loaded.pages, self._loaded.live
        self.held, self.history = self._loaded.held, self._loaded.history
        self.now = statements.now(cursor)
        self.at = milliseconds(self.now)
        self.outbox = Outbox(self, cursor) if self._loaded.has_webhooks else None
        self._changed: dict[int, Changed] = {}  # by their addresses, which cost nothing to ask
        self._added: dict[type[models.Model], list[models.Model]] = {}
        self.audited: list[audit.Entry] | None = [] if audit.is_kept() else None
        self._sent: dict[tuple[str, str], dict[str, Sent]] = {}  # in this transaction, by session and peer
        # The kernel is asked once a transaction; what follows in an id is what tells those of a transaction apart.
        self.random = os.urandom(RANDOM_DIGITS // 2).hex()

    # --- Sessions

    def session(self, room_id: str) -> Session | None:
        """The room's live session."""
        pages = self._live.get(room_id)
        return None if pages is None else pages.session

    def start_session(self, room: Room) -> Session:
        session = Session(room=room, started_at=self.now)
        known = Standing(room, session, head_count=0, heads={})
        self._loaded.open(Pages(known, session, is_new=True, all_present=True))
        return session

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

    def newest_first(self, session: Session, *, after: int) -> Iterator[Numbered | None]:
        """The session's events with a greater number, as ``Past`` gives them."""
        pages = self._pages[session.id]
        # Those of this very transaction have numbers, but are not in the table yet.
        yield from (event for event in reversed(pages.events) if event.seq > after)
        stored = session.seq - len(pages.events)
        if after < stored:
            pages.past = self._known_past(pages) or Past(
                session.id, history=self.history, until=stored, asked=stored - after
            )
            yield from pages.past.newest_first(after=after)

    def _known_past(self, pages: Pages) -> Past | None:
        """The session's past without the events of this transaction, if it was read already."""
        stored = pages.session.seq - len(pages.events)
        return pages.past or memory.take_past(pages.session.id, history=self.history, until=stored)

    def session_changed(self, session: Session) -> None:
        self._pages[session.id].fields_changed = True

    # --- Peers

    def peer(self, session: Session, peer_id: str) -> Peer | None:
        """The session's row of this peer id, present or not."""
        pages = self._pages[session.id]
        known = pages.known
        # A session that begins here has no rows but those that are added.
        if peer_id not in known.peers and peer_id not in known.absent and not pages.is_new:
            known.absent.add(peer_id)
            for row in statements.peers(self._cursor, [session.id], peer_id=[peer_id]):
                pages.take(row)
        return known.peers.get(peer_id)

    def add_peer(self, peer: Peer) -> None:
        pages = self._pages[peer.session_id]
        pages.take(peer)
        pages.rows_changed = True
        self.add(peer)

    def peers_of(self, session: Session, *owners: str) -> list[Peer]:
        """All peers of these owners, present or not."""
        pages = self._pages[session.id]
        known = pages.known
        # Those of newcomers were read with the rooms.
        unknown = [] if pages.is_new else [owner for owner in owners if owner not in known.owned]
        if unknown:
            known.owned |= {owner: set() for owner in unknown}
            for row in statements.peers(self._cursor, [session.id], owner=unknown):
                pages.take(row)
        return [known.peers[peer_id] for owner in owners for peer_id in known.owned.get(owner, ())]

    def said_at(self, session: Session, owner: str) -> int:
        """When an owner said something last in the session, in milliseconds since 1970; 0 if never."""
        return max((peer.said_at for peer in self.peers_of(session, owner)), default=0)

    def forget_peer(self, peer: Peer) -> None:
        """Delete the row of a peer that left."""
        pages = self._pages[peer.session_id]
        pages.rows_changed = True
        pages.known.peers.pop(peer.peer_id, None)
        pages.known.owned.get(peer.owner, set()).discard(peer.peer_id)
        self._delete(peer)
        self.forget_applied(peer.session_id, [peer.peer_id])

    # --- Persons

    def persons(self, session: Session) -> dict[str, Person]:
        """What the session remembers of owners, by owner."""
        pages = self._pages[session.id]
        if pages.known.persons is None:
            # In the order of noting: who was noted first is forgotten first.
            rows = [] if pages.is_new else Person.objects.filter(session_id=session.id).order_by("pk")
            pages.known.persons = {person.owner: person for person in rows}
        return pages.known.persons

    def given_role(self, session: Session | None, owner: str) -> str:
        """The name of the role that an owner was given in the session, or an empty one."""
        person = self.persons(session).get(owner) if session and owner else None
        return person.given_role if person else ""

    def add_person(self, person: Person) -> None:
        self._pages[person.session_id].rows_changed = True
        self.persons(person.session)[person.owner] = person
        self.add(person)

    def forget_person(self, person: Person) -> None:
        """Delete the row of an owner."""
        self._pages[person.session_id].rows_changed = True
        del self.persons(person.session)[person.owner]
        self._delete(person)

    def head_count(self, session: Session) -> int:
        """How many peers are in the session, connected or reconnecting."""
        known = self._pages[session.id].known
        if known.head_count is None:
            known.head_count = Peer.objects.filter(session_id=session.id).exclude(state=Peer.State.LEFT).count()
        return known.head_count

    def count(self, session: Session, change: int) -> None:
        """Note that a peer came (1) or went (-1)."""
        self._pages[session.id].known.head_count = self.head_count(session) + change

    def holders(self, session: Session, role: str) -> int:
        """How many of those who are in the session hold a role."""
        pages = self._pages[session.id]
        known = pages.known.peers
        # No more of the others than their ids: there may be thousands, and each newcomer of such a role asks.
        others = () if pages.all_present else statements.holders(self._cursor, session.id, role)
        held = sum(peer.present and peer.role == role for peer in known.values())
        return held + sum(peer_id not in known for peer_id in others)

    def present(self, session: Session) -> list[Peer]:
        """All peers that are in the session, in the order of joining."""
        pages = self._pages[session.id]
        peers = pages.known.peers
        if not pages.all_present:
            for row in statements.present_peers(self._cursor, session.id):
                pages.take(row)
            pages.all_present = True
        return sorted([peer for peer in peers.values() if peer.present], key=attrgetter("joined_seq"))

    # --- Session metadata

    def entry(self, session: Session, key: str) -> MetadataEntry:
        """The entry of a key; one that was never set is at version 0, and is not stored unless it changes."""
        return self._pages[session.id].known.entries.get(key) or self.entries(session, [key])[0]

    def entries(self, session: Session, keys: Sequence[str]) -> list[MetadataEntry]:
        """The entries of these keys. Of those that were never set nothing is remembered."""
        pages = self._pages[session.id]
        held = pages.known.entries
        if unread := self.entry_heads(session).keys() & set(keys) - held.keys():
            pages.entries |= unread
            for entry in MetadataEntry.objects.filter(session_id=session.id, key__in=unread):
                held[entry.key] = entry
        return [held.get(key) or MetadataEntry(session=session, key=key, updated_at=self.now) for key in keys]

    def entry_heads(self, session: Session) -> Mapping[str, Head]:
        """By key, of all keys that were ever set."""
        known = self._pages[session.id].known
        if known.heads is None:
            rows = MetadataEntry.objects.filter(session_id=session.id).values_list("key", *Head._fields)
            known.heads = {key: Head(*head) for key, *head in rows}
        return known.heads

    def entries_changed(self, session: Session, entries: Sequence[MetadataEntry]) -> None:
        """Note that these of ``entries`` are at other versions."""
        pages = self._pages[session.id]
        pages.rows_changed = True
        held, heads = pages.known.entries, pages.known.heads
        assert heads is not None  # to have an entry one asks for them
        for entry in entries:
            held[entry.key] = entry
            pages.entries.add(entry.key)
            heads[entry.key] = Head(entry.size, entry.owner, entry.expires_at)
            if entry.change_version == 1:
                self.add(entry)
            # One that is new is inserted as it stands at the end.
            elif not entry._state.adding:
                self._changed[id(entry)] = entry, _OF_A_CHANGE
        self.expires(session, [entry.expires_at for entry in entries])

    def entry_touched(self, entry: MetadataEntry) -> None:
        """Note that an entry expires at another time."""
        pages = self._pages[entry.session_id]
        pages.rows_changed = True
        assert pages.known.heads is not None
        pages.known.heads[entry.key] = Head(entry.size, entry.owner, entry.expires_at)
        self.changed(entry, "expires_at")

    def expires(self, session: Session, moments: Iterable[datetime | None]) -> None:
        """Note when something of the session expires; None is never."""
        due = [milliseconds(moment) for moment in moments if moment]
        if due and (session.due_at is None or min(due) < session.due_at):
            session.due_at = min(due)
            self.session_changed(session)

    def look_again(self, session: Session) -> None:
        """Find out when the next of the session expires."""
        session.due_at = None
        self.session_changed(session)
        self.expires(session, [head.expires_at for head in self.entry_heads(session).values()])
        self.expires(session, [lock.expires_at for lock in self.locks(session).values()])

    def room_changed(self, session: Session) -> None:
        """Note that what others remember of the session's room holds no longer."""
        self._pages[session.id].rows_changed = True

    def applied(self, session: Session, peer_id: str, change_id: str) -> str | None:
        """What the change of this id was answered, if it was made within CLIENT_ID_SECONDS."""
        for row in self._added.get(AppliedChange, ()):
            assert isinstance(row, AppliedChange)
            if (row.session_id, row.peer_id, row.change_id) == (session.id, peer_id, change_id):
                return row.answer
        since = self.at - int(settings.CLIENT_ID_SECONDS * 1000)
        return statements.applied(self._cursor, session.id, peer_id, change_id, since=since)

    def add_applied(self, session: Session, peer_id: str, change_id: str, answer: str) -> None:
        """Note what the change of this id is answered."""
        # One of the same id may be there yet, which is too old to count.
        AppliedChange.objects.filter(session_id=session.id, peer_id=peer_id, change_id=change_id).delete()
        most = MAX_APPLIED if peer_id else MAX_APPLIED_OF_SERVER
        statements.forget_applied(self._cursor, session.id, peer_id, kept=most - 1)
        self.add(AppliedChange(session=session, peer_id=peer_id, change_id=change_id, answer=answer, at=self.at))

    def forget_applied(self, session_id: str, peer_ids: Collection[str]) -> None:
        """Let go of the answers to changes of peers that will not repeat them."""
        statements.forget_all_applied(self._cursor, session_id, peer_ids)
        rows = self._added.get(AppliedChange, [])
        for row in list(rows):
            assert isinstance(row, AppliedChange)
            if row.session_id == session_id and row.peer_id in peer_ids:
                rows.remove(row)

    # --- Locks

    def locks(self, session: Session) -> Mapping[str, Lock]:
        """The locks that somebody holds, by name."""
        return self._locks(session.id)

    def _locks(self, session_id: str) -> dict[str, Lock]:
        pages = self._pages[session_id]
        if pages.known.locks is None:
            rows = () if pages.is_new else Lock.objects.filter(session_id=session_id).order_by("pk")
            pages.known.locks = {lock.name: lock for lock in rows}
        return pages.known.locks

    def add_lock(self, lock: Lock) -> None:
        self._pages[lock.session_id].rows_changed = True
        self._locks(lock.session_id)[lock.name] = lock
        self.add(lock)

    def forget_lock(self, lock: Lock) -> None:
        """Delete the row of a lock that is free."""
        self._pages[lock.session_id].rows_changed = True
        del self._locks(lock.session_id)[lock.name]
        self._delete(lock)

    # --- Messages

    def sent_before(self, session: Session, caller: Caller, client_id: str) -> Sent | None:
        """What the caller sent before under this client id."""
        sent = self._sent.setdefault((session.id, caller.peer_id), {})
        if client_id in sent:
            return sent[client_id]
        if self._pages[session.id].is_new or repetitions.of(self._cursor, session, caller, noted=sent).take(client_id):
            return None
        return statements.sent_under(self._cursor, session.id, caller.peer_id, client_id)

    def note_sent(self, session: Session, caller: Caller, client_id: str, sent: Sent) -> None:
        """Note what the caller sends under this client id, which it did not before; ``sent_before`` was asked."""
        self._sent[session.id, caller.peer_id][client_id] = sent

    def message_changed(self, message: Message) -> None:
        """Save a message now: what reads messages reads their rows."""
        self._forget_past(message.session_id)
        statements.update_message(self._cursor, message)

    def take_away(self, copies: Copies) -> None:
        """Take what a message said out of all that is stored of its session besides the message, now.

        First everything that was noted is written, for that may hold it too.
        """
        self.flush()
        self._forget_past(copies.session.id)
        copies.session.journal_bytes -= erasing.take_away(self._cursor, copies)

    def _forget_past(self, session_id: str) -> None:
        self._pages[session_id].past = None
        memory.forget_past(session_id)

    # --- Rows

    def changed(self, row: models.Model, *fields: str) -> None:
        """Note that these fields of a row are to be saved."""
        if isinstance(row, _TELLING):
            self._pages[row.session_id].rows_changed = True
        if not row._state.adding:
            before = self._changed.get(id(row))
            if before is None:
                self._changed[id(row)] = row, fields
            elif before[1] != fields:
                self._changed[id(row)] = row, tuple(sorted({*before[1], *fields}))

    def add(self, row: models.Model) -> None:
        """Note that this row is to be inserted."""
        self._added.setdefault(type(row), []).append(row)

    def _delete(self, row: models.Model) -> None:
        self._changed.pop(id(row), None)
        # At once and not at the end, for a row of the same key may be added after it.
        if row._state.adding:
            self._added[type(row)].remove(row)
        else:
            row.delete()

    def flush(self) -> None:
        """Write everything that was noted since it was called last."""
        for pages in self._pages.values():
            if pages.is_new and pages.session._state.adding:
                pages.session.save(force_insert=True)
            elif pages.end:
                # Before the next session of the room is inserted: a room has one live session.
                pages.session.save(update_fields=["ended_at"])
        for rows in filter(None, self._added.values()):
            statements.insert(self._cursor, rows)
        statements.update(self._cursor, self._changed.values())
        self._added, self._changed = {}, {}
        written = []
        for pages in self._pages.values():
            if pages.end:
                # Of its last events there are no rows: answers and doorbells tell them, and the session's own row.
                _close(pages.session, self.now)
                continue
            if pages.events and journal.write_history(pages.session, self.history, first=pages.events[0].seq):
                pages.rows_changed = pages.fields_changed = True
            # What other processes remember of the session holds no longer.
            if pages.rows_changed:
                pages.session.generation = new_generation()
            if pages.fields_changed:
                pages.session.save(update_fields=["empty_since", "histories", "due_at", "locked"])
            if pages.events or pages.rows_changed:
                written.append((pages.session, pages.events))
                pages.past = self._known_past(pages)
                if pages.past:
                    pages.past.add(pages.events)
                pages.events = []
        if written:
            journal.append(self._cursor, written, at=self.at)
        if self.outbox:
            self.outbox.flush()
        if self.audited:
            audit.append(self._cursor, self.audited, at=self.at)
            self.audited = []

    def remember(self) -> None:
        """Keep what is known of the rooms for the next transaction, now that all is committed."""
        for call in self.calls:
            pages = self._live.get(call.caller.room_id)
            if pages and call.operation.joined:
                pages.known.regulars.add(call.caller.peer_id)
        for pages in self._pages.values():
            if pages.end:
                memory.forget_past(pages.session.id)
            elif pages.past:
                memory.keep_past(pages.past)
        for pages in self._live.values():
            pages.known.forget_strangers()
            # Not after messages alone, which read none of these: looking would cost more than they do.
            if pages.rows_changed or pages.all_present or pages.entries:
                pages.known.shrink(pages.entries)
            memory.remember(pages.known)


def _close(session: Session, now: datetime) -> None:
    """Nothing that peers wrote outlives the session."""
    session.journal_bytes, session.due_at = 0, None
    session.save(update_fields=_OF_AN_END)
    for kind in (EventRow, Message, MetadataEntry, AppliedChange, Lock, Person, Poll):
        kind._default_manager.filter(session_id=session.id).delete()
    peers = Peer.objects.filter(session_id=session.id)
    peers.exclude(state=Peer.State.LEFT).update(state=Peer.State.LEFT, left_at=now, leave_reason=Peer.Leave.ENDED)
    # Of the peers there remain who they were and when.
    peers.update(owner="", metadata="", groups=[], observed=[], conn_id="", worker="")
