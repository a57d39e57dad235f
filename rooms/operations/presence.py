"""What others are told of who is in the room."""

from typing import Any

from rooms.models import Peer, milliseconds
from rooms.operations.engine.gate import Context
from rooms.wire.effects import CameBack, StateChanged, Updated
from rooms.wire.events import EVERYBODY, NOBODY, Audience, Event, compact

NOTHING_HELD: dict[str, Any] = {"groups": [], "observed": [], "hand_raised_at": 0}
"""What a peer that comes holds of what others were told of it before."""


def state_changed(context: Context, peer: Peer) -> Event:
    """The news for the others that a peer's connection was lost or found."""
    effect = StateChanged(peer.as_wire())
    return Event("on-peer-state", _state(context, peer), Audience(but=peer.peer_id), effect)


def came_back(context: Context, peer: Peer, *, was_away: bool) -> Event:
    """That a peer has another connection, which is news for the others if it had none."""
    effect = CameBack(peer.as_wire(), peer.conn_id)
    return Event("on-peer-state", _state(context, peer), Audience(but=peer.peer_id) if was_away else NOBODY, effect)


def _state(context: Context, peer: Peer) -> str:
    return compact({"peer_id": peer.peer_id, "state": str(peer.state), "at": milliseconds(context.now)})


def peer_updated(peer: Peer, *, but: str = "") -> Event:
    """The news that a peer's name, metadata, role or groups are other than before."""
    # Groups and role are told to the peer too: somebody else may have changed them.
    audience = Audience(but=but) if but else EVERYBODY
    return Event("on-peer-update", compact(peer.as_wire()), audience, Updated(peer.peer_id))
