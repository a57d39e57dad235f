"""A database server that the simulated processes share: what is stored, who holds which lock, and what can befall it.

It is SQLite in memory, and behaves as PostgreSQL, which locks rooms, or as SQLite, which locks everything.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db.backends.sqlite3._functions import register

from tests.simulation.scheduler import Scheduler
from tests.simulation.threads import Fiber, current

LOCK_SECONDS = 20.0
"""How long a transaction of SQLite waits for another."""

EVERYTHING = "everything"
"""The lock of a whole SQLite database."""

EPOCH = 1_700_000_000.0
"""Seconds since 1970 at which every simulation begins."""


class Injected(sqlite3.OperationalError):
    """A failure of the simulation's own making."""


class LockNotAvailable(sqlite3.OperationalError):
    sqlstate = "55P03"


class Transaction:
    """``wrote`` are the tables that it changed, ``events`` the rows of the journal, ``messages`` those of messages."""

    def __init__(self) -> None:
        self.open = False
        self.began = False
        self.snapshot = False
        self.locks: list[str] = []
        self.patience = LOCK_SECONDS
        self.wrote: set[str] = set()
        self.events: list[tuple[Any, ...]] = []
        self.messages: list[tuple[Any, ...]] = []


class Server:
    """The database server. ``run`` names the time since it was started last, of which its answers are."""

    def __init__(self, scheduler: Scheduler, template: sqlite3.Connection, vendor: str) -> None:
        self.scheduler = scheduler
        self.vendor = vendor
        self.committed: Callable[[Transaction], None] = lambda transaction: None
        self.dooms: Any = None
        """The process that is killed with its next commit."""
        self.failing = 0.0
        self.down = False
        self.epoch = 0
        self.clock_offset = 0.0
        self.started = 0.0
        self._held: dict[str, Transaction] = {}
        self._waiting: dict[str, deque[Fiber]] = {}
        self.storage = sqlite3.connect(
            ":memory:",
            detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES,
            isolation_level=None,
            cached_statements=1000,
        )
        register(self.storage)
        self.storage.create_function("database_run", 0, lambda: self.run)
        self.storage.create_function("octet_length", 1, lambda text: len(text.encode()))
        template.backup(self.storage)
        self.storage.execute("PRAGMA foreign_keys = ON")

    @property
    def run(self) -> str:
        return f"run-{self.epoch}"

    def now(self) -> datetime:
        return datetime.fromtimestamp(EPOCH + self.scheduler.now + self.clock_offset, UTC)

    # --- Locks

    def lock_of(self, room_id: str) -> str:
        """The lock that whoever changes a room holds."""
        return room_id if self.vendor == "postgresql" else EVERYTHING

    def take(self, name: str, transaction: Transaction, patience: float) -> bool:
        """Have a transaction hold a lock; waits for so many seconds. Whether it was had."""
        if self._held.get(name) is transaction:
            return True
        until = self.scheduler.now + patience
        while name in self._held:
            fiber = current()
            if self.scheduler.now >= until or fiber is None:
                return False
            self.scheduler.sometimes("a lock is waited for")
            epoch = self.epoch
            queue = self._waiting.setdefault(name, deque())
            queue.append(fiber)
            timer = self.scheduler.at(until, fiber.resume, fiber.process)
            try:
                fiber.wait()
            finally:
                timer.cancel()
                if fiber in queue:
                    queue.remove(fiber)
            if epoch != self.epoch:
                raise Injected("injected: the server went away")
        self._held[name] = transaction
        transaction.locks.append(name)
        return True

    def release(self, transaction: Transaction) -> None:
        for name in transaction.locks:
            if self._held.get(name) is transaction:
                del self._held[name]
                if waiting := self._waiting.get(name):
                    waiting.popleft().wake()
        transaction.locks.clear()

    # --- Faults

    def stop(self) -> None:
        """Go away: whatever is under way is rolled back, and nobody connects."""
        self.down = True
        self.epoch += 1
        self._held.clear()
        for waiting in self._waiting.values():
            while waiting:
                waiting.popleft().wake()

    def start(self) -> None:
        self.down = False

    def copy(self) -> sqlite3.Connection:
        """A backup."""
        copy = sqlite3.connect(":memory:")
        self.storage.backup(copy)
        return copy

    def restore(self, copy: sqlite3.Connection) -> None:
        """Go back to a backup; only while it is stopped."""
        self.storage.execute("PRAGMA foreign_keys = OFF")
        copy.backup(self.storage)
        self.storage.execute("PRAGMA foreign_keys = ON")
