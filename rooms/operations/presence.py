"""What others are told of who is in the room."""

from typing import Any

from rooms.models import Peer, milliseconds
from rooms.operations.engine.gate import Context
from rooms.wire.events import EVERYBODY, Audience, Event, compact

NOTHING_HELD: dict[str, Any] = {"groups": [], "observed": [], "hand_raised_at": 0}
"""What a peer that comes holds of what others were told of it before."""


def state_changed(context: Context, peer: Peer) -> Event:
    """The news for the others that a peer's connection was lost or found."""
    body = {"peer_id": peer.peer_id, "state": str(peer.state), "at": milliseconds(context.now)}
    return Event("on-peer-state", compact(body), Audience(but=peer.peer_id), {"state_of": peer.as_wire()})


def peer_updated(peer: Peer, *, but: str = "") -> Event:
    """The news that a peer's name, metadata, role or groups are other than before."""
    audience = Audience(but=but) if but else EVERYBODY
    return Event("on-peer-update", compact(peer.as_wire()), audience, {"peer": peer.peer_id})
