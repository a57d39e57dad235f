"""Going, and losing the connection. A session ends with the last departure, in that peer's own transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings

from rooms.models import Peer
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.groups import HANDS, lower_hands, pass_on_hands
from rooms.operations.locks import let_go
from rooms.operations.metadata.lapses import in_spotlight, release
from rooms.operations.persons import heirs_of
from rooms.operations.presence import NOTHING_HELD, state_changed
from rooms.wire.effects import Left
from rooms.wire.events import Audience, End, Event, compact
from rooms.wire.results import Outcome

EMPTIED = "last peer left"


def depart(
    context: Context, peers: Sequence[Peer], *, reason: str, by: str = "", after: int = 0
) -> tuple[list[Event], End | None]:
    """Take present peers out of the session; the end of it if nobody is left.

    ``after`` is how many events of the same call come before these.
    """
    heirs = _heirs(context, peers)
    # Before they forget their groups.
    raised = [peer for peer in peers if HANDS in peer.groups]
    hands = pass_on_hands(context, peers, heirs)
    if context.room.large_room:
        hands += lower_hands(context, raised)
    events = []
    for peer in peers:
        peer.state, peer.left_at, peer.leave_reason = Peer.State.LEFT, context.now, reason
        context.work.changed(peer, "state", "left_at", "leave_reason")
        if context.work.outbox:
            context.work.outbox.parts(peer)
        if reason != Peer.Leave.TIMED_OUT:  # who may come back as it was
            peer.metadata, peer.groups, peer.observed, peer.hand_raised_at = "", [], [], 0
            context.work.changed(peer, "metadata", *NOTHING_HELD)
        context.work.count(context.session, -1)
        body = {"peer_id": peer.peer_id, "role": peer.role, "reason": reason}
        events.append(Event("on-peer-leave", compact(body), Audience(but=peer.peer_id), Left(peer.peer_id)))
    if reason != Peer.Leave.TIMED_OUT:  # who may come back and repeat what it asked for
        context.work.forget_applied(context.session.id, [peer.peer_id for peer in peers])
    if context.work.head_count(context.session):
        return [*_released(context, peers, heirs, after=after), *hands, *events], None
    # Nobody need come back for it to end: a reaper looks for those that stayed empty.
    if settings.SESSION_LINGER:
        context.session.empty_since = context.now
        context.work.session_changed(context.session)
        return [*_released(context, peers, heirs, after=after), *events], None
    return events, emptied(context, by)


def emptied(context: Context, by: str = "") -> End:
    """The end of a session that nobody is in."""
    context.audit("session.end", cause="end", details={"reason": EMPTIED})
    return End(EMPTIED, by)


def _heirs(context: Context, peers: Sequence[Peer]) -> dict[str, Peer]:
    """Who gets the raised hand of a peer that leaves, and the spotlight, by the ids of those who leave."""
    if context.work.head_count(context.session) == len(peers):
        return {}
    raised = {peer.peer_id for peer in peers if HANDS in peer.groups}
    return heirs_of(context, peers, raised | in_spotlight(context))


def _released(context: Context, peers: Sequence[Peer], heirs: Mapping[str, Peer], *, after: int) -> list[Event]:
    """What comes first, so that nobody ever sees a key or a lock of somebody who is gone."""
    events = release(context, peers, heirs)
    return [*events, *let_go(context, peers, after=after + len(events))]


@operation("leave")
def leave(context: Context) -> Outcome:
    """Leave the session now; if the caller was the last, the session ends."""
    events, end = depart(context, [context.peer], reason=Peer.Leave.REQUEST, by=context.actor)
    return Outcome({}, events, end)


@operation()
def disconnect(context: Context, *, page_closed: bool = False) -> Outcome:
    """Note that the caller's connection is gone; the peer stays for PEER_GRACE seconds.

    If its page said that it is being closed, for TAB_GRACE only: it may be a reload.
    """
    if context.peer.state != Peer.State.CONNECTED:
        return Outcome()  # a reaper was faster
    return Outcome(events=[lose(context, context.peer, context.now, page_closed=page_closed)])


def lose(context: Context, peer: Peer, gone_at: datetime, *, page_closed: bool = False) -> Event:
    """Mark a peer as reconnecting since a moment."""
    peer.state, peer.gone_at, peer.page_closed = Peer.State.RECONNECTING, gone_at, page_closed
    context.work.changed(peer, "state", "gone_at", "page_closed")
    return state_changed(context, peer)
