"""That somebody is writing a message, told to those whom it would reach."""

from typing import Annotated, Any

from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.messaging import check_roles
from rooms.wire.events import Audience
from rooms.wire.parameters import Items, PeerId, RoleName
from rooms.wire.results import Outcome, Passing


@operation("peer-typing", requires="sendMessages")
def tell_typing(
    context: Context,
    *,
    typing: bool = True,
    roles: Annotated[list[RoleName], Items(50)] | None = None,
    peer_id: PeerId | None = None,
) -> Outcome:
    """Tell that the caller is writing to everybody, to roles or to a peer, as ``broadcast`` has it, or is no more."""
    writer = context.peer.peer_id
    check_roles(context, roles or ())
    if peer_id:
        context.present_peer(peer_id)
        roles = None
    told: dict[str, Any] = {"peer_id": writer, "typing": typing, "private": bool(peer_id)}
    if roles:
        told["roles"] = list(dict.fromkeys(roles))
    audience = Audience(but=writer, peer=peer_id or "", roles=tuple(roles or ()))
    return Outcome(for_socket=Passing("on-peer-typing", told, audience))
