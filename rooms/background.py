"""Jobs that this process does again and again, each in a thread of its own."""

import logging
import threading
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, close_old_connections

from rooms.logs import describe

log = logging.getLogger("rooms.background")

_stopped = threading.Event()


def repeat(name: str, job: Callable[[], None], interval: float) -> None:
    """Run a job every so many seconds until ``stop``. What it raises is logged."""

    def run() -> None:
        while not _stopped.wait(interval):
            try:
                job()
            except (OperationalError, InterfaceError) as error:
                log.error("the database cannot be used", extra={"context": {"job": name, "why": describe(error)}})
            except Exception:
                log.exception("a background job failed", extra={"context": {"job": name}})
            finally:
                close_old_connections()

    threading.Thread(target=run, name=name, daemon=True).start()


def stop() -> None:
    """Let no job begin again; for the end of the process."""
    _stopped.set()
