"""What a peer says of itself: its name and its metadata."""

from rooms.operations.arriving import PeerMetadata, RawName
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.presence import describe, peer_updated, shown_name
from rooms.wire.results import Outcome


@operation("peer-update")
def peer_update(context: Context, *, name: RawName | None = None, data: PeerMetadata | None = None) -> Outcome:
    """Change the caller's name, or its metadata, or both; only what is given changes."""
    peer = context.peer
    shown = None if name is None else shown_name(name)
    changed = describe(context, peer, name=shown, metadata=data)
    result = {"name": peer.name, "data": peer.metadata}
    return Outcome(result, [peer_updated(peer, but=peer.peer_id)] if changed else ())
