"""Who may come in: one check, for whatever door."""

from django.conf import settings

from rooms.models import Session
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.persons import check_may_come, was_let_in
from rooms.wire.errors import BadRequest, Forbidden, Locked
from rooms.wire.results import Outcome

MAX_PEER_ID_CHARS = 128


@operation(joined=False, reads=True)
def admit(context: Context) -> Outcome:
    """Refuse whoever could not come in now, by a socket or by joining."""
    check_admission(context)
    return Outcome()


def check_peer_id(peer_id: str) -> None:
    """Raises BadRequest if a peer cannot be called so."""
    if not 0 < len(peer_id) <= MAX_PEER_ID_CHARS or not peer_id.isprintable():
        raise BadRequest(f"peer: expected 1 to {MAX_PEER_ID_CHARS} printable characters")


def check_admission(context: Context) -> None:
    """Raises Forbidden unless the caller may come in, by whatever door. A peer that is in the session may always.

    A peer id is taken over only by its owner, with a token of the role that it joined with.
    """
    peer, caller = context.known_peer, context.caller
    # The role that it joined with: one that it was given since stands in no token.
    if peer and (peer.owner, peer.joined_role) != (caller.owner, caller.role):
        raise Forbidden("peer: this peer id belongs to another user or role")
    # Closed and full are for newcomers; this one is counted already.
    if peer and peer.present:
        return
    if not context.room.enabled:
        raise Forbidden("room not available")
    check_may_come(context, context.live_session)
    _refuse_if_locked(context, context.live_session)
    _refuse_if_full(context, context.live_session)


def _refuse_if_locked(context: Context, session: Session | None) -> None:
    """Raises Locked if the session is, unless the caller's owner is inside with another peer, or was let in since."""
    if not session or not session.locked or was_let_in(context, session):
        return
    if not any(peer.present for peer in context.work.peers_of(session, context.caller.owner)):
        raise Locked


def _refuse_if_full(context: Context, session: Session | None) -> None:
    """Raises Forbidden if the room takes nobody more, or not of the caller's role, or of its owner."""
    role = context.role
    if role.max_peers < 0:
        raise Forbidden(f"the role {role.name} admits nobody")
    if session is None:
        return
    limit = min(context.room.size or settings.MAX_ROOM_PEERS, settings.MAX_ROOM_PEERS)
    if context.work.head_count(session) >= limit:
        raise Forbidden("the room is full")
    own = sum(peer.present for peer in context.work.peers_of(session, context.caller.owner))
    if own >= settings.MAX_PEERS_PER_OWNER:
        raise Forbidden(f"the room has {own} peers of this user already")
    if role.max_peers and context.work.holders(session, role.name) >= role.max_peers:
        raise Forbidden(f"the room takes no more of the role {role.name}")
