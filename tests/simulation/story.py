"""What befalls a world: storms, in which clients act and things go wrong, and calms, after which all must agree.

Which faults a storm has, and how often, is drawn anew for each: some hide others.
"""

import sqlite3
from collections.abc import Callable

from tests.simulation import habits
from tests.simulation.agreement import check_agreement
from tests.simulation.clients import Client
from tests.simulation.journal import Journal
from tests.simulation.server import Transaction
from tests.simulation.world import World

_CALM = 46.0
"""Seconds after which everything that went wrong must have been made good: longest a client stays away, its grace, by
how much a clock is set back, and the pause of the reapers before that."""


class Story:
    """See the module."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.scheduler = world.scheduler
        self.random = world.scheduler.random
        self.calms = 0
        self._copy: tuple[sqlite3.Connection, dict[str, Journal]] | None = None
        self._stormy = False
        world.fill(processes=1 if world.embedded else self.random.choice((2, 3)), clients=self.random.choice((4, 6, 9)))
        for client in world.clients:
            self._act_soon(client)
        self._storm()

    def _act_soon(self, client: Client) -> None:
        self.scheduler.after(self.scheduler.delay(self._pace) if self._stormy else 0.3, lambda: self._act(client))

    _pace = 0.1

    def _act(self, client: Client) -> None:
        self._act_soon(client)
        if self._stormy:
            habits.act(client, self._mood)

    # --- Weather

    def _storm(self) -> None:
        random, bells = self.random, self.world.bells
        self._stormy = True
        self._pace = random.choice((0.03, 0.1, 0.3))
        self._mood = habits.mood(random)
        bells.lose, bells.repeat, bells.late = (random.choice((0, 0.1, 0.5)) for _ in range(3))
        if random.random() < 0.1:
            bells.lose = 1.0
        self.world.database.failing = random.choice((0, 0, 0.003, 0.03))
        for fault in (self._kill, self._freeze, self._outage, self._restore, self._silence, self._clock, self._lock):
            if random.random() < 0.45:
                self._plan(fault, random.choice((2, 5, 15)))
        for fault in (self._back_up, self._slow):
            self._plan(fault, 5)
        self.scheduler.note("a storm:", bells.lose, bells.repeat, bells.late, self.world.database.failing)
        self.scheduler.after(random.uniform(5, 25), self._calm)

    def _plan(self, fault: Callable[[], None], usual: float) -> None:
        """Have something happen again and again, as long as the storm lasts."""

        def happen() -> None:
            if self._stormy:
                fault()
                self._plan(fault, usual)

        self.scheduler.after(self.random.expovariate(1 / usual), happen)

    def _calm(self) -> None:
        self.scheduler.note("a calm")
        bells = self.world.bells
        self._stormy = False
        bells.lose, bells.repeat, bells.late, bells.down = self.random.choice((0.0, 1.0)), 0.0, 0.0, False
        self.world.database.failing = 0.0
        self.world.database.down = False
        thaw = max((process.frozen_until - self.scheduler.now for process in self.world.processes), default=0)
        self.scheduler.after(max(thaw, 1) + _CALM - 1, self._agree)

    def _agree(self) -> None:
        check_agreement(self.world)
        self.calms += 1
        self._storm()

    # --- Faults

    def _kill(self) -> None:
        if not self.world.processes:
            return
        process = self.random.choice(self.world.processes)
        if self.random.random() < 0.5:
            self.world.kill(process)
        else:
            self.world.database.dooms = process

    def _freeze(self) -> None:
        if self.world.processes:
            process, seconds = self.random.choice(self.world.processes), self.random.choice((0.3, 2, 5))
            self.scheduler.note(process.name, "freezes for", seconds)
            self.scheduler.sometimes("a process freezes")
            process.freeze(seconds)

    def _outage(self) -> None:
        database = self.world.database
        if not database.down:
            self.scheduler.note("the database goes away")
            self.scheduler.sometimes("the database goes away")
            database.stop()
            self.scheduler.after(self.random.choice((0.1, 2, 6)), database.start)

    def _back_up(self) -> None:
        if not self.world.database.down:
            self._copy = self.world.database.copy(), self.world.journals.copy()
            self.scheduler.note("a backup is made")

    def _restore(self) -> None:
        if self._copy is None:
            return
        self.scheduler.note("the backup is put back")
        self.scheduler.sometimes("a backup is put back")
        stored, journals = self._copy
        if self.world.embedded:
            for process in list(self.world.processes):
                self.world.kill(process)
        self.world.database.stop()
        self.world.database.restore(stored)
        self.world.journals.restore(journals)
        self.scheduler.after(self.random.choice((0.1, 2)), self.world.database.start)

    def _silence(self) -> None:
        bells = self.world.bells
        bells.down = True

        def ring_again() -> None:
            bells.down = False

        self.scheduler.after(self.random.uniform(0, 4), ring_again)

    def _clock(self) -> None:
        self.world.database.clock_offset = self.random.choice((-6, -1, 0, 1, 6))

    def _lock(self) -> None:
        """Another program holds the lock of a room."""
        database, other = self.world.database, Transaction()
        for room_id in self.world.room_ids:
            if self.random.random() < 0.5 and database.take(database.lock_of(room_id), other, 0):
                self.scheduler.sometimes("a room is held up")
        self.scheduler.after(self.random.choice((0.03, 0.5, 7)), lambda: database.release(other))

    def _slow(self) -> None:
        """A client does not read for a while."""
        sockets = [client.socket for client in self.world.clients if client.socket]
        if sockets:
            self.random.choice(sockets).slow_until = self.scheduler.now + self.random.choice((0.1, 1, 8))
