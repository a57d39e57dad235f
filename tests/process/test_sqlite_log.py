"""SQLite's log reaches the database file although no connection closes."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.processes import PATIENCE
from tests.support.server import RunningServer

pytestmark = [pytest.mark.asyncio, pytest.mark.faults]


def peers_in_file_alone(database: Path, copy: Path) -> list[str]:
    """The names of the peers in a database file without its log."""
    copy.write_bytes(database.read_bytes())
    with closing(sqlite3.connect(f"file:{copy}?immutable=1", uri=True)) as sqlite:
        return [name for (name,) in sqlite.execute("SELECT name FROM rooms_peer")]


async def test_what_is_written_comes_into_the_database_file_by_itself(tmp_path):
    with RunningServer() as server:
        async with await server.peer(server.token("tea"), "Alice"):
            database, copy = server.directory / "var/db.sqlite3", tmp_path / "copy.sqlite3"
            async with asyncio.timeout(PATIENCE):
                while peers_in_file_alone(database, copy) != ["Alice"]:
                    await asyncio.sleep(0.2)
