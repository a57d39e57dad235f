"""This process's lease, and the reaper of those who lost theirs.

Each process renews one row. One that is not renewed for LEASE_TTL is dead, and its peers are reconnecting. Both jobs
run in plain threads with database connections of their own, so that a busy event loop cannot make a process look dead.
"""

import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Container, Set
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session as Login
from django.db import close_old_connections, connection

from rooms.creation import delete_unused
from rooms.delivery import hub as hubs
from rooms.models import Peer, Session, Worker
from rooms.observe import background, metrics
from rooms.observe.background import attempt
from rooms.observe.logs import describe
from rooms.operations.engine.calls import Caller, Operation
from rooms.operations.engine.statements import database_now
from rooms.operations.polls import rooms_with_overdue_polls, stop_overdue_polls
from rooms.operations.reaping import forget_departed, mark_lost, reap, reclaim, rooms_with_many_departed

log = logging.getLogger("rooms.leases")

_HOUSEKEEPING_SECONDS = 60
_MOST_TIDIED = 500

_PATIENCE = 0.1
"""Seconds that a job of this module waits for the lock of one room: there are others, and it is done again soon."""


class Lease:
    """The lease of this process. ``id`` changes when the process finds that it was declared dead."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self._beaten_at = time.monotonic()
        self.declare_after = self._beaten_at
        """Moment (monotonic) before which this process declares nobody dead."""
        self.reap_after = self._beaten_at
        """Moment (monotonic) before which this process removes nobody."""

    @property
    def age(self) -> float:
        """Seconds since it was renewed."""
        return time.monotonic() - self._beaten_at

    @property
    def is_overdue(self) -> bool:
        return self.age > settings.LEASE_TTL

    def begin(self) -> None:
        """Take the lease. With SQLite every older one is of a process that is gone."""
        self._hold_back()
        if settings.EMBEDDED:
            now = database_now()
            Worker.objects.filter(dead_at__isnull=True).update(dead_at=now)
            # The clock may have been set back while no process ran: nothing began later than now.
            Peer.objects.filter(state=Peer.State.RECONNECTING, gone_at__gt=now).update(gone_at=now)
            Session.objects.filter(ended_at__isnull=True, empty_since__gt=now).update(empty_since=now)
            self.declare_after = time.monotonic()
        self._register()

    def beat(self) -> None:
        """Renew the lease, and give up the peers of this process whose connection is gone."""
        hub = hubs.current()
        if hub and time.monotonic() - hub.ticked_at > settings.LEASE_TTL:
            log.error("the event loop stands still; the lease is not renewed")
            return
        if self.is_overdue:
            log.warning("the lease was not renewed for too long", extra={"context": {"seconds": round(self.age, 1)}})
            self._hold_back()
        if Worker.objects.filter(id=self.id, dead_at__isnull=True).update(last_seen=database_now()):
            self._beaten_at = time.monotonic()
        else:
            self._come_back(hub)
        if hub:
            self._lose(hub.connections)

    def end(self) -> None:
        """Give up the lease and the peers that are still held, so that others need not wait for it to run out."""
        self._lose(frozenset())
        now = database_now()
        Worker.objects.filter(id=self.id, dead_at__isnull=True).update(last_seen=now, dead_at=now)

    def _register(self) -> None:
        Worker.objects.create(id=self.id, last_seen=database_now())
        self._beaten_at = time.monotonic()

    def _hold_back(self) -> None:
        """Others may have been cut off just as this process was; they get their time to come back."""
        self.declare_after = time.monotonic() + settings.LEASE_TTL
        self.reap_after = time.monotonic() + settings.PEER_GRACE

    def _come_back(self, hub: hubs.Hub | None) -> None:
        """Go on under a new lease with those connections whose peers are still in their sessions."""
        log.warning("this process was declared dead; it takes its peers back")
        self.id = secrets.token_hex(8)
        self._register()
        if hub is None:
            return
        open_now = dict(hub.connections)
        held: set[str] = set()
        rows = Peer.objects.filter(conn_id__in=open_now).values_list("session__room_id", flat=True).distinct()
        for room_id in rows:
            attempt(self._reclaim, room_id, open_now.keys(), held)
        for conn_id in open_now.keys() - held:
            hub.loop.call_soon_threadsafe(hub.close_connection, conn_id)

    def _reclaim(self, room_id: str, conn_ids: Set[str], held: set[str]) -> None:
        held |= set(hubs.perform_now(reclaim, Caller(room_id), conn_ids=conn_ids, worker=self.id)["held"])

    def _lose(self, connections: Container[str]) -> None:
        """Note that those peers of this process are reconnecting whose connection is not one of these.

        Catches what a consumer could not say when its socket closed.
        """
        rows = Peer.objects.filter(worker=self.id, state=Peer.State.CONNECTED)
        lost = defaultdict(set)
        # Looked for after the rows were read: a connection is known before its peer is stored.
        for room_id, conn_id in list(rows.values_list("session__room_id", "conn_id")):
            if conn_id not in connections:
                lost[room_id].add(conn_id)
        for room_id, conn_ids in lost.items():
            _for_room(mark_lost, room_id, conn_ids=conn_ids, gone_at=database_now())


class Reaper:
    """Finds dead processes and peers that stay away. Any number of processes may do so at once."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._tidied_at = 0.0

    def run_once(self) -> None:
        if self._lease.is_overdue:
            return  # what cut this process off may have cut off the others, and the peers
        now, moment = database_now(), time.monotonic()
        if moment >= self._lease.declare_after:
            attempt(self._declare_dead, now)
        if moment >= self._lease.reap_after:
            attempt(self._remove, now)
        attempt(self._stop_polls, now)
        if moment - self._tidied_at > _HOUSEKEEPING_SECONDS:
            self._tidied_at = moment
            attempt(tidy, now)
            for room_id in rooms_with_many_departed():
                attempt(_forget_departed, room_id)

    def _stop_polls(self, now: datetime) -> None:
        for room_id in rooms_with_overdue_polls(now):
            _for_room(stop_overdue_polls, room_id)

    def _declare_dead(self, now: datetime) -> None:
        silent = Worker.objects.filter(dead_at__isnull=True, last_seen__lt=now - timedelta(seconds=settings.LEASE_TTL))
        for worker in silent.exclude(id=self._lease.id):
            # Conditional, for it may be renewed at this very moment.
            if silent.filter(id=worker.id).update(dead_at=now):
                log.warning("a process is dead", extra={"context": {"worker": worker.id}})
        live = Worker.objects.filter(dead_at__isnull=True).values("id")
        last_seen = dict(Worker.objects.filter(dead_at__isnull=False).values_list("id", "last_seen"))
        orphans = Peer.objects.filter(state=Peer.State.CONNECTED).exclude(worker__in=live)
        lost: dict[tuple[str, datetime], set[str]] = defaultdict(set)
        for room_id, worker_id, conn_id in orphans.values_list("session__room_id", "worker", "conn_id"):
            lost[room_id, last_seen.get(worker_id, now)].add(conn_id)
        for (room_id, gone_at), conn_ids in lost.items():
            _for_room(mark_lost, room_id, conn_ids=conn_ids, gone_at=gone_at)

    def _remove(self, now: datetime) -> None:
        overdue = Peer.objects.filter(
            state=Peer.State.RECONNECTING, gone_at__lte=now - timedelta(seconds=settings.PEER_GRACE)
        )
        emptied = Session.objects.filter(
            ended_at__isnull=True, empty_since__lte=now - timedelta(seconds=settings.SESSION_LINGER)
        )
        rooms = {*overdue.values_list("session__room_id", flat=True), *emptied.values_list("room_id", flat=True)}
        for room_id in rooms:
            attempt(_reap, room_id)


def _for_room(operation: Operation, room_id: str, **arguments: Any) -> None:
    """Do something for a room; one in which it cannot be done now has its turn the next time."""
    attempt(hubs.perform_now, operation, Caller(room_id), patience=_PATIENCE, **arguments)


def _forget_departed(room_id: str) -> None:
    # To the end, for more may leave in a minute than go in one transaction.
    while hubs.perform_now(forget_departed, Caller(room_id), patience=_PATIENCE)["more"]:
        pass


def _reap(room_id: str) -> None:
    metrics.REAPED.inc(hubs.perform_now(reap, Caller(room_id), patience=_PATIENCE).get("reaped", 0))


def tidy(now: datetime) -> None:
    """Delete what is kept for a time only: old sessions, unused rooms, dead leases, expired logins.

    Of each not all that there may be: with SQLite everybody waits until it is done.
    """
    old = Session.objects.filter(ended_at__lt=now - timedelta(days=settings.HISTORY_DAYS)).values_list("id", flat=True)
    Session.objects.filter(id__in=list(old[:_MOST_TIDIED])).delete()
    Worker.objects.filter(dead_at__lt=now - timedelta(days=1)).delete()
    if settings.ROOM_DAYS:
        delete_unused(now, days=settings.ROOM_DAYS, most=_MOST_TIDIED)
    logins = Login.objects.filter(expire_date__lt=now).values_list("pk", flat=True)
    Login.objects.filter(pk__in=list(logins[:_MOST_TIDIED])).delete()


# --- This process's threads -------------------------------------------------------------------------

_lease = Lease()


def worker_id() -> str:
    """The id under which this process holds its peers."""
    return _lease.id


def lease_age() -> float:
    """Seconds since this process renewed its lease."""
    return _lease.age


def start() -> None:
    """Take this process's lease and start the threads that keep it and that reap."""
    # In a thread, for some servers import the application on a running event loop, where Django refuses queries.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(_begin).result()
    metrics.LEASE_AGE.set_function(lease_age)
    background.repeat("lease", _lease.beat, settings.HEARTBEAT_INTERVAL)
    background.repeat("reaper", Reaper(_lease).run_once, settings.REAPER_INTERVAL)


def _begin() -> None:
    try:
        _lease.begin()
    finally:
        connection.close()


def stop() -> None:
    """Give the lease up; for the end of the process, when no job begins any more."""
    try:
        _lease.end()
    except Exception as error:
        log.warning("the lease could not be given up", extra={"context": {"why": describe(error)}})
    finally:
        close_old_connections()
