"""With SQLite exactly one process may serve: a second one would deliver nothing to the peers of the first."""

import fcntl
import multiprocessing
import os
import signal
import sys
from typing import IO

from django.conf import settings

_held: IO[str] | None = None


def take() -> None:
    """Hold ``server.lock`` in the data directory until the process ends, or exit with a line that says what to do."""
    global _held
    if not settings.EMBEDDED:
        return
    path = settings.DATA_DIR / "server.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        sys.stderr.write(
            f"Another server (process {holder}) uses {settings.DATA_DIR}. Stop it, or run one worker only; "
            "for several processes set DATABASE_URL to PostgreSQL and REDIS_URL.\n"
        )
        sys.stderr.flush()
        if (supervisor := multiprocessing.parent_process()) and supervisor.pid:
            os.kill(supervisor.pid, signal.SIGTERM)  # of several workers: it would start this one again and again
        os._exit(3)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    _held = file
