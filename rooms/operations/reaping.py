"""What becomes of peers whose connection is lost. Run for the server, room by room."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from rooms.events import End, Event, Outcome
from rooms.models import Peer
from rooms.operations.gate import Context, operation
from rooms.operations.presence import EMPTIED, depart, lose, state_changed


@operation()
def mark_lost(context: Context, *, conn_ids: list[str], gone_at: Any) -> Outcome:
    """Mark as reconnecting the connected peers that one of these connections holds, since gone_at."""
    if context.live_session is None:
        return Outcome()
    lost = [
        peer
        for peer in context.work.present(context.session)
        if peer.state == Peer.State.CONNECTED and peer.conn_id in conn_ids
    ]
    return Outcome(events=[lose(context, peer, gone_at) for peer in lost])


@operation()
def reap(context: Context) -> Outcome:
    """Remove the peers that did not come back within PEER_GRACE, and end a session that stayed empty too long."""
    if context.live_session is None:
        return Outcome()
    deadline = context.now - timedelta(seconds=settings.PEER_GRACE)
    overdue = [
        peer
        for peer in context.work.present(context.session)
        if peer.state == Peer.State.RECONNECTING and peer.gone_at and peer.gone_at <= deadline
    ]
    events, end = depart(context, overdue, reason=Peer.Leave.TIMED_OUT) if overdue else ([], None)
    empty_since = context.session.empty_since
    if empty_since and empty_since <= context.now - timedelta(seconds=settings.SESSION_LINGER):
        end = End(EMPTIED)
    return Outcome({"reaped": len(overdue)}, events, end)


@operation()
def reclaim(context: Context, *, conn_ids: list[str], worker: str) -> Outcome:
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


def _take_back(context: Context, peer: Peer, worker: str) -> list[Event]:
    was_away = peer.state == Peer.State.RECONNECTING
    peer.state, peer.gone_at, peer.worker = Peer.State.CONNECTED, None, worker
    context.work.changed(peer, "state", "gone_at", "worker")
    return [state_changed(context, peer)] if was_away else []
