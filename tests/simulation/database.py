"""A thread's connection to the simulated database server, in place of Django's.

As PostgreSQL has it each statement sees what is committed when it runs, and between any two of a transaction others may
run. What a transaction writes it writes at its end; from its first change to its commit nobody else runs, which nobody
could tell from having run before.
"""

import functools
import re
import sqlite3
from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, DatabaseWrapper
from greenlet import GreenletExit

from tests.simulation.server import EVERYTHING, LOCK_SECONDS, Injected, LockNotAvailable, Server, Transaction
from tests.simulation.threads import current

_STATEMENT = 0.0005
"""Seconds that a statement takes, about."""


class Database(DatabaseWrapper):
    """A thread's connection. What SQLite cannot say it says in its own words."""

    def __init__(self, server: Server, process: Any) -> None:
        postgres = server.vendor == "postgresql"
        settings = {**connections.settings["default"], "NAME": ":memory:", "CONN_MAX_AGE": 0 if postgres else None}
        super().__init__(settings, "default")
        self.vendor = server.vendor
        self.server = server
        self.process = process
        self.features.has_select_for_update = postgres
        self.transaction = Transaction()
        self.epoch = -1

    # --- What Django asks for

    def get_connection_params(self) -> dict[str, Any]:
        return {}

    def get_new_connection(self, conn_params: Any) -> "Line":
        if self.server.down:
            raise Injected("injected: the server is away")
        self.epoch = self.server.epoch
        return Line(self)

    def init_connection_state(self) -> None:
        pass

    def is_in_memory_db(self) -> bool:
        return False

    def _close(self) -> None:
        self.end()

    def is_usable(self) -> bool:
        return self.epoch == self.server.epoch and not self.server.down

    def create_cursor(self, name: str | None = None) -> "Cursor":
        return self.connection.cursor()

    def _set_autocommit(self, autocommit: bool) -> None:
        pass

    def _start_transaction_under_autocommit(self) -> None:
        with self.wrap_database_errors:
            self.begin()

    def _commit(self) -> None:
        with self.wrap_database_errors:
            self.commit_driver()

    def _rollback(self) -> None:
        self.end()

    def begin(self) -> None:
        self._pause()
        self._check()
        self.transaction = Transaction()
        self.transaction.open = True
        if self.vendor == "sqlite" and not self.server.take(EVERYTHING, self.transaction, LOCK_SECONDS):
            raise Injected("injected: database is locked")

    def commit_driver(self) -> None:
        server, transaction = self.server, self.transaction
        self._check()
        if transaction.began:
            luck = server.scheduler.random.random()
            if luck < server.failing:
                server.scheduler.sometimes("a commit fails")
                raise Injected("injected: the commit failed")
            server.storage.execute("COMMIT")
            transaction.began = False
            server.committed(transaction)
            self.end()
            if server.dooms is self.process:
                server.scheduler.after(0, lambda: self.process.world.kill(self.process))
            if luck > 1 - server.failing:
                server.scheduler.sometimes("a commit is not answered")
                raise Injected("injected: the connection was lost while committing")
            try:
                self._pause()
            except GreenletExit:
                server.scheduler.sometimes("a process is killed between commit and answer")
                raise
        else:
            self.end()

    def end(self) -> None:
        if self.transaction.began:
            self.server.storage.execute("ROLLBACK")
        self.server.release(self.transaction)
        self.transaction = Transaction()

    # --- Statements

    def _pause(self) -> None:
        """Let others run, if they may."""
        transaction = self.transaction
        if not transaction.began and not transaction.snapshot and (fiber := current()):
            fiber.pause(_STATEMENT)

    def _check(self) -> None:
        if self.epoch != self.server.epoch or self.server.down:
            raise Injected("injected: the server is away")

    def run(self, cursor: "Cursor", query: str, parameters: Any, execute: Callable[..., Any]) -> Any:
        """Run a statement as the server would."""
        kind, table, text = _understood(query)
        server, transaction = self.server, self.transaction
        cursor.canned = None
        if kind != "begin":
            self._pause()
            self._check()
        if kind == "read" or kind == "other":
            return execute(text, parameters)
        if kind == "write":
            return self._write(table, text, parameters, execute)
        if kind == "lock":
            return self._lock(cursor, query, parameters, execute)
        if kind == "view":
            transaction.snapshot = True
        elif kind == "look":
            transaction.snapshot = False
        elif kind == "begin":
            self.begin()
        elif kind == "clock":
            cursor.canned = (server.now(),)
        return cursor

    def _write(self, table: str, text: str, parameters: Any, execute: Callable[..., Any]) -> Any:
        server, transaction = self.server, self.transaction
        if server.failing and server.scheduler.chance(server.failing):
            server.scheduler.sometimes("a statement fails")
            raise Injected("injected: a statement failed")
        if not self.in_atomic_block:
            return self._write_alone(table, text, parameters, execute)
        if not transaction.began:
            server.storage.execute("BEGIN")
            transaction.began = True
        transaction.wrote.add(table)
        if table == "rooms_event" and text.startswith("INSERT"):
            transaction.events += parameters
        elif table == "rooms_message" and text.startswith("INSERT"):
            transaction.messages += parameters
        return execute(text, parameters)

    def _write_alone(self, table: str, text: str, parameters: Any, execute: Callable[..., Any]) -> Any:
        alone = Transaction()
        if self.vendor == "sqlite" and not self.server.take(EVERYTHING, alone, LOCK_SECONDS):
            raise Injected("injected: database is locked")
        try:
            result = execute(text, parameters)
        finally:
            self.server.release(alone)
        alone.wrote.add(table)
        self.server.committed(alone)
        return result

    def _lock(self, cursor: "Cursor", query: str, parameters: Any, execute: Callable[..., Any]) -> Any:
        """SET LOCAL lock_timeout = …; SELECT r.id … FOR UPDATE [SKIP LOCKED]"""
        if found := re.search(r"lock_timeout = (\d+)", query):
            self.transaction.patience = int(found[1]) / 1000
        skips = "SKIP LOCKED" in query
        taken = []
        for room_id in parameters:
            if self.server.take(room_id, self.transaction, 0 if skips else self.transaction.patience):
                taken.append(room_id)
            elif not skips:
                raise LockNotAvailable("injected: canceling statement due to lock timeout")
        self._check()
        marks = ", ".join("?" * len(taken))
        return execute(f"SELECT id FROM rooms_room WHERE id IN ({marks}) ORDER BY id", taken)


class Line:
    """A driver's connection, which code asks for cursors that passes Django by."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cursor(self) -> "Cursor":
        cursor = self._database.server.storage.cursor(factory=Cursor)
        cursor.database = self._database
        return cursor

    @property
    def in_transaction(self) -> bool:
        return self._database.transaction.open

    def commit(self) -> None:
        self._database.commit_driver()

    def rollback(self) -> None:
        self._database.end()


class Cursor(sqlite3.Cursor):
    """Has its database run the statements."""

    database: Database
    canned: Any = None

    def execute(self, query: str, params: Any = ()) -> Any:
        return self.database.run(self, query, params or (), super().execute)

    def executemany(self, query: str, param_list: Any) -> Any:
        return self.database.run(self, query, list(param_list), super().executemany)

    def fetchone(self) -> Any:
        return self.canned or super().fetchone()

    def nextset(self) -> bool:
        return True


_PHRASES = {
    "json_agg(": "json_group_array(",
    "json_build_array(": "json_array(",
    "jsonb_array_length(": "json_array_length(",
}
_HISTORY = re.compile(r"concat_ws\('-', to_hex.*?'rooms_session'::regclass::oid\)", re.DOTALL)


@functools.cache
def _understood(query: str) -> tuple[str, str, str]:
    """Of what kind a statement is, the table that it changes, and the statement in the words of SQLite."""
    text = query
    for phrase, own in _PHRASES.items():
        text = text.replace(phrase, own)
    text = _HISTORY.sub("database_run()", text)
    text = FORMAT_QMARK_REGEX.sub("?", text).replace("%%", "%")
    if "FOR UPDATE" in text:
        return "lock", "", text
    if text.startswith("SET TRANSACTION") or text == "BEGIN":
        return "view", "", text
    if text.startswith("BEGIN"):
        return "begin", "", text
    if text == "ROLLBACK":
        return "look", "", text
    if "clock_timestamp()" in text:
        return "clock", "", text
    if found := re.match(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)', text):
        return "write", found[1], text
    return "read" if text.lstrip().startswith(("SELECT", "WITH")) else "other", "", text
