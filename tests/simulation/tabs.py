"""What is a person's, in whatever tab: a raised hand and the spotlight go over to another tab that stays.

Told from the events of a session alone, as a client could tell.
"""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rooms.operations.groups import HANDS
from rooms.operations.metadata.entries import SPOTLIGHT_KEY
from tests.simulation.scheduler import Violation


class Gone(NamedTuple):
    """A peer that left; ``raised_at`` is 0 if its hand was down."""

    peer_id: str
    person: str
    raised_at: int


@dataclass(eq=False)
class Tabs:
    """``persons`` of those who are there, and since when their hands are up, by peer id.

    ``lit`` is the peer in the spotlight, which is an entry of ``owner``, ``_unlit`` the one before. ``_gone`` left by
    the last events; ``_ended`` is the person whose entry the server ended.
    """

    persons: dict[str, str] = field(default_factory=dict)
    hands: dict[str, int] = field(default_factory=dict)
    lit: str = ""
    owner: str = ""
    _unlit: str = ""
    _gone: list[Gone] = field(default_factory=list)
    _ended: str = ""
    _seen: list[str] = field(default_factory=list)

    def copy(self) -> "Tabs":
        return Tabs(dict(self.persons), dict(self.hands), self.lit, self.owner)

    def take(self, kind: str, body: str) -> None:
        """Take an event. Raises Violation."""
        if kind == "on-peer-leave":
            peer_id = json.loads(body)["peer_id"]
            self._gone.append(Gone(peer_id, self.persons.pop(peer_id), self.hands.pop(peer_id, 0)))
            return
        self._settle()
        if kind in ("on-peer-join", "on-peer-update"):
            self._note_peer(json.loads(body))
        elif kind == "on-metadata-change":
            for value in json.loads(body)["values"]:
                if value["key"] == SPOTLIGHT_KEY:
                    self._note_spotlight(value)

    def settled(self) -> list[str]:
        """What went over, now that no more events follow. Raises Violation."""
        self._settle()
        seen, self._seen = self._seen, []
        return seen

    def _note_peer(self, peer: dict[str, Any]) -> None:
        self.persons[peer["peer_id"]] = peer["person"]
        self.hands.pop(peer["peer_id"], None)
        if HANDS in peer["groups"]:
            self.hands[peer["peer_id"]] = peer["hand_raised_at"]

    def _note_spotlight(self, value: dict[str, Any]) -> None:
        before, owner, self._unlit = self.lit, self.owner, self.lit
        self.lit, self.owner = value["data"] or "", value.get("owner", "")
        if value["updated_by"]:
            return
        if not self.lit:
            self._ended = self.persons.get(owner, "")
        elif before != self.lit and self.persons.get(self.lit) != self.persons[before]:
            raise Violation(f"the spotlight went from {before} to {self.lit}, which is another's")

    def _settle(self) -> None:
        """Those who left are gone, all who did so at once. Raises Violation."""
        if not self._gone:
            return
        gone, self._gone, ended, self._ended = self._gone, [], self._ended, ""
        there = set(self.persons.values())
        if ended in there:
            raise Violation(f"the spotlight ended, which belonged to {ended}, who is there yet")
        for peer_id, person, raised_at in gone:
            if person not in there:
                continue
            if self.lit == peer_id:
                raise Violation(f"{peer_id} left, and is in the spotlight, though {person} is there yet")
            if self._unlit == peer_id and self.persons.get(self.lit) == person:
                self._seen.append("the spotlight goes over")
            if raised_at:
                others = [at for other, at in self.hands.items() if self.persons[other] == person]
                if min(others, default=raised_at + 1) > raised_at:
                    raise Violation(f"{peer_id} left, and with it the hand of {person}, who is there yet")
                self._seen.append("a hand goes over")
