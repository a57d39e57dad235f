"""What becomes of peers whose connection is lost. Run for the server, room by room."""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from rooms.models import Peer
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.leaving import depart, emptied, lose
from rooms.operations.presence import state_changed
from rooms.wire.events import Event
from rooms.wire.results import Outcome

MAX_DEPARTED = 1000
"""Rows of peers that left which a running session keeps, for the admin to show."""

_MOST_FORGOTTEN = 500
"""Rows that are deleted in one transaction: with SQLite everybody waits for it."""


@operation()
def mark_lost(context: Context, *, conn_ids: Set[str], gone_at: Any, worker: str) -> Outcome:
    """Mark as reconnecting, since gone_at, the connected peers that one of these connections holds for this worker.

    Another worker that holds them now has taken them back meanwhile.
    """
    if context.live_session is None:
        return Outcome()
    # By connection: a peer that has another one by now is not lost.
    lost = [
        peer
        for peer in context.work.present(context.session)
        if peer.state == Peer.State.CONNECTED and peer.conn_id in conn_ids and peer.worker == worker
    ]
    return Outcome(events=[lose(context, peer, gone_at) for peer in lost])


@operation()
def reap(context: Context) -> Outcome:
    """Remove the peers that did not come back in their time, and end a session that stayed empty too long."""
    if context.live_session is None:
        return Outcome()
    # Looked for again, under the lock: one of them may be back since the reaper saw it.
    going = [
        peer
        for peer in context.work.present(context.session)
        if peer.state == Peer.State.RECONNECTING and peer.gone_at and peer.gone_at <= context.now - grace_of(peer)
    ]
    events, end = depart(context, going, reason=Peer.Leave.TIMED_OUT) if going else ([], None)
    empty_since = context.session.empty_since
    if end is None and empty_since and empty_since <= context.now - timedelta(seconds=settings.SESSION_LINGER):
        end = emptied(context)
    return Outcome({"reaped": len(going)}, events, end)


def grace_of(peer: Peer) -> timedelta:
    """How long a peer that lost its connection may stay away."""
    seconds = min(settings.TAB_GRACE, settings.PEER_GRACE) if peer.page_closed else settings.PEER_GRACE
    return timedelta(seconds=seconds)


def overdue(now: datetime) -> Q:
    """The condition that a peer stayed away for longer than that."""
    lost = Q(state=Peer.State.RECONNECTING, gone_at__lte=now - timedelta(seconds=settings.PEER_GRACE))
    closed = Q(page_closed=True, gone_at__lte=now - timedelta(seconds=settings.TAB_GRACE))
    return lost | (Q(state=Peer.State.RECONNECTING) & closed)


@operation()
def reclaim(context: Context, *, conn_ids: Set[str], worker: str) -> Outcome:
    """Take back, for a process that was declared dead, the peers that its open connections still hold.

    Answers ``{held: [conn id]}``: those whose peers are in the session.
    """
    held: list[str] = []
    events: list[Event] = []
    if context.live_session is None:
        return Outcome({"held": held})
    for peer in context.work.present(context.session):
        if peer.conn_id in conn_ids:
            held.append(peer.conn_id)
            events += _take_back(context, peer, worker)
    return Outcome({"held": held}, events)


@operation()
def forget_departed(context: Context) -> Outcome:
    """Delete rows of those who left longest ago, but for the last MAX_DEPARTED. Answers whether there are ``more``."""
    if context.live_session is None:
        return Outcome({"more": False})
    gone = Peer.objects.filter(session_id=context.session.id, state=Peer.State.LEFT).order_by("-left_at")
    chosen = list(gone[MAX_DEPARTED : MAX_DEPARTED + _MOST_FORGOTTEN])
    for peer in chosen:
        context.work.forget_peer(peer)
    return Outcome({"more": len(chosen) == _MOST_FORGOTTEN})


def rooms_with_many_departed() -> list[str]:
    """Ids of the rooms for which forget_departed has something to do."""
    gone = Peer.objects.filter(session__ended_at=None, state=Peer.State.LEFT)
    counted = gone.values("session__room_id").annotate(number=Count("pk")).filter(number__gt=MAX_DEPARTED)
    return list(counted.values_list("session__room_id", flat=True))


def _take_back(context: Context, peer: Peer, worker: str) -> list[Event]:
    was_away = peer.state == Peer.State.RECONNECTING
    peer.state, peer.gone_at, peer.worker = Peer.State.CONNECTED, None, worker
    context.work.changed(peer, "state", "gone_at", "worker")
    return [state_changed(context, peer)] if was_away else []
