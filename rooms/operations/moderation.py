"""What some peers may do to others: give them roles, remove them, end the session."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from django.core.signing import BadSignature, Signer

from rooms.models import Peer, Session, milliseconds
from rooms.operations.arriving import PeerMetadata, RawName
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.leaving import depart
from rooms.operations.metadata.governing import other_role
from rooms.operations.persons import peers_with, remember_role, shut_out
from rooms.operations.policies import policy
from rooms.operations.presence import describe, peer_updated, shown_name, told_of
from rooms.wire.effects import RoleChanged, SentAway
from rooms.wire.errors import BadRequest, Forbidden, NotFound
from rooms.wire.events import EVERYBODY, Audience, End, Event, compact
from rooms.wire.parameters import Chars, Items, PeerId, RoleName
from rooms.wire.results import Outcome
from rooms.wire.roles import Role

Reason = Annotated[str, Chars(0, 200)]
OFFER_SECONDS = 600
"""How long a peer may take to accept a role."""

ENDED = "room ended"
OVERLONG = "maximum duration reached"

_signer = Signer(salt="rooms.role-offer")


# --- Roles --------------------------------------------------------------------------------------


@operation("role-change-request", requires="changeRole")
def request_role_change(
    context: Context,
    *,
    role: RoleName,
    requested_for: PeerId | None = None,
    roles: Annotated[list[RoleName], Items(50)] | None = None,
    force: bool = False,
) -> Outcome:
    """Give a role to one peer, or to all that hold one of some roles; without force, ask them whether they want it.

    Raises Forbidden, and changes nobody's role, if the new role does not take that many.
    """
    wanted = _role(context, role)
    if requested_for:
        chosen = [context.present_peer(requested_for, field="requested_for")]
    elif roles:
        chosen = [peer for peer in context.work.present(context.session) if peer.role in roles]
    else:
        raise BadRequest("requested_for: missing, and so is roles")
    if not force:
        for peer in chosen:
            if peer.role != wanted.name:
                context.audit_act("peer.offer-role", details={**told_of(peer), "role": wanted.name})
        return Outcome(events=[_offer(context, peer, wanted) for peer in chosen if peer.role != wanted.name])
    return Outcome(events=_give_role(context, chosen, wanted))


@operation("role-change")
def accept_role(context: Context, *, role: RoleName, token: Annotated[str, Chars(0, 4_096)]) -> Outcome:
    """Take the role that the caller was asked to take; token is the one of that request.

    Raises Forbidden if the token is not of this peer, role and session, or too old, if since the request the peer or
    another of its owner was given another role, or the peer came anew, or if who made it may not change roles any more.
    """
    wanted = _role(context, role)
    try:
        claims = _signer.unsign_object(token)
    except BadSignature:
        raise Forbidden("token: not valid") from None
    *bound, until, by, by_role = claims
    if bound != _bound(context, context.peer, wanted) or until < milliseconds(context.now):
        raise Forbidden("token: not valid any more")
    if by and not _may_still_give(context, by, by_role):
        raise Forbidden("token: who offered the role may not give it any more")
    return Outcome(events=_give_role(context, [context.peer], wanted))


def _role(context: Context, name: str) -> Role:
    role = context.room.template.role(name)
    if role is None:
        raise NotFound("role: no such role")
    return role


def _offer(context: Context, peer: Peer, role: Role) -> Event:
    until = milliseconds(context.now) + OFFER_SECONDS * 1000
    by = ["", ""] if context.caller.is_server else [context.peer.person, context.role.name]
    token = _signer.sign_object([*_bound(context, peer, role), until, *by])
    body = {"requested_by": context.actor, "role": role.name, "token": token}
    return Event("on-role-change-request", _without_empty(body), Audience(peer=peer.peer_id))


def _bound(context: Context, peer: Peer, role: Role) -> list[Any]:
    # With when it came and was last given a role, so that an old offer cannot undo a later demotion; and with what its
    # owner was given, for that may have met another of its peers alone, this one having the role already.
    given = context.work.given_role(context.session, peer.owner)
    return [context.session.id, peer.peer_id, role.name, peer.joined_seq, peer.role_seq, given]


def _may_still_give(context: Context, person: str, role: str) -> bool:
    """Whether somebody who held a role has not been removed since, nor been given another that may give none."""
    for known in context.work.persons(context.session).values():
        if known.person == person:
            if known.removed_at:
                return False
            role = known.given_role or role
    held = context.room.template.role(role)
    return held is not None and held.allows("changeRole")


def _give_role(context: Context, peers: Sequence[Peer], role: Role) -> list[Event]:
    """Change the role of these peers and of their owners' others; the events that tell of it. Raises Forbidden.

    Nothing changes for who has it already: since when one has it says which messages to the role one may read.
    """
    changing = [peer for peer in peers_with(context, peers) if peer.role != role.name]
    if changing and role.max_peers:
        holders = sum(peer.role == role.name for peer in context.work.present(context.session))
        if holders + len(changing) > max(role.max_peers, 0):
            raise Forbidden(f"role: the room takes no more of the role {role.name}")
    # Once for all of them: it tells every role of the room, and is long.
    told = compact(policy(context.room, role.name))
    events: list[Event] = []
    for peer in changing:
        before, peer.role = peer.role, role.name
        peer.role_seq = context.session.seq + len(events) + 1
        context.audit("peer.role", details={**told_of(peer), "before": before, "now": role.name})
        context.work.changed(peer, "role", "role_seq")
        effect = RoleChanged(peer.peer_id, before, peer.role)
        events.append(Event("on-policy-change", told, Audience(peer=peer.peer_id), effect))
        events.append(peer_updated(peer))
        events += other_role(context, peer, before=before)
    owners = {peer.owner for peer in changing}
    for peer in peers:
        # Of who has it already, too, if it was given another one, which would hold when it comes the next time.
        if peer.owner in owners or context.work.given_role(context.session, peer.owner):
            remember_role(context, peer)
    return events


@operation()
def change_peer(
    context: Context,
    *,
    peer_id: PeerId,
    name: RawName | None = None,
    role: RoleName | None = None,
    metadata: PeerMetadata | None = None,
) -> Outcome:
    """Give a peer another name, role or metadata; only what is given changes. Answers the peer."""
    peer = context.present_peer(peer_id)
    shown = None if name is None else shown_name(name)
    # What may be refused comes before anything is changed.
    events = _give_role(context, [peer], _role(context, role)) if role is not None else []
    if describe(context, peer, name=shown, metadata=metadata):
        events.append(peer_updated(peer))
        fields = [field for field, given in (("name", name), ("metadata", metadata)) if given is not None]
        context.audit_act("peer.update", details={**told_of(peer), "fields": fields})
    return Outcome({"peer": peer.as_wire()}, events)


# --- Removal ------------------------------------------------------------------------------------


@operation("peer-leave-request", requires="removeOthers")
def remove_peer(context: Context, *, requested_for: PeerId, reason: Reason = "") -> Outcome:
    """Remove another peer, and all of its owner's, which are told the reason and by whom.

    They stay out until the session ends, or until they are let in again.
    """
    peer = context.present_peer(requested_for, field="requested_for")
    if peer.peer_id == context.actor:
        raise BadRequest("requested_for: to go yourself, leave")
    return _remove(context, [peer], reason)


@operation()
def remove_role(context: Context, *, role: RoleName, reason: Reason = "") -> Outcome:
    """Remove everybody who holds a role, as ``remove_peer`` does; there may be nobody."""
    holders = [peer for peer in context.work.present(context.session) if peer.role == role]
    if not holders:
        _role(context, role)
        return Outcome()
    return _remove(context, holders, reason)


def _remove(context: Context, chosen: Sequence[Peer], reason: str) -> Outcome:
    gone = peers_with(context, chosen)
    # Before they depart, for who has departed is told nothing any more.
    told = [
        _sent_away(context, reason, Audience(peer=other.peer_id), SentAway(other.peer_id), room_end=False)
        for other in gone
    ]
    told += shut_out(context, chosen, reason)
    for peer in chosen:
        context.audit("peer.remove", details={**told_of(peer), "reason": reason})
    events, end = depart(context, gone, reason=Peer.Leave.REMOVED, by=context.actor, after=len(told))
    return Outcome({}, [*told, *events], end)


@operation("end-room", requires="endRoom")
def end_room(context: Context, *, lock: bool = False, reason: Reason = "") -> Outcome:
    """End the session and remove everybody; with lock, let nobody into the room any more."""
    if context.caller.is_server:
        context.session.ended_by = context.caller.name
    if lock:
        context.room.enabled, context.room.updated_at = False, context.now
        context.work.changed(context.room, "enabled", "updated_at")
    context.audit("session.end", details={"reason": reason or ENDED, "lock": lock})
    others = Audience(but=context.actor) if context.actor else EVERYBODY
    told = _sent_away(context, reason, others, SentAway(None), room_end=True)
    return Outcome({}, [told], End(reason or ENDED, context.actor))


@operation()
def end_overlong(context: Context) -> Outcome:
    """End a session that lasted as long as its room lets sessions last."""
    session, most = context.live_session, context.room.max_duration_seconds
    # Looked at again, under the lock: it may be another session, or the room's limit another one.
    if session is None or not most or context.now < session.started_at + timedelta(seconds=most):
        return Outcome()
    context.audit("session.end", cause="expiry", details={"reason": OVERLONG})
    told = _sent_away(context, OVERLONG, EVERYBODY, SentAway(None), room_end=True)
    return Outcome({}, [told], End(OVERLONG))


def rooms_with_overlong_sessions(now: datetime) -> list[str]:
    """Ids of the rooms for which end_overlong has something to do."""
    live = Session.objects.filter(ended_at=None, room__max_duration_seconds__gt=0)
    lasting = live.values_list("room_id", "started_at", "room__max_duration_seconds")
    return [room_id for room_id, started_at, most in lasting if started_at + timedelta(seconds=most) <= now]


def _sent_away(context: Context, reason: str, audience: Audience, effect: SentAway, *, room_end: bool) -> Event:
    body = {"requested_by": context.actor, "reason": reason, "room_end": room_end}
    return Event("on-peer-leave-request", _without_empty(body), audience, effect)


def _without_empty(body: dict[str, Any]) -> str:
    """JSON text without ``requested_by`` if the server asks: clients take an empty one for a peer."""
    return compact({key: value for key, value in body.items() if key != "requested_by" or value})
