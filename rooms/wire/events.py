"""What happened in a session and who is told: the values that travel from operations to sockets."""

import json
from collections.abc import Collection, Iterable, Set
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


def size_of(text: str) -> int:
    """Bytes of a text as UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


class Share(NamedTuple):
    """One entry of session metadata in an event: who may read it, None for everybody, and how long its text is."""

    key: str
    readers: tuple[str, ...] | None = None
    chars: int = 0

    def is_for(self, role: str, observed: Set[str]) -> bool:
        """Whether a peer with this role, which observes these keys, gets the entry."""
        return self.key in observed and (self.readers is None or role in self.readers)


class Audience(NamedTuple):
    """Who gets an event: everybody of the session, narrowed by the fields that are set.

    ``roles`` means who holds one of them when the event happens; with ``entries``, whoever gets one of these gets
    the event, and of it those entries alone. ``came`` is a number that its peers came before, ``since`` one that those
    of the roles have held theirs since before: of what is about an earlier event.
    """

    but: str = ""
    peer: str = ""
    roles: tuple[str, ...] = ()
    entries: tuple[Share, ...] = ()
    nobody: bool = False
    came: int = 0
    since: int = 0

    def encode(self) -> str:
        """The text that is stored; empty for everybody."""
        if self[1:] == _NO_OTHERS:
            return compact({"but": self.but}) if self.but else ""  # of nearly every event
        told = {name: value for name, value, usual in zip(self._fields, self, EVERYBODY, strict=True) if value != usual}
        if len(self.entries) == 1 and self.entries[0].readers is None:
            # Shorter, and earlier versions know no other form.
            del told["entries"]
            told["key"] = self.entries[0].key
        elif self.entries:
            # As plain tuples: named ones the fast encoder does not take.
            told["entries"] = [tuple(share) for share in self.entries]
        return compact(told)

    @classmethod
    def decode(cls, text: str) -> "Audience":
        if not text:
            return EVERYBODY
        fields = json.loads(text)
        fields["roles"] = tuple(fields.get("roles", ()))
        entries = [[key, None, 0]] if (key := fields.pop("key", None)) is not None else fields.get("entries", ())
        fields["entries"] = tuple(
            Share(key, None if readers is None else tuple(readers), chars) for key, readers, chars in entries
        )
        return cls(**fields)

    def includes(self, peer_id: str, role: str, observed: Set[str], came: int = 0, since: int = 0) -> bool:
        """Whether a peer with this role, which observes these keys, gets the event.

        ``came`` numbers its coming, ``since`` the event by which it has the role, 0 for that of its token.
        """
        if self.nobody or peer_id == self.but or (self.peer and peer_id != self.peer):
            return False
        if self.roles and (role not in self.roles or (self.since and since >= self.since)):
            return False
        if self.came and came >= self.came:
            return False
        return not self.entries or any(share.is_for(role, observed) for share in self.entries)


EVERYBODY = Audience()
NOBODY = Audience(nobody=True)
_NO_OTHERS = EVERYBODY[1:]


class Stored(NamedTuple):
    """What is kept of an event that is a message, besides the event: ``number`` counts the session's messages.

    ``person`` is its author, ``receiver`` the person of whom a private one is for.
    """

    message_id: str
    number: int
    peer_id: str
    client_id: str
    type: str = "chat"
    person: str = ""
    receiver: str = ""


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

    def with_entries(self, places: Collection[int]) -> "Numbered":
        """The event with those of its entries only that stand at these places."""
        shares = self.audience.entries
        if len(places) == len(shares):
            return self
        chosen, at = [], len(_VALUES)
        for place, share in enumerate(shares):
            if place in places:
                chosen.append(self.body[at : at + share.chars])
            at += share.chars + 1  # and the comma
        return self._replace(body=values_body(chosen))

    def shown_to(self, role: str, observed: Set[str]) -> "Numbered":
        """The event with those of its entries only that a peer with this role, which observes these keys, gets."""
        shares = self.audience.entries
        if len(shares) < 2:
            return self
        return self.with_entries([place for place, share in enumerate(shares) if share.is_for(role, observed)])


_VALUES = '{"values":['


def values_body(entries: Iterable[str]) -> str:
    """The params of ``on-metadata-change``, of entries as JSON text."""
    return f"{_VALUES}{','.join(entries)}]}}"


@dataclass(frozen=True, slots=True)
class End:
    """The end of a session. ``by`` is the peer id of the caller, empty if none."""

    reason: str
    by: str = ""
