"""What others are told of who is in the room."""

from typing import Any

from django.conf import settings

from rooms.models import Peer, milliseconds
from rooms.operations.engine.context import Context
from rooms.wire.effects import CameBack, StateChanged, Updated
from rooms.wire.errors import BadRequest
from rooms.wire.events import EVERYBODY, NOBODY, Audience, Event, compact
from rooms.wire.names import clean_name

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


def told_of(peer: Peer) -> dict[str, str]:
    """Whom an entry of the audit is about."""
    return {"peer": peer.peer_id, "name": peer.name}


def peer_updated(peer: Peer, *, but: str = "") -> Event:
    """The news that a peer's name, metadata, role or groups are other than before."""
    # Groups and role are told to the peer too: somebody else may have changed them.
    audience = Audience(but=but) if but else EVERYBODY
    return Event("on-peer-update", compact(peer.as_wire()), audience, Updated(peer.peer_id))


def shown_name(name: str) -> str:
    """A name as others are shown it. Raises BadRequest if nothing of it shows."""
    shown = clean_name(name, limit=settings.MAX_NAME_CHARS)
    if not shown:
        raise BadRequest("name: empty")
    return shown


def describe(context: Context, peer: Peer, *, name: str | None, metadata: str | None) -> bool:
    """Give a peer another name or metadata; None leaves it as it is. Whether that changed anything."""
    before = peer.name, peer.metadata
    peer.name = peer.name if name is None else name
    peer.metadata = peer.metadata if metadata is None else metadata
    # Apps say the same again and again, which is no news for hundreds of others.
    if (peer.name, peer.metadata) == before:
        return False
    context.work.changed(peer, "name", "metadata")
    return True
