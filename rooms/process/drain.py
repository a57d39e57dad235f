"""Taking this process out of service so that its peers come back, to it or to another, and none is removed.

SIGUSR1 drains it gently: ``/readyz`` answers 503, newcomers are turned away, and sockets are closed over DRAIN_SECONDS,
because clients come back after a fixed second and all at once would be a storm. ``stop`` is for the end of the process.
"""

import asyncio
import logging
import signal
import sys
import threading
from typing import Any

from django.conf import settings

from rooms.delivery import hub as hubs
from rooms.delivery.hub import Hub
from rooms.observe import background
from rooms.process import jobs

log = logging.getLogger("rooms.drain")

_FAREWELL = 0.5
"""Seconds for close frames to get out of the door."""

_PATIENCE = 10.0
"""Seconds for which the end of the process waits for what is still being written."""

_draining = threading.Event()
_task: asyncio.Task[None] | None = None


def under_way() -> bool:
    """Whether this process takes no more newcomers."""
    return _draining.is_set()


def install() -> None:
    """Let SIGUSR1 drain this process, and daphne stop it well. uvicorn calls the application's lifespan instead."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, _on_signal)
    # daphne has loaded Twisted, which takes long; other servers need not.
    if reactor := sys.modules.get("twisted.internet.reactor"):
        reactor.addSystemEventTrigger("before", "shutdown", _on_shutdown)


def _on_signal(number: int, frame: object) -> None:
    # Nothing is logged here: the signal may have interrupted the log.
    _draining.set()
    if hub := hubs.current():
        hub.loop.call_soon_threadsafe(_begin, hub)


def _begin(hub: Hub) -> None:
    global _task
    if _task is None:
        _task = background.spawn(drain(hub, settings.DRAIN_SECONDS))


async def drain(hub: Hub, seconds: float) -> None:
    """Close all sockets of this process, spread over so many seconds; clients are told that it restarts."""
    _draining.set()
    conn_ids, started = list(hub.connections), hub.loop.time()
    log.info("draining", extra={"context": {"sockets": len(conn_ids), "seconds": seconds}})
    for number, conn_id in enumerate(conn_ids):
        wait = started + seconds * number / len(conn_ids) - hub.loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        hub.close_connection(conn_id)
    # Those that were let in just before.
    for conn_id in list(hub.connections):
        hub.close_connection(conn_id)
    log.info("drained")


async def stop() -> None:
    """Close all sockets, store what is under way, and give up the lease, so that nobody has to wait for its end."""
    _draining.set()
    hub = hubs.current()
    if hub:
        for conn_id in list(hub.connections):
            hub.close_connection(conn_id)
        # The loop has to run for the close frames to be written.
        await asyncio.sleep(_FAREWELL if hub.connections else 0)
        try:
            async with asyncio.timeout(_PATIENCE):
                await hub.settle()
        except TimeoutError:
            log.warning("the process ends before everything was stored")
    # After the sockets: until they are closed the lease has to hold.
    background.stop()
    await asyncio.to_thread(jobs.stop)
    await hubs.close()


def _on_shutdown() -> Any:
    """What Twisted waits for before it ends the event loop."""
    from twisted.internet.defer import Deferred

    return Deferred.fromFuture(asyncio.get_running_loop().create_task(_stop_daphne()))


async def _stop_daphne() -> None:
    await stop()
    # daphne leaves applications behind, and the interpreter may crash over them when it ends.
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
