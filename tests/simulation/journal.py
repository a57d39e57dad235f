"""What was ever committed, as the simulation itself noted it, and what must be so after each commit.

When the database is put back to an older copy a new *timeline* begins, whose past is the copy. Nothing is forgotten of
those before, for clients may still be told of them.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from rooms.wire.events import Audience
from tests.simulation.scheduler import Scheduler, Violation
from tests.simulation.server import Server, Transaction
from tests.simulation.tabs import Tabs

SECRET = "secret"
"""The key that hosts alone may read; what is under it begins with its name."""


@dataclass(eq=False, slots=True)
class Entry:
    """A row of the journal."""

    seq: int
    kind: str
    body: str
    audience: Audience
    timeline: int
    number: int = 0

    @property
    def frame(self) -> str:
        return f'{{"method":"{self.kind}","params":{self.body},"seq":{self.seq}}}'

    def is_told_by(self, text: str) -> bool:
        """Whether a frame tells the event, or of several entries of session metadata some."""
        if text == self.frame:
            return True
        if len(self.audience.entries) < 2 or self.kind not in text:
            return False
        told = json.loads(text)
        return told["seq"] == self.seq and all(value in self.values for value in told["params"]["values"])

    @property
    def state_of(self) -> str:
        """The peer whose connection's state it tells, empty if it is none such or tells it to nobody."""
        tells = self.kind == "on-peer-state" and not self.audience.nobody
        return str(json.loads(self.body)["peer_id"]) if tells else ""

    @property
    def values(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)["values"]
        return found

    def shown(self, role: str, observed: frozenset[str]) -> list[dict[str, Any]]:
        """The entries that are for a peer with this role, which observes these keys."""
        pairs = zip(self.audience.entries, self.values, strict=True)
        return [value for share, value in pairs if share.is_for(role, observed)]


@dataclass(eq=False)
class Journal:
    """A session's: every entry, by number, and what follows from them."""

    entries: dict[int, Entry] = field(default_factory=dict)
    roles: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    locks: dict[str, tuple[str, int]] = field(default_factory=dict)
    tabs: Tabs = field(default_factory=Tabs)
    ended: bool = False
    final: int = 0
    """The number of the last event of a session that has ended; those of its end are told, and not stored."""

    @property
    def last(self) -> int:
        return len(self.entries)

    def copy(self) -> "Journal":
        roles = {peer_id: list(changes) for peer_id, changes in self.roles.items()}
        versions, held, locks = dict(self.versions), dict(self.held), dict(self.locks)
        return Journal(dict(self.entries), roles, versions, held, locks, self.tabs.copy(), self.ended, self.final)

    def role(self, peer_id: str, seq: int) -> str:
        """The role that a peer held when an event happened."""
        for since, role in reversed(self.roles.get(peer_id, [])):
            if since < seq:
                return role
        return ""

    def append(self, entry: Entry) -> None:
        if entry.seq != self.last + 1:
            raise Violation(f"event {entry.seq} was committed after event {self.last}")
        self.entries[entry.seq] = entry
        if not entry.audience.peer:
            self.tabs.take(entry.kind, entry.body)
        if entry.kind == "on-metadata-change" and entry.audience.peer:
            self._check_shown(entry)
        elif entry.kind == "on-metadata-change":
            for value in entry.values:
                self._check_change(value)
                before = self.versions.get(value["key"], 0)
                if value["change_version"] != before + 1:
                    raise Violation(f"key {value['key']} went from version {before} to {value['change_version']}")
                self.versions[value["key"]] = before + 1
        elif entry.kind == "on-lock-change":
            self._note_lock(entry.seq, json.loads(entry.body))
        elif entry.kind == "on-peer-leave":
            self._check_gone(json.loads(entry.body)["peer_id"])
        elif entry.kind == "on-policy-change":
            self._note_role(entry.audience.peer, entry.seq, json.loads(entry.body)["name"])
        elif entry.kind == "on-peer-join":
            peer = json.loads(entry.body)
            self._note_role(peer["peer_id"], entry.seq - 1, peer["role"])

    def _check_shown(self, entry: Entry) -> None:
        """Values that a peer may read now, or may read no more, are no changes."""
        for value in entry.values:
            if value["change_version"] not in (0, self.versions.get(value["key"], 0)):
                raise Violation(f"{entry.audience.peer} is shown {value}, which is not how it stands")

    def _check_change(self, value: dict[str, Any]) -> None:
        before = self.held.get(value["key"])
        if before and all(one["data"] is None and not one["updated_by"] for one in (before, value)):
            raise Violation(f"key {value['key']} ended by itself twice")
        self.held[value["key"]] = value

    def _check_gone(self, peer_id: str) -> None:
        if keys := [key for key, value in self.held.items() if value.get("owner") == peer_id]:
            raise Violation(f"{peer_id} leaves, and its keys {keys} are there")
        if locks := [name for name, (holder, _) in self.locks.items() if holder == peer_id]:
            raise Violation(f"{peer_id} leaves, and holds {locks}")

    def _note_lock(self, seq: int, lock: dict[str, Any]) -> None:
        before = self.locks.pop(lock["name"], None)
        if lock["holder"] is None:
            if before is None:
                raise Violation(f"the lock {lock['name']} was freed twice")
            return
        if before != (lock["holder"], lock["token"]):
            if lock["token"] != seq:
                raise Violation(f"the lock {lock['name']} was given by event {seq} with the token {lock['token']}")
            if before and lock["reason"] == "locked":
                raise Violation(f"the lock {lock['name']} of {before} was given to {lock['holder']}")
        self.locks[lock["name"]] = lock["holder"], lock["token"]

    def _note_role(self, peer_id: str, seq: int, role: str) -> None:
        self.roles.setdefault(peer_id, []).append((seq, role))


class Journals:
    """See the module. ``timelines`` are by number, each ``{session id: Journal}``; the last one is the present."""

    def __init__(self, scheduler: Scheduler, server: Server) -> None:
        self.timelines: list[dict[str, Journal]] = [{}]
        self.every: dict[tuple[str, int], list[Entry]] = {}
        self.ended: set[str] = set()
        self._scheduler = scheduler
        self._server = server
        self.found: Violation | None = None
        server.committed = self.committed

    @property
    def present(self) -> dict[str, Journal]:
        return self.timelines[-1]

    def copy(self) -> dict[str, Journal]:
        return {session_id: journal.copy() for session_id, journal in self.present.items()}

    def restore(self, copy: dict[str, Journal]) -> None:
        self.timelines.append({session_id: journal.copy() for session_id, journal in copy.items()})

    def committed(self, transaction: Transaction) -> None:
        """Note what a transaction wrote. Raises Violation, and keeps it, for the server may go on after any error."""
        try:
            self._note(transaction)
        except Violation as error:
            self.found = self.found or error
            raise

    def _note(self, transaction: Transaction) -> None:
        rows = [(session, seq, kind, audience, body) for session, seq, kind, audience, body, *_ in transaction.events]
        rows += [
            (session, seq, "on-broadcast", audience, body)
            for session, seq, *_, audience, body, _at in transaction.messages
        ]
        for session_id, seq, kind, audience, body in sorted(rows):
            journal = self.present.setdefault(session_id, Journal())
            if journal.ended:
                raise Violation(f"an event of session {session_id}, which has ended")
            entry = Entry(seq, kind, body, Audience.decode(audience), len(self.timelines) - 1)
            journal.append(entry)
            self.every.setdefault((session_id, seq), []).append(entry)
            if kind == "on-peer-leave" and '"websocket closed"' in body:
                self._scheduler.sometimes("a peer is reaped")
            self._scheduler.note("committed", session_id[:6], seq, kind)
        for session_id in sorted({row[0] for row in rows}):
            for what in self.present[session_id].tabs.settled():
                self._scheduler.sometimes(what)
        if transaction.wrote & {"rooms_peer", "rooms_session"}:
            self._check_presence()

    def _check_presence(self) -> None:
        execute = self._server.storage.execute
        live: dict[str, int] = {session_id: 0 for (session_id,) in execute(_LIVE)}
        for key, owner in execute(_ORPHANS):
            raise Violation(f"the key {key} is of {owner}, who is gone")
        for session_id, count in execute(_PRESENT):
            if session_id not in live:
                raise Violation(f"{count} peers are in session {session_id}, which has ended")
            live[session_id] = count
        for session_id, count in live.items():
            if not count:
                raise Violation(f"session {session_id} lives on, and nobody is in it")
        for session_id, journal in self.present.items():
            if session_id not in live and not journal.ended:
                self._end(session_id, journal)

    def _end(self, session_id: str, journal: Journal) -> None:
        journal.ended = True
        [journal.final] = self._server.storage.execute(_FINAL, (session_id,)).fetchone()
        self.ended.add(session_id)
        self._scheduler.note("ended", session_id[:6])
        self._scheduler.sometimes("a session ends")
        self._check_audit(session_id, journal.versions)
        for table in ("rooms_event", "rooms_message", "rooms_metadataentry", "rooms_person", "rooms_lock"):
            statement = f"SELECT COUNT(*) FROM {table} WHERE session_id = ?"
            [left] = self._server.storage.execute(statement, (session_id,)).fetchone()
            if left:
                raise Violation(f"session {session_id} has ended, and {left} rows of {table} are left")

    def _check_audit(self, session_id: str, versions: dict[str, int]) -> None:
        """Every change is written down once; those that came with the session's end, which are not told, as well."""
        written = {key: counts for key, *counts in self._server.storage.execute(_AUDITED, (session_id,))}
        for key, version in versions.items():
            if key not in written or written[key][2] < version:
                raise Violation(f"of key {key}, which came to version {version}, is written down {written.get(key)}")
        for key, (rows, different, last) in written.items():
            if not rows == different == last:
                raise Violation(f"of key {key}, {rows} changes of {different} versions up to {last} are written down")


_AUDITED = (
    "SELECT key, COUNT(*), COUNT(DISTINCT version), MAX(version) FROM rooms_auditentry"
    " WHERE session_id = ? AND what IN ('metadata.set', 'metadata.remove') GROUP BY key"
)
_FINAL = "SELECT seq FROM rooms_session WHERE id = ?"
_ORPHANS = (
    "SELECT e.key, e.owner FROM rooms_metadataentry e WHERE e.owner != '' AND NOT EXISTS (SELECT 1 FROM rooms_peer p"
    " WHERE p.session_id = e.session_id AND p.peer_id = e.owner AND p.state IN ('connected', 'reconnecting'))"
)
_LIVE = "SELECT id FROM rooms_session WHERE ended_at IS NULL"
_PRESENT = (
    "SELECT session_id, COUNT(*) FROM rooms_peer WHERE state IN ('connected', 'reconnecting') GROUP BY session_id"
)


def addressed(entry: Entry, peer_id: str, role: str, observed: frozenset[str] | None) -> bool | None:
    """Whether a peer is to get an event; None if that cannot be said, as its keys are not known."""
    if entry.audience.entries and observed is None and not entry.audience.nobody:
        return None
    return entry.audience.includes(peer_id, role, observed or frozenset())
