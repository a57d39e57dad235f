"""SQLite's log is moved into the database file beside the writer: otherwise each so many commits one had to wait."""

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from rooms.observe import background
from rooms.operations.engine import erasing

_INTERVAL = 1.0

_PATIENCE_MS = 50
"""For so long a log that holds what was deleted may be in use before it is left for the next time."""


def start() -> None:
    if settings.EMBEDDED:
        background.repeat("checkpoint", _checkpoint, _INTERVAL)


def _checkpoint() -> None:
    with connection.cursor() as cursor:
        # PASSIVE: waits for nobody, and nobody waits for it. https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        if erasing.log.holds:
            erasing.log.holds = False
            # Writers wait for it, but nearly all was moved just now. One that comes after it says so again.
            if not _empty(cursor):
                erasing.log.holds = True


def _empty(cursor: CursorWrapper) -> bool:
    """Whether the log could be emptied, of which a PASSIVE checkpoint leaves the bytes on the disk."""
    cursor.execute("PRAGMA busy_timeout")
    [patience] = cursor.fetchone()
    cursor.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
    try:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [is_busy, _, _] = cursor.fetchone()
    finally:
        cursor.execute(f"PRAGMA busy_timeout={patience}")
    return not is_busy
