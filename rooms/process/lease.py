"""This process's lease: the row that it renews as long as it lives.

A process that does not renew its lease for LEASE_TTL is dead, and its peers are reconnecting.
"""

import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Container, Set
from datetime import datetime
from typing import Any

from django.conf import settings

from rooms.delivery import hub as hubs
from rooms.models import Peer, Session, Worker
from rooms.observe.background import attempt
from rooms.operations.engine.calls import Caller, Operation
from rooms.operations.engine.statements import database_now
from rooms.operations.reaping import mark_lost, reclaim

log = logging.getLogger("rooms.leases")

_RETURN_SECONDS = 5.0

PATIENCE = 0.1
"""Seconds that a job waits for the lock of one room: there are others, and it is done again soon."""


def return_seconds() -> float:
    """How long those whose process was stopped, or began anew, are taken for connected.

    Most are back by then, and nobody need be told of a thousand who went and came.
    """
    return min(_RETURN_SECONDS, settings.LEASE_TTL)


class Lease:
    """The lease of this process. ``id`` changes when the process finds that it was declared dead."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self._beaten_at = time.monotonic()
        self.declare_after = self._beaten_at
        """Moment (monotonic) before which this process declares nobody dead."""
        self.reap_after = self._beaten_at
        """Moment (monotonic) before which this process removes nobody."""
        self._looked: tuple[datetime, float] | None = None

    @property
    def age(self) -> float:
        """Seconds since it was renewed."""
        return time.monotonic() - self._beaten_at

    @property
    def is_overdue(self) -> bool:
        return self.age > settings.LEASE_TTL

    def begin(self) -> None:
        """Take the lease. With SQLite every older one is of a process that is gone."""
        # This process may be the only one, and everybody's time ran on while there was none.
        self._hold_back()
        if settings.EMBEDDED:
            now = database_now()
            Worker.objects.filter(dead_at__isnull=True).update(dead_at=now)
            # The clock may have been set back while no process ran.
            _forget_what_is_to_come(now)
            self.declare_after = time.monotonic() + return_seconds()
        self._register()

    def beat(self) -> None:
        """Renew the lease, and give up the peers of this process whose connection is gone."""
        hub = hubs.current()
        # A thread can beat while the loop hangs; the peers of such a process are better off elsewhere.
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

    def look_at_clock(self, now: datetime) -> None:
        """Notice whether the clock that all processes share, which shows ``now``, was set since the last look."""
        moment = time.monotonic()
        before, self._looked = self._looked, (now, moment)
        if before is None:
            return
        step = (now - before[0]).total_seconds() - (moment - before[1])
        # After a smaller one the others renew their leases in time.
        if abs(step) > settings.LEASE_TTL / 2:
            log.warning("the clock was set", extra={"context": {"seconds": round(step, 1)}})
            self._hold_back()
            _forget_what_is_to_come(now)

    def end(self) -> None:
        """Give up the lease, so that others need not wait for it to run out."""
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
        # Those too whose room could not be asked: they come back, and find their peers.
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
            for_room(mark_lost, room_id, conn_ids=conn_ids, gone_at=database_now(), worker=self.id)


def _forget_what_is_to_come(now: datetime) -> None:
    """After the clock was set back nothing began later than now: nobody is waited for until it is there again."""
    Worker.objects.filter(dead_at__isnull=True, last_seen__gt=now).update(last_seen=now)
    Peer.objects.filter(state=Peer.State.RECONNECTING, gone_at__gt=now).update(gone_at=now)
    Session.objects.filter(ended_at__isnull=True, empty_since__gt=now).update(empty_since=now)


def for_room(operation: Operation, room_id: str, **arguments: Any) -> None:
    """Do something for a room; one in which it cannot be done now has its turn the next time."""
    attempt(hubs.perform_now, operation, Caller(room_id), patience=PATIENCE, **arguments)


OWN = Lease()
"""That of this process."""


def worker_id() -> str:
    """The id under which this process holds its peers."""
    return OWN.id


def lease_age() -> float:
    """Seconds since this process renewed its lease."""
    return OWN.age
