"""What one socket is sent, held against what was committed: no gap, no double, one order, nothing of others."""

import json
from typing import Any

from tests.simulation.journal import SECRET, Entry, Journal, Journals, addressed
from tests.simulation.scheduler import Violation


class Stream:
    """What a socket is sent of one session, from a full state or a place on.

    ``position`` is the number up to which everything that is for the peer was sent; None as long as that is not known.
    ``last`` is the last event that was received. ``observed`` are the peer's keys, None while they are not known.
    """

    def __init__(self, journals: Journals, peer_id: str, session_id: str, position: int | None) -> None:
        self._journals = journals
        self.peer_id = peer_id
        self.session_id = session_id
        self.position = position
        self._is_replayed = position is not None
        self.last: Entry | None = None
        self.observed: frozenset[str] | None = None
        self._observed_since: int | None = None
        self.versions: dict[str, int] = {}

    def observe(self, keys: frozenset[str] | None, since: int | None) -> None:
        """Note which keys the peer observes; not since when, if it was told no place, but at the next event it does."""
        self.observed, self._observed_since = keys, since

    def event(self, seq: int, text: str) -> None:
        """Take an event. Raises Violation."""
        entries = [entry for entry in self._journals.every.get((self.session_id, seq), ()) if entry.is_told_by(text)]
        if not entries:
            self._event_of_the_end(seq, text)
            return
        entry = entries[-1]
        path = self._journals.timelines[entry.timeline][self.session_id]
        if self.position is not None and seq <= self.position:
            raise Violation(f"{self.peer_id} was sent event {seq} when it had got all up to {self.position}")
        if self.last and path.entries.get(self.last.seq) is not self.last:
            raise Violation(f"{self.peer_id} was sent event {seq} of a past in which event {self.last.seq} is another")
        if addressed(entry, self.peer_id, path.role(self.peer_id, seq), self.observed) is False:
            raise Violation(f"{self.peer_id} was sent event {seq}, which is for {entry.audience}")
        if entry.kind == "on-metadata-change":
            self._check_entries(path, entry, json.loads(text)["params"]["values"])
        if missed := self._missed(path, seq - 1):
            raise Violation(f"{self.peer_id} was sent event {seq} but not {missed.seq} before it: {missed.frame}")
        self.position, self.last = seq, entry
        if self._observed_since is None:
            self._observed_since = seq
        if entry.kind == "on-metadata-change":
            self._versions(json.loads(text)["params"]["values"], newer=not entry.audience.peer)

    def _check_entries(self, path: Journal, entry: Entry, told: list[dict[str, Any]]) -> None:
        """Nothing that it may not read, and of the rest no half. Raises Violation."""
        role = path.role(self.peer_id, entry.seq)
        for share, value in zip(entry.audience.entries, entry.values, strict=True):
            if value in told and share.readers is not None and role not in share.readers:
                raise Violation(f"{self.peer_id}, a {role}, was sent {value}, which is for {share.readers}")
        if self.observed is None or told == entry.shown(role, self.observed):
            return
        if not self._loses_sight(path, entry.seq) or told != entry.shown(role, self.observed - {SECRET}):
            raise Violation(f"{self.peer_id} was sent {told} of event {entry.seq}: {entry.frame}")

    def _loses_sight(self, path: Journal, seq: int) -> bool:
        """Whether what it could read at an event it may not any more after one of those that followed."""
        return any(role != "host" for since, role in path.roles.get(self.peer_id, []) if since >= seq)

    def check_text(self, text: str) -> None:
        """Raises Violation for a value that hosts alone may read, if the peer has not been one since its place."""
        since = self.position or 0
        roles = [role for path in self._paths for at, role in path.roles.get(self.peer_id, []) if at >= since]
        roles += [path.role(self.peer_id, since + 1) for path in self._paths]
        if "host" not in roles:
            raise Violation(f"{self.peer_id}, one of {set(roles)}, was sent {text}")

    def answer(self, seq: int) -> None:
        """Take an answer that says up to where everything was sent. Raises Violation."""
        if self.position is None or seq <= self.position:
            return
        missed = [self._missed(path, seq) for path in self._paths if max(path.last, path.final) >= seq]
        if not missed:
            raise Violation(f"{self.peer_id} was answered at {seq}, which was never reached")
        if None not in missed:
            [first, *_] = [entry for entry in missed if entry]
            raise Violation(f"{self.peer_id} was answered at {seq} before it was sent event {first.seq}: {first.frame}")
        self.position = seq

    def values(self, values: list[dict[str, Any]]) -> None:
        """Take what keys hold now."""
        self._versions(values, newer=False)

    def _versions(self, values: list[dict[str, Any]], *, newer: bool) -> None:
        for value in values:
            key, version, held = value["key"], value["change_version"], self.versions.get(value["key"], 0)
            if not version:  # what it may know no longer
                self.versions.pop(key, None)
                continue
            if version < held or (newer and version == held):
                raise Violation(f"{self.peer_id} was sent version {version} of {key} after version {held}")
            self.versions[key] = version

    def _event_of_the_end(self, seq: int, text: str) -> None:
        """Take an event that was part of the session's end, with which all that was stored of it was deleted."""
        ended = [path for path in self._paths if path.ended and path.last < seq <= path.final]
        if not ended:
            raise Violation(f"{self.peer_id} was sent what was never committed in session {self.session_id}: {text}")
        missed = [self._missed(path, path.last) for path in ended]
        if None not in missed:
            raise Violation(f"{self.peer_id} was told of the end but not of {missed[0]}")
        if self.position is not None and seq <= self.position:
            raise Violation(f"{self.peer_id} was sent event {seq} of the end after {self.position}")
        self.position = seq

    @property
    def _paths(self) -> list[Journal]:
        return [timeline[self.session_id] for timeline in self._journals.timelines if self.session_id in timeline]

    def _missed(self, path: Journal, until: int) -> Entry | None:
        """The first event that is for the peer and was not sent up to a number."""
        if self.position is None:
            return None
        for seq in range(self.position + 1, min(until, path.last) + 1):
            entry = path.entries[seq]
            if entry.audience.entries and (self._observed_since is None or seq <= self._observed_since):
                continue
            role = path.role(self.peer_id, seq)
            if addressed(entry, self.peer_id, role, self.observed) and not self._is_left_out(path, entry, role):
                return entry
        return None

    def _is_left_out(self, path: Journal, entry: Entry, role: str) -> bool:
        """Whether a replay has nothing of it: of a state that is another by now, or of what may not be read now, which
        is told after the replay."""
        if entry.state_of and self._is_replayed:
            # The database may have been put back since, and gone on from there.
            goes_on = [journal for journal in self._paths if journal.entries.get(entry.seq) is entry]
            later = [one for journal in goes_on for seq, one in journal.entries.items() if seq > entry.seq]
            return any(one.state_of == entry.state_of for one in later)
        if not entry.audience.entries or self.observed is None:
            return False
        return all(
            value["key"] == SECRET and (not value["change_version"] or self._loses_sight(path, entry.seq))
            for value in entry.shown(role, self.observed)
        )
