"""What operations result in: an answer, events, and what the socket that asked is given besides, told apart by type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from rooms.wire.events import Audience, End, Event, Numbered

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a hub needs to give a peer its connection.

    ``peers`` is ``{peer_id: peer object as JSON text}`` of everybody in the session, the peer included, or None if the
    hub follows the session already. ``room`` is what the peer list says of the room. ``replay`` are the events to send
    instead of the full state. In a ``large`` room members get head counts, not each other's comings and goings.
    ``with_self`` says that the peer is told, last, how it is shown. ``policy`` is of its role now, for a socket that
    was told another one, or is by the replay (``had_other_roles``). ``polls`` are the ``(method, params)`` of what was
    told of polls while a peer that comes back was away, ``locks`` those that are held. ``came`` and ``since`` as in
    Member.
    """

    peer_id: str
    role: str
    observed: frozenset[str]
    room: dict[str, Any]
    peers: dict[str, str] | None
    values: Sequence[dict[str, Any]] = ()
    replay: Sequence[Numbered] | None = None
    large: bool = False
    with_self: bool = False
    policy: dict[str, Any] = field(default_factory=dict)
    had_other_roles: bool = False
    polls: Sequence[tuple[str, dict[str, Any]]] = ()
    locks: Sequence[dict[str, Any]] = ()
    came: int = 0
    since: int = 0


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a new socket is told first, and the peer that it finds again, if any."""

    policy: dict[str, Any]
    preview: dict[str, Any] = field(default_factory=dict)
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """The keys that a peer observes from now on, and the values of those that are set."""

    keys: frozenset[str]
    values: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The call is answered when the peer gets a lock, or when so many seconds are over.

    ``until`` is the same moment by the database's clock, in milliseconds.
    """

    name: str
    seconds: float
    until: int


@dataclass(frozen=True, slots=True)
class Passing:
    """News of a moment: told to who is there, and kept nowhere. It has no number."""

    kind: str
    params: Mapping[str, Any]
    audience: Audience


ForSocket: TypeAlias = Welcome | Attachment | Observation | Waiting | Passing


class Outcome(NamedTuple):
    """What an operation did: the caller's answer, the events it caused, and whether it ended the session."""

    result: Mapping[str, Any] = NOTHING
    events: Sequence[Event] = ()
    end: End | None = None
    for_socket: ForSocket | None = None
