"""What an event does to a room besides being told to peers. An event has one effect at most; most have none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never


@dataclass(frozen=True, slots=True)
class Came:
    """A peer is in the session that was not. Its object is the event's body."""

    peer_id: str
    conn_id: str


@dataclass(frozen=True, slots=True)
class CameBack:
    """A peer that is in the session has another connection. ``peer`` is its object."""

    peer: Mapping[str, Any]
    conn_id: str


@dataclass(frozen=True, slots=True)
class StateChanged:
    """A peer's connection is lost, or was never lost after all. ``peer`` is its object."""

    peer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Updated:
    """A peer's object is another, which is the event's body."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class RoleChanged:
    peer_id: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class SentAway:
    """The socket of a peer is to be closed; if ``peer_id`` is None, those of all who get the event."""

    peer_id: str | None


@dataclass(frozen=True, slots=True)
class Left:
    peer_id: str


@dataclass(frozen=True, slots=True)
class Granted:
    """A peer got a lock, perhaps one that it waits for. The event's body tells which."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """What newcomers are told of the room is another, which is the event's body."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Clients that know no pushed metadata are to be told to fetch it; ``at`` in milliseconds."""

    at: int


Effect: TypeAlias = (
    Came | CameBack | StateChanged | Updated | RoleChanged | SentAway | Left | Granted | RoomChanged | Refresh
)

_ALL = "*"


def encode(effect: Effect) -> dict[str, Any]:
    """The form in which an effect is stored in the journal and sent to other processes."""
    # Versions before and after an upgrade read each other's rows and messages: the names stay, new ones may be added.
    match effect:
        case Came(peer_id, conn_id):
            return {"peer": peer_id, "attached": [peer_id, conn_id]}
        case CameBack(peer, conn_id):
            return {"state_of": peer, "attached": [peer["peer_id"], conn_id]}
        case StateChanged(peer):
            return {"state_of": peer}
        case Updated(peer_id):
            return {"peer": peer_id}
        case RoleChanged(peer_id, before, now):
            return {"role": [peer_id, before, now]}
        case SentAway(peer_id):
            return {"sent_away": _ALL if peer_id is None else peer_id}
        case Left(peer_id):
            return {"left": peer_id}
        case Granted(peer_id):
            return {"granted": peer_id}
        case RoomChanged():
            return {"room_changed": True}
        case Refresh(at):
            return {"refresh": at}
        case _:
            assert_never(effect)


def decode(stored: Mapping[str, Any]) -> Effect | None:
    """The effect of this form; None of what only a later version knows."""
    # The more names a form has the earlier it is tried.
    match stored:
        # Those with more fields first: a pattern also takes what has others besides.
        case {"peer": peer_id, "attached": [_, conn_id]}:
            return Came(peer_id, conn_id)
        case {"state_of": peer, "attached": [_, conn_id]}:
            return CameBack(peer, conn_id)
        case {"state_of": peer}:
            return StateChanged(peer)
        case {"peer": peer_id}:
            return Updated(peer_id)
        case {"role": [peer_id, before, now]}:
            return RoleChanged(peer_id, before, now)
        case {"sent_away": peer_id}:
            return SentAway(None if peer_id == _ALL else peer_id)
        case {"left": peer_id}:
            return Left(peer_id)
        case {"granted": peer_id}:
            return Granted(peer_id)
        case {"room_changed": _}:
            return RoomChanged()
        case {"refresh": at}:
            return Refresh(at)
    return None
