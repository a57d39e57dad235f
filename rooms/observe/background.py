"""Jobs of this process that nobody waits for: what one of them raises is logged, and it and the others go on."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, close_old_connections, connections

from rooms.observe.logs import describe
from rooms.wire.errors import HeldUp, Unavailable

log = logging.getLogger("rooms.background")

P = ParamSpec("P")
T = TypeVar("T")

_PAUSE = 1.0
"""Seconds until a job that failed is done again."""

_stopped = threading.Event()
_tasks: set[asyncio.Task[Any]] = set()


def attempt(job: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> None:
    """Do something of which others must not suffer: what it raises is logged."""
    try:
        job(*arguments, **named)
    except Exception as error:
        report(job, error)


def report(job: object, error: BaseException) -> None:
    """Log what a job raised."""
    name = getattr(job, "__qualname__", type(job).__name__)
    if isinstance(error, HeldUp):
        # Another process is at work there, as a rule; of a lock that stays the calls of peers tell.
        log.info("a room is locked, its job is done later", extra={"context": {"job": name}})
    elif isinstance(error, (OperationalError, InterfaceError, Unavailable)):
        log.error("the database cannot be used", extra={"context": {"job": name, "why": describe(error)}})
    else:
        log.error("a background job failed", exc_info=error, extra={"context": {"job": name}})


def spawn(job: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task that is kept until it is done, for the event loop itself forgets tasks that wait."""
    task = asyncio.get_running_loop().create_task(job)
    _tasks.add(task)
    task.add_done_callback(_done)
    return task


def _done(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if not task.cancelled() and (error := task.exception()):
        report(task.get_coro(), error)


async def keep_doing(job: Callable[[], Awaitable[object]], *, every: Callable[[], float] = lambda: 0) -> None:
    """Do a job again and again until this is cancelled, with so many seconds between."""
    task = asyncio.current_task()
    while True:
        pause = every()
        try:
            await job()
        except asyncio.CancelledError as error:
            if task is None or task.cancelling():
                raise
            report(job, error)  # of something that it waited for
            pause = max(pause, _PAUSE)
        except Exception as error:
            report(job, error)
            pause = max(pause, _PAUSE)
        await asyncio.sleep(pause)


def repeat(name: str, job: Callable[[], None], interval: float) -> None:
    """Run a job in a thread of its own, every so many seconds until ``stop``."""

    def run() -> None:
        while not _stopped.wait(interval):
            attempt(job)
            # Each time, for a connection that broke would fail every run from now on.
            attempt(release_connection)

    threading.Thread(target=run, name=name, daemon=True).start()


def release_connection() -> None:
    """Give this thread's connection back to PostgreSQL's pool; keep SQLite's, which is slow to open."""
    held = connections[DEFAULT_DB_ALIAS]
    if held.vendor == "sqlite" and not held.errors_occurred:
        return
    close_old_connections()
    if held.errors_occurred:
        held.close()


def is_stopping() -> bool:
    """Whether no job begins again: a long one comes to its end."""
    return _stopped.is_set()


def stop() -> None:
    """Let no job begin again; for the end of the process."""
    _stopped.set()
