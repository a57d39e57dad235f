"""The engine's own statements, straight to the driver: Django would take longer over most of them than they run."""

import functools
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from django.db import DEFAULT_DB_ALIAS, connections


class Cursor:
    """A driver's cursor on the connection that Django holds for this thread, for ``with``.

    Placeholders are ``%s`` on every database. What the driver raises leaves the ``with`` as Django's exception.
    """

    __slots__ = ("_errors", "execute", "executemany", "fetchall", "fetchone", "nextset", "vendor")

    execute: Callable[[str, Sequence[Any]], object]
    executemany: Callable[[str, Sequence[Sequence[Any]]], object]
    fetchone: Callable[[], Any]
    fetchall: Callable[[], list[Any]]
    nextset: Callable[[], object]

    def __init__(self) -> None:
        connection = connections[DEFAULT_DB_ALIAS]
        if connection.connection is None:
            connection.ensure_connection()
        self.vendor = connection.vendor
        self._errors = connection.wrap_database_errors
        watched = connection.force_debug_cursor  # somebody wants to see the statements
        driver: Any = connection.cursor() if watched else connection.connection.cursor()
        self.execute, self.executemany = driver.execute, driver.executemany
        self.fetchone, self.fetchall = driver.fetchone, driver.fetchall
        if self.vendor != "sqlite":
            self.nextset = driver.nextset
        elif not watched:
            self.execute = lambda statement, values: driver.execute(_question_marks(statement), values)
            self.executemany = lambda statement, rows: driver.executemany(_question_marks(statement), rows)

    def __enter__(self) -> Self:
        self._errors.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._errors.__exit__(kind, error, trace)


@functools.lru_cache(maxsize=512)
def _question_marks(statement: str) -> str:
    """A statement with SQLite's placeholders."""
    return statement.replace("%s", "?")
