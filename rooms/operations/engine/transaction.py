"""The engine's transactions and statements, straight to the driver: by Django they would take longer than they run."""

import functools
import sys
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper


class Cursor:
    """A driver's cursor on the connection that Django holds for this thread, for ``with``.

    Placeholders are ``%s`` on every database. What the driver raises is raised as Django's exception.
    """

    __slots__ = ("_errors", "connection", "execute", "executemany", "fetchall", "fetchone", "nextset", "vendor")

    execute: Callable[[str, Sequence[Any]], object]
    executemany: Callable[[str, Sequence[Sequence[Any]]], object]
    fetchone: Callable[[], Any]
    fetchall: Callable[[], list[Any]]
    nextset: Callable[[], object]

    def __init__(self) -> None:
        self.connection: BaseDatabaseWrapper = connections[DEFAULT_DB_ALIAS]
        self.vendor = self.connection.vendor
        self._errors = self.connection.wrap_database_errors

    def __enter__(self) -> Self:
        with self._errors:
            self._open()
        return self

    def _open(self) -> None:
        if self.connection.connection is None:
            self.connection.ensure_connection()
        watched = self.connection.force_debug_cursor  # somebody wants to see the statements
        driver: Any = self.connection.cursor() if watched else self.connection.connection.cursor()
        self.execute, self.executemany = driver.execute, driver.executemany
        self.fetchone, self.fetchall = driver.fetchone, driver.fetchall
        if self.vendor != "sqlite":
            self.nextset = driver.nextset
        elif not watched:
            self.execute = lambda statement, values: driver.execute(_question_marks(statement), values)
            self.executemany = lambda statement, rows: driver.executemany(_question_marks(statement), rows)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._errors.__exit__(kind, error, trace)


@functools.lru_cache(maxsize=512)
def _question_marks(statement: str) -> str:
    """A statement with SQLite's placeholders."""
    return statement.replace("%s", "?")


# Of this process one thread at a time writes SQLite's file: who finds it locked by SQLite itself sleeps, for a
# millisecond at least, and then for ever longer.
_turn = threading.Lock()
_TURN_SECONDS = 20.0


class Transaction(Cursor):
    """``transaction.atomic()``, and a cursor in it. ``on_commit`` is called once all is committed."""

    __slots__ = ("_atomic", "_has_turn", "on_commit")

    def __init__(self) -> None:
        super().__init__()
        self._has_turn = False
        self.on_commit: Callable[[], object] = _nothing
        # With SQLite by hand: of a transaction that is none within another Django's way is most of the time that it
        # takes. What Django does in it finds the connection as in a block of its own.
        by_hand = self.vendor == "sqlite" and not self.connection.in_atomic_block
        self._atomic = None if by_hand else transaction.atomic()

    def __enter__(self) -> Self:
        if self._atomic:
            self._atomic.__enter__()
            try:
                return super().__enter__()
            except BaseException:
                self._atomic.__exit__(*sys.exc_info())
                raise
        # If another thread's takes very long, SQLite itself says so, after its own patience.
        self._has_turn = _turn.acquire(timeout=_TURN_SECONDS)
        try:
            with self._errors:
                self._open()
                self.execute("BEGIN IMMEDIATE", ())
        except BaseException:
            self._give_turn()
            raise
        self.connection.in_atomic_block = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Let go of here, or the transaction would hold itself, and all that it was about, until the collector comes.
        on_commit, self.on_commit = self.on_commit, _nothing
        if self._atomic:
            self._leave(self._atomic, on_commit, kind, error, trace)
        else:
            try:
                self._end(commits=kind is None)
            finally:
                self._give_turn()
            self._errors.__exit__(kind, error, trace)
            if kind is None:
                on_commit()

    def _leave(
        self, atomic: transaction.Atomic, on_commit: Callable[[], object], kind: Any, error: Any, trace: Any
    ) -> None:
        try:
            self._errors.__exit__(kind, error, trace)
            if kind is None:
                # There may be a transaction around this one, which decides.
                transaction.on_commit(on_commit)
        except BaseException:
            atomic.__exit__(*sys.exc_info())
            raise
        atomic.__exit__(kind, error, trace)

    def _end(self, *, commits: bool) -> None:
        connection = self.connection
        # Set by a block of Django's within this one that failed.
        broken, connection.needs_rollback = connection.needs_rollback, False
        connection.in_atomic_block = False
        driver = connection.connection
        try:
            with self._errors:
                if commits and broken:
                    raise transaction.TransactionManagementError("a part of the transaction was rolled back")
                if commits:
                    driver.commit()
        finally:
            if driver.in_transaction:
                driver.rollback()

    def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turn.release()


def _nothing() -> None:
    pass
