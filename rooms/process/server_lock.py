"""With SQLite exactly one process may serve: a second one would deliver nothing to the peers of the first."""

import fcntl
import os
from typing import IO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_held: IO[str] | None = None


def take() -> None:
    """Hold ``server.lock`` in the data folder until the process ends. Raises ImproperlyConfigured if another does."""
    global _held
    if not settings.EMBEDDED:
        return
    path = settings.DATA_DIR / "server.lock"
    try:
        # Not emptied by opening it: the number in it is that of whoever holds it.
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be opened: {error.strerror}.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = file.read().strip() or "unknown"
        raise ImproperlyConfigured(
            f"Another server (process {holder}) uses {settings.DATA_DIR}. Stop it, or run one worker only; "
            "for several processes set DATABASE_URL to PostgreSQL and REDIS_URL."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    # Kept open, for the lock goes with the file.
    _held = file
