"""The jobs of this process that keep its lease and that reap.

They run in plain threads with database connections of their own, so that a busy event loop cannot make a process look
dead.
"""

import logging
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import close_old_connections, connection

from rooms.observe import background, metrics
from rooms.observe.logs import describe
from rooms.process.lease import OWN, lease_age
from rooms.process.reaper import SETTLING_SECONDS, Reaper, settle

log = logging.getLogger("rooms.leases")


def start() -> None:
    """Take this process's lease and start the threads that keep it and that reap."""
    # In a thread, for some servers import the application on a running event loop, where Django refuses queries.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(_begin).result()
    metrics.LEASE_AGE.set_function(lease_age)
    background.repeat("lease", OWN.beat, settings.HEARTBEAT_INTERVAL)
    background.repeat("reaper", Reaper(OWN).run_once, settings.REAPER_INTERVAL)
    background.repeat("settling", settle, SETTLING_SECONDS)


def _begin() -> None:
    try:
        OWN.begin()
    finally:
        connection.close()


def stop() -> None:
    """Give the lease up; for the end of the process, when no job begins any more."""
    try:
        OWN.end()
    except Exception as error:
        log.warning("the lease could not be given up", extra={"context": {"why": describe(error)}})
    finally:
        close_old_connections()
