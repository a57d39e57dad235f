"""SQLite's log is moved into the database file beside the writer: otherwise each so many commits one had to wait."""

from django.conf import settings
from django.db import connection

from rooms.observe import background

_INTERVAL = 1.0


def start() -> None:
    if settings.EMBEDDED:
        background.repeat("checkpoint", _checkpoint, _INTERVAL)


def _checkpoint() -> None:
    with connection.cursor() as cursor:
        # PASSIVE: waits for nobody, and nobody waits for it. https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
