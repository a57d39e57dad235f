"""SQLite's log reaches the database file although nobody closes or asks."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.server import RunningServer

pytestmark = pytest.mark.faults


def rooms_in_file_alone(database: Path, copy: Path) -> list[str]:
    """The names of the rooms in a database file without its log."""
    copy.write_bytes(database.read_bytes())
    with closing(sqlite3.connect(f"file:{copy}?immutable=1", uri=True)) as sqlite:
        return [name for (name,) in sqlite.execute("SELECT name FROM rooms_room")]


def test_what_is_written_comes_into_the_database_file_by_itself(tmp_path):
    with RunningServer() as server:
        database = server.directory / "var/db.sqlite3"
        server.room("tea")
        assert server.select("SELECT name FROM rooms_room") == [("tea",)]
        end = time.monotonic() + 15
        while rooms_in_file_alone(database, tmp_path / "copy.sqlite3") != ["tea"]:
            assert time.monotonic() < end, "the row is in the log only"
            time.sleep(0.2)
