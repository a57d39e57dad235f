"""What happened in a session and who is told: the values that travel from operations to sockets."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from rooms.wire.effects import Effect


def compact(value: Any) -> str:
    """Compact JSON text."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # Whole numbers of more than 64 bits.
        return _encode(value)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Audience(NamedTuple):
    """Who gets an event: everybody of the session, narrowed by the fields that are set.

    ``roles`` means who holds one of them when the event happens; ``key`` who observes that metadata key.
    """

    but: str = ""
    peer: str = ""
    roles: tuple[str, ...] = ()
    key: str | None = None
    nobody: bool = False

    def encode(self) -> str:
        """The text that is stored; empty for everybody."""
        if self[1:] == _NO_OTHERS:
            return compact({"but": self.but}) if self.but else ""  # of nearly every event
        told = {name: value for name, value, usual in zip(self._fields, self, EVERYBODY, strict=True) if value != usual}
        return compact(told)

    @classmethod
    def decode(cls, text: str) -> "Audience":
        if not text:
            return EVERYBODY
        fields = json.loads(text)
        fields["roles"] = tuple(fields.get("roles", ()))
        return cls(**fields)

    def includes(self, peer_id: str, role: str, observed: frozenset[str]) -> bool:
        """Whether a peer with this role, which observes these keys, gets the event."""
        if self.nobody or peer_id == self.but:
            return False
        if self.peer:
            return peer_id == self.peer
        if self.key is not None:
            return self.key in observed
        return not self.roles or role in self.roles


EVERYBODY = Audience()
NOBODY = Audience(nobody=True)
_NO_OTHERS = EVERYBODY[1:]


class Stored(NamedTuple):
    """What is kept of an event that is a message, besides the event: ``number`` counts the session's messages."""

    message_id: str
    number: int
    peer_id: str
    client_id: str


class Event(NamedTuple):
    """A notification before it has a number. ``body`` is its params as JSON text. ``stored`` is of messages."""

    kind: str
    body: str
    audience: Audience = EVERYBODY
    effect: Effect | None = None
    stored: Stored | None = None


class Numbered(NamedTuple):
    """An event of the journal, with everything that a hub of any process needs."""

    seq: int
    kind: str
    body: str
    audience: Audience
    effect: Effect | None = None
    stored: Stored | None = None

    def frame(self) -> str:
        """The text frame that clients get."""
        return f'{{"method":"{self.kind}","params":{self.body},"seq":{self.seq}}}'


@dataclass(frozen=True, slots=True)
class End:
    """The end of a session. ``by`` is the peer id of the caller, empty if none."""

    reason: str
    by: str = ""
