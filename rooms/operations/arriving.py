"""Coming into a room, and finding the connection again. A session begins with the first join."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, NotRequired, TypedDict

from django.conf import settings

from rooms.models import Peer, Session, milliseconds
from rooms.operations.admission import check_admission
from rooms.operations.engine import journal, repetitions
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.limits import limits
from rooms.operations.locks import as_they_stand
from rooms.operations.metadata import reading
from rooms.operations.metadata.reading import Keys, present_values
from rooms.operations.persons import person_of, was_let_in
from rooms.operations.policies import policy
from rooms.operations.poll_listing import poll_news
from rooms.operations.polls import take_prepared
from rooms.operations.presence import NOTHING_HELD, came_back, peer_updated
from rooms.operations.room_settings import room_as_told
from rooms.wire.effects import Came
from rooms.wire.errors import NotJoined
from rooms.wire.events import Audience, Event, Numbered, compact
from rooms.wire.names import clean_name
from rooms.wire.parameters import Between, Chars, Data
from rooms.wire.results import Attachment, Outcome, Welcome

NAMELESS = "Guest"
"""What a peer is called whose name shows nothing."""

MAX_LEFT_OF_OWNER = 10
"""Rows that a session keeps of the peers of one owner that left."""


class Place(TypedDict):
    """Up to where a client has got everything. ``history`` is the one that it was told of last."""

    session_id: Annotated[str, Chars(0, 64)]
    seq: Annotated[int, Between(-(2**53), 2**53)]
    history: NotRequired[Annotated[str, Chars(0, 64)] | None]


@operation(joined=False)
def connect(context: Context, *, place: Place | None = None) -> Outcome:
    """Let a socket in. A peer that is in the session gets this connection; so does one that only timed out.

    Gives the socket a Welcome. With a ``place`` such a peer resumes, and the result is as that of ``join``. Raises
    Forbidden, see ``check_admission``.
    """
    session, peer = context.live_session, context.known_peer
    check_admission(context)
    events: list[Event] = []
    result: dict[str, Any] = {}
    attachment = None
    if session and peer and (peer.present or peer.leave_reason == Peer.Leave.TIMED_OUT):
        # Both before the peer is attached, which makes it one that was never away.
        polls = () if place else _poll_news(context, peer)
        replay = _missed(context, session, peer, place)
        events.append(_attach(context, session, peer))
        attachment = _attachment(context, session, peer, replay=replay, with_self=True, polls=polls)
        if place:
            result = _found_again(context, session, place, replay)
    return Outcome(
        result,
        events,
        for_socket=Welcome(
            policy=policy(context.room, context.role.name),
            preview=_preview(context, session, with_peers=not attachment),
            attachment=attachment,
        ),
    )


_UNNOTICED = timedelta(seconds=20)
"""How long a connection may be lost before that is noticed."""


def _poll_news(context: Context, peer: Peer) -> list[tuple[str, dict[str, Any]]]:
    """What a peer that comes back was not told of polls; of all of them if it may hold what the database forgot."""
    since = (peer.gone_at or context.now) - _UNNOTICED if peer.history == context.work.history else None
    return poll_news(context, since)


def _preview(context: Context, session: Session | None, *, with_peers: bool) -> dict[str, Any]:
    """What somebody at the door sees of the session, or nothing if the template hides it."""
    wanted = context.room.template.room_state
    if not (wanted.get("enabled") and context.role.sees_preview and with_peers):
        return {}
    count = context.work.head_count(session) if session else 0
    shown: dict[str, Any] = {"peer_count": count, "room": room_as_told(context.room, session)}
    if wanted.get("sendPeerList") and count <= 100:
        shown["peers"] = {peer.peer_id: peer.as_wire() for peer in context.work.present(session)} if session else {}
    return shown


RawName = Annotated[str, Chars(0, 1_600)]
"""A name before it is cleaned, which makes it shorter."""

PeerMetadata = Annotated[str, Data(0, "MAX_PEER_METADATA_BYTES")]


@operation("join", joined=False)
def join(
    context: Context,
    *,
    name: RawName = "",
    data: PeerMetadata = "",
    resume: Place | None = None,
    observe: Keys | None = None,
) -> Outcome:
    """Enter the session, and start it if there is none. Answers ``{session_id, seq, history, timestamp, limits}``.

    ``data`` is the peer's metadata. ``resume`` is the place up to which this peer has got everything: the answer then
    has ``resumed: true`` and what was missed follows, or it has ``resync: true`` and the full state follows. For a peer
    that is present already, joining is the same as resuming. ``observe`` are keys that it observes from then on whom
    the full state follows: then the answer has them as ``observed``, and the state their values, and last the peer.
    """
    name = clean_name(name, limit=settings.MAX_NAME_CHARS)
    check_admission(context)
    session, peer = context.live_session, context.known_peer
    if session and peer and peer.present:
        return _join_again(context, session, peer, name=name, data=data, place=resume, keys=observe)
    # Perhaps by another tab of its owner, who is not shut out: from that a person comes back, and no client by itself.
    if resume and peer and peer.leave_reason == Peer.Leave.REMOVED and not was_let_in(context, session):
        raise NotJoined("resume: the peer was removed from the session")
    begins = session is None
    if session is None:
        session = context.work.start_session(context.room)
    fields = {"name": name or NAMELESS, "metadata": data, "role": context.role.name, **NOTHING_HELD}
    if peer is None:
        caller = context.caller
        own = {"owner": caller.owner, "person": person_of(caller.owner, session), "user_id": caller.user_id}
        peer = Peer(session=session, peer_id=caller.peer_id, joined_role=caller.role, **own, **fields)
        peer.state = Peer.State.LEFT  # until it enters, which counts it
        # Or who comes anew could speak at once.
        peer.said_at = context.work.said_at(session, caller.owner)
        context.work.add_peer(peer)
        _forget_earlier(context, session, peer)
    else:
        for field_name, value in fields.items():
            setattr(peer, field_name, value)
        context.work.changed(peer, *fields)
    events = [_enter_session(context, session, peer)]
    if begins:
        events += take_prepared(context, session)
    result = _whereabouts(context, session)
    if resume:
        result["resync"] = True
    result |= _observing(context, peer, observe)
    return Outcome(result, events, for_socket=_attachment(context, session, peer, with_self=observe is not None))


def _observing(context: Context, peer: Peer, keys: Sequence[str] | None) -> dict[str, Any]:
    return {} if keys is None else {"observed": reading.observe(context, peer, keys)}


def _forget_earlier(context: Context, session: Session, peer: Peer) -> None:
    """Keep few rows of the peers that an owner had before in this session."""
    left = [other for other in context.work.peers_of(session, peer.owner) if not other.present and other is not peer]
    left.sort(key=lambda other: other.joined_seq, reverse=True)
    for other in left[MAX_LEFT_OF_OWNER:]:
        context.work.forget_peer(other)


def _join_again(
    context: Context,
    session: Session,
    peer: Peer,
    *,
    name: str,
    data: str,
    place: Place | None,
    keys: Sequence[str] | None,
) -> Outcome:
    events = []
    changes = {"name": name or peer.name, "metadata": data or peer.metadata}
    if changes != {"name": peer.name, "metadata": peer.metadata}:
        peer.name, peer.metadata = changes["name"], changes["metadata"]
        context.work.changed(peer, "name", "metadata")
        events.append(peer_updated(peer, but=peer.peer_id))
    replay = _missed(context, session, peer, place)
    if peer.conn_id != context.caller.conn_id or peer.state != Peer.State.CONNECTED:
        events.append(_attach(context, session, peer))
    result = _found_again(context, session, place, replay)
    if replay is None:
        result |= _observing(context, peer, keys)
    return Outcome(result, events, for_socket=_attachment(context, session, peer, replay=replay, with_self=True))


def _found_again(
    context: Context, session: Session, place: Place | None, replay: Sequence[Numbered] | None
) -> dict[str, Any]:
    """What a peer is answered that was in the session: where it is now, and whether what it missed follows."""
    result = _whereabouts(context, session)
    if place and replay is not None:
        return {**result, "seq": place["seq"], "resumed": True}  # nothing later was sent yet
    return {**result, "resync": True}


def _whereabouts(context: Context, session: Session) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "history": context.work.history,
        "timestamp": milliseconds(context.now),
        "limits": limits(context, session),
    }


def _missed(context: Context, session: Session, peer: Peer, place: Place | None) -> list[Numbered] | None:
    """What the peer gets of the events after a place; None if they are not kept, or more than a socket may be sent."""
    if place is None or not peer.present:
        return None
    seq, history = place["seq"], place.get("history")
    # What was told before a peer came is not for it, whatever place it names.
    if place["session_id"] != session.id or seq < peer.joined_seq:
        return None
    if not journal.is_past(session, seq, history=history, now=context.work.history):
        return None
    # Not what it could read then and may read no more.
    observed = frozenset(context.room.rules.readable(peer.observed, peer.role))
    return journal.addressed_to(
        context.work.newest_first(session, after=seq),
        peer_id=peer.peer_id,
        role=peer.role,
        observed=observed,
        came=peer.joined_seq,
        since=peer.role_since,
        most=settings.MAX_UNSENT_BYTES,
    )


def _enter_session(context: Context, session: Session, peer: Peer) -> Event:
    """Put a peer that is not present into the session."""
    if session.empty_since:
        session.empty_since = None
        context.work.session_changed(session)
    context.work.count(session, 1)
    peer.joined_at, peer.joined_seq = context.now, session.seq + 1
    peer.left_at, peer.leave_reason = None, ""
    peer.role_seq = _role_since(context, session, peer)
    _hold(context, peer)
    context.work.changed(peer, "joined_at", "joined_seq", "role_seq", "left_at", "leave_reason")
    wire = peer.as_wire()
    return Event("on-peer-join", compact(wire), Audience(but=peer.peer_id), Came(peer.peer_id, peer.conn_id))


def _role_since(context: Context, session: Session, peer: Peer) -> int:
    """The number of the event by which the owner was given the role that it comes with, 0 if it was given none.

    Another peer of the owner knows it, for all that are present are told; else it counts from the coming.
    """
    if not context.work.given_role(session, peer.owner):
        return 0
    return max(other.role_seq for other in context.work.peers_of(session, peer.owner)) or peer.joined_seq


def _attach(context: Context, session: Session, peer: Peer) -> Event:
    """Give a peer the caller's connection. Others are told if it had none."""
    if not peer.present:
        peer.role = context.role.name  # the owner may have been given another one meanwhile
        context.work.changed(peer, "role")
        return _enter_session(context, session, peer)
    was_away = peer.state == Peer.State.RECONNECTING
    _hold(context, peer)
    return came_back(context, peer, was_away=was_away)


def _hold(context: Context, peer: Peer) -> None:
    repetitions.forget(peer.session_id, context.caller.conn_id)
    peer.state, peer.gone_at = Peer.State.CONNECTED, None
    peer.worker, peer.conn_id, peer.history = context.caller.worker, context.caller.conn_id, context.work.history
    context.work.changed(peer, "state", "gone_at", "worker", "conn_id", "history")


def _values(context: Context, session: Session, peer: Peer, *, replayed: bool) -> Sequence[dict[str, Any]]:
    """The observed keys that are told to who comes: all of them, or after a replay those that it may read no more."""
    keys = peer.observed
    if replayed:
        known = set(context.room.rules.readable(keys, peer.role))
        keys = [key for key in keys if key not in known]
    return present_values(context, session, keys) if keys else ()


def _attachment(
    context: Context,
    session: Session,
    peer: Peer,
    *,
    replay: Sequence[Numbered] | None = None,
    with_self: bool = False,
    polls: Sequence[tuple[str, dict[str, Any]]] = (),
) -> Attachment:
    everybody = None
    if context.follows != session.id:
        everybody = {other.peer_id: compact(other.as_wire()) for other in context.work.present(session)}
    return Attachment(
        peer_id=peer.peer_id,
        role=peer.role,
        observed=frozenset(peer.observed),
        room=room_as_told(context.room, session),
        large=context.room.large_room,
        peers=everybody,
        values=_values(context, session, peer, replayed=replay is not None),
        replay=replay,
        with_self=with_self,
        polls=polls,
        locks=as_they_stand(context, session) if replay is None else (),
        policy=policy(context.room, peer.role),
        had_other_roles=any(event.kind == "on-policy-change" for event in replay or ()),
        came=peer.joined_seq,
        since=peer.role_since,
    )
