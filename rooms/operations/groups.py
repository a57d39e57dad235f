"""Groups that peers belong to, by name. A raised hand is the group ``_handraise``."""

from typing import Annotated

from rooms.models import Peer, milliseconds
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.presence import peer_updated, told_of
from rooms.wire.errors import TooLarge
from rooms.wire.parameters import Chars, PeerId
from rooms.wire.results import Outcome

HANDS = "_handraise"
MAX_GROUPS = 16

GroupName = Annotated[str, Chars(1, 64)]


@operation("group-join")
def join_group(context: Context, *, name: GroupName) -> Outcome:
    """Put the caller into a group. To raise its hand it needs the permission raiseHand."""
    if name == HANDS:
        # Here, and not in the decorator: all other groups are free.
        context.require("raiseHand")
    return _enter(context, context.peer, name)


@operation("group-leave")
def leave_group(context: Context, *, name: GroupName) -> Outcome:
    """Take the caller out of a group."""
    return _exit(context, context.peer, name)


@operation("group-add", requires="removeOthers")
def add_to_group(context: Context, *, name: GroupName, peer_id: PeerId) -> Outcome:
    """Put a peer into a group."""
    return _enter(context, context.present_peer(peer_id), name)


@operation("group-remove")
def remove_from_group(context: Context, *, name: GroupName, peer_id: PeerId) -> Outcome:
    """Take a peer out of a group. One that is not of the caller's own owner needs the permission removeOthers."""
    known = context.work.peer(context.session, peer_id)
    if known is None or known.owner != context.caller.owner:
        context.require("removeOthers")
    return _exit(context, context.present_peer(peer_id), name)


def _enter(context: Context, peer: Peer, name: str) -> Outcome:
    # Everybody is told all groups of a peer with each change of one.
    if name not in peer.groups and len(peer.groups) >= MAX_GROUPS:
        raise TooLarge(f"name: the peer is in {MAX_GROUPS} groups already")
    return _regroup(context, peer, [*(group for group in peer.groups if group != name), name])


def _exit(context: Context, peer: Peer, name: str) -> Outcome:
    return _regroup(context, peer, [group for group in peer.groups if group != name])


def _regroup(context: Context, peer: Peer, groups: list[str]) -> Outcome:
    if set(groups) == set(peer.groups):
        return Outcome({"groups": peer.groups})
    if (HANDS in groups) != (HANDS in peer.groups):
        peer.hand_raised_at = milliseconds(context.now) if HANDS in groups else 0
    peer.groups = groups
    context.work.changed(peer, "groups", "hand_raised_at")
    context.audit_act("peer.group", details={**told_of(peer), "groups": groups})
    return Outcome({"groups": groups}, [peer_updated(peer)])
