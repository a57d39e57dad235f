"""Finds dead processes, peers that stay away, polls whose time is over, and what is kept for a time only."""

import logging
import time
from collections import defaultdict
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session as Login
from django.db.models import Q

from rooms.creation.rooms import delete_unused
from rooms.delivery import hub as hubs
from rooms.models import Peer, Session, Worker, milliseconds
from rooms.observe import metrics
from rooms.observe.background import attempt
from rooms.operations.engine import audit
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.statements import database_now
from rooms.operations.metadata.lapses import settle_due
from rooms.operations.moderation import end_overlong, rooms_with_overlong_sessions
from rooms.operations.polls import rooms_with_overdue_polls, stop_overdue_polls
from rooms.operations.reaping import forget_departed, mark_lost, overdue, reap, rooms_with_many_departed
from rooms.process.lease import PATIENCE, Lease, for_room, return_seconds

log = logging.getLogger("rooms.leases")

SETTLING_SECONDS = 0.5
"""Between two searches for what is past its time, which is to be told within a second."""

_HOUSEKEEPING_SECONDS = 10
_MOST_TIDIED = 500


def settle() -> None:
    """End what expires in sessions. Any number of processes may do so at once."""
    due = Session.objects.filter(ended_at__isnull=True, due_at__lte=milliseconds(database_now()))
    for room_id in due.values_list("room_id", flat=True):
        for_room(settle_due, room_id)


class Reaper:
    """Finds dead processes and peers that stay away. Any number of processes may do so at once."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._tidied_at = 0.0

    def run_once(self) -> None:
        if self._lease.is_overdue:
            return  # what cut this process off may have cut off the others, and the peers
        now, moment = database_now(), time.monotonic()
        self._lease.look_at_clock(now)
        # After a gap of its own a process waits: the others had no better luck with the database.
        if moment >= self._lease.declare_after:
            attempt(self._declare_dead, now)
        if moment >= self._lease.reap_after:
            attempt(self._remove, now)
        attempt(self._stop_polls, now)
        attempt(self._end_overlong, now)
        if moment - self._tidied_at > _HOUSEKEEPING_SECONDS:
            self._tidied_at = moment
            attempt(tidy, now)
            for room_id in rooms_with_many_departed():
                attempt(_forget_departed, room_id)

    def _stop_polls(self, now: datetime) -> None:
        for room_id in rooms_with_overdue_polls(now):
            for_room(stop_overdue_polls, room_id)

    def _end_overlong(self, now: datetime) -> None:
        for room_id in rooms_with_overlong_sessions(now):
            for_room(end_overlong, room_id)

    def _declare_dead(self, now: datetime) -> None:
        silent = Worker.objects.filter(dead_at__isnull=True, last_seen__lt=now - timedelta(seconds=settings.LEASE_TTL))
        for worker in silent.exclude(id=self._lease.id):
            # Conditional, for it may be renewed at this very moment.
            if silent.filter(id=worker.id).update(dead_at=now):
                log.warning("a process is dead", extra={"context": {"worker": worker.id}})
        # A part of the statement that looks for orphans: a process may begin between two.
        stopped = now - timedelta(seconds=return_seconds())
        live = Worker.objects.filter(Q(dead_at__isnull=True) | Q(last_seen__gt=stopped)).values("id")
        last_seen = dict(Worker.objects.filter(dead_at__isnull=False).values_list("id", "last_seen"))
        orphans = Peer.objects.filter(state=Peer.State.CONNECTED).exclude(worker__in=live)
        # A backup that was put back knows every process by an old renewal: each gets time to take its peers back.
        earliest = now - 2 * timedelta(seconds=settings.LEASE_TTL)
        lost: dict[tuple[str, str], set[str]] = defaultdict(set)
        for room_id, worker_id, conn_id in orphans.values_list("session__room_id", "worker", "conn_id"):
            lost[room_id, worker_id].add(conn_id)
        for (room_id, worker_id), conn_ids in lost.items():
            gone_at = max(last_seen.get(worker_id, now), earliest)
            for_room(mark_lost, room_id, conn_ids=conn_ids, gone_at=gone_at, worker=worker_id)

    def _remove(self, now: datetime) -> None:
        away_too_long = Peer.objects.filter(overdue(now))
        emptied = Session.objects.filter(
            ended_at__isnull=True, empty_since__lte=now - timedelta(seconds=settings.SESSION_LINGER)
        )
        rooms = {*away_too_long.values_list("session__room_id", flat=True), *emptied.values_list("room_id", flat=True)}
        for room_id in rooms:
            attempt(_reap, room_id)


def _forget_departed(room_id: str) -> None:
    # To the end, for more may leave in a minute than go in one transaction.
    while hubs.perform_now(forget_departed, Caller(room_id), patience=PATIENCE)["more"]:
        pass


def _reap(room_id: str) -> None:
    metrics.REAPED.inc(hubs.perform_now(reap, Caller(room_id), patience=PATIENCE).get("reaped", 0))


def tidy(now: datetime) -> None:
    """Delete what is kept for a time only: old sessions, unused rooms, dead leases, the audit, expired logins.

    Of each not all that there may be: with SQLite everybody waits until it is done.
    """
    old = Session.objects.filter(ended_at__lt=now - timedelta(days=settings.HISTORY_DAYS)).values_list("id", flat=True)
    # By id: a DELETE takes no limit.
    Session.objects.filter(id__in=list(old[:_MOST_TIDIED])).delete()
    Worker.objects.filter(dead_at__lt=now - timedelta(days=1)).delete()
    if settings.ROOM_DAYS:
        delete_unused(now, days=settings.ROOM_DAYS, most=_MOST_TIDIED)
    audit.forget_old(now)
    logins = Login.objects.filter(expire_date__lt=now).values_list("pk", flat=True)
    Login.objects.filter(pk__in=list(logins[:_MOST_TIDIED])).delete()
