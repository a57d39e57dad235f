"""What the database hands over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


@dataclass
class Fetched:
    """How many questions were asked, how many rows came, and how many characters were in them, about."""

    queries: int = 0
    rows: int = 0
    characters: int = 0


@contextmanager
def fetching() -> Iterator[Fetched]:
    """What is fetched meanwhile on this thread's connection, which is one to SQLite."""
    fetched = Fetched()

    def note(cursor: Any, row: tuple[Any, ...]) -> tuple[Any, ...]:
        fetched.rows += 1
        fetched.characters += len(str(row))
        return row

    connection.ensure_connection()
    driver = connection.connection
    before, driver.row_factory = driver.row_factory, note
    try:
        with CaptureQueriesContext(connection) as queries:
            yield fetched
    finally:
        driver.row_factory = before
        fetched.queries = len(queries)
