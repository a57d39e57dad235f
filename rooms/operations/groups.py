"""Groups that peers belong to, by name. A raised hand is the group ``_handraise``."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from rooms.models import Peer, milliseconds
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.presence import peer_updated, told_of
from rooms.wire.errors import TooLarge
from rooms.wire.events import Audience, Event, compact
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


def pass_on_hands(context: Context, peers: Sequence[Peer], heirs: Mapping[str, Peer]) -> list[Event]:
    """Let the hands of peers that leave be up with their heirs, by the ids of those who leave, since when they were."""
    events: list[Event] = []
    for peer in peers:
        heir = heirs.get(peer.peer_id)
        if heir is None or HANDS not in peer.groups:
            continue
        raised_at = peer.hand_raised_at
        # Or it would be up again when this one comes back, though it was lowered meanwhile.
        _put_hand(context, peer, 0)
        if HANDS not in heir.groups or raised_at < heir.hand_raised_at:
            # Also beyond MAX_GROUPS: what is put to it so is one alone.
            _put_hand(context, heir, raised_at)
            events.append(peer_updated(heir))
    return events


def lower_hands(context: Context, peers: Sequence[Peer]) -> list[Event]:
    """Lower the hands of peers that leave, where perhaps nobody is told that they do; for others they are gone then."""
    events = []
    for peer in peers:
        _put_hand(context, peer, 0)
        wire = {**peer.as_wire(), "realtime": False}
        events.append(Event("on-peer-update", compact(wire), Audience(but=peer.peer_id)))
    return events


def _put_hand(context: Context, peer: Peer, raised_at: int) -> None:
    """Raise a hand as of a moment, in milliseconds; 0 lowers it."""
    others = [group for group in peer.groups if group != HANDS]
    peer.groups, peer.hand_raised_at = [*others, HANDS] if raised_at else others, raised_at
    context.work.changed(peer, "groups", "hand_raised_at")


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
