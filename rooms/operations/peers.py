"""What a peer says of itself: its name and its metadata."""

from django.conf import settings

from rooms.operations.arriving import PeerMetadata, RawName
from rooms.operations.engine.gate import Context, operation
from rooms.operations.presence import peer_updated
from rooms.wire.errors import BadRequest
from rooms.wire.names import clean_name
from rooms.wire.results import Outcome


@operation("peer-update")
def peer_update(context: Context, *, name: RawName | None = None, data: PeerMetadata | None = None) -> Outcome:
    """Change the caller's name, or its metadata, or both; only what is given changes."""
    peer = context.peer
    if name is not None:
        shown = clean_name(name, limit=settings.MAX_NAME_CHARS)
        if not shown:
            raise BadRequest("name: empty")
    before = peer.name, peer.metadata
    if name is not None:
        peer.name = shown
    if data is not None:
        peer.metadata = data
    result = {"name": peer.name, "data": peer.metadata}
    # Apps say the same again and again, which is no news for hundreds of others.
    if (peer.name, peer.metadata) == before:
        return Outcome(result)
    context.work.changed(peer, "name", "metadata")
    return Outcome(result, [peer_updated(peer, but=peer.peer_id)])
