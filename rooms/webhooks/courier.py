"""Tells back ends what waits, in a thread of this process that gives way to rooms.

Each session's events go one after the other, many sessions side by side. Nothing is held in memory but the few events
that are under way.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.conf import settings

from rooms.delivery.giving_way import giving_way
from rooms.observe import background, metrics
from rooms.observe.background import release_connection
from rooms.webhooks import queue
from rooms.webhooks.chores import Chores
from rooms.webhooks.places import Failing, Places
from rooms.webhooks.queue import Batch, Claim, Tried
from rooms.webhooks.resolving import resolve
from rooms.webhooks.sending import READ_SECONDS, Resolve, Rules, Sender

log = logging.getLogger("rooms.webhooks")

P = ParamSpec("P")
T = TypeVar("T")

INTERVAL = 0.25
"""Seconds between two looks for something to tell."""

_BATCH_SECONDS = 2.0
"""After so long what came of the tries is stored."""

_SHARE = 9
"""Times what is worked for it that nothing is sent: so it takes a tenth of a processor at most."""


def start() -> None:
    """Begin to tell what waits."""
    background.repeat("webhooks", Courier().run_once, INTERVAL)
    background.repeat("webhooks_chores", Chores().run_once, INTERVAL)


class Courier:
    """``run_once`` tells everything that is due, and what becomes due meanwhile."""

    def __init__(self, resolve: Resolve = resolve) -> None:
        self._resolve = resolve
        self._failing = Failing()

    def run_once(self) -> None:
        if claimed := queue.claim(Places(failing=self._failing.receivers), seconds=_lease()):
            with ThreadPoolExecutor(1, thread_name_prefix="webhooks_database") as database:
                asyncio.run(_Round(self._resolve, database, self._failing).run(claimed))


def _lease() -> float:
    """Seconds for which a process has a session's events to itself: more than it may take to tell some of them."""
    return float(settings.WEBHOOK_TIMEOUT) + READ_SECONDS + _BATCH_SECONDS + 3


class _Round:
    """From the first event that is due until none is."""

    def __init__(self, resolve: Resolve, database: ThreadPoolExecutor, failing: Failing) -> None:
        self._resolve, self._database, self._failing = resolve, database, failing
        self._pace = _Pace()
        self._running: dict[asyncio.Task[None], Claim] = {}
        networks = settings.WEBHOOK_ALLOWED_NETWORKS
        self._rules = Rules(settings.WEBHOOK_TIMEOUT, settings.WEBHOOK_HTTP, networks)

    async def run(self, claimed: list[Claim]) -> None:
        while True:
            for claim in claimed:
                self._running[asyncio.create_task(self._tell(claim))] = claim
            if not self._running:
                return
            # Not until one is done: what becomes due meanwhile has a place too, if any is free.
            done, _ = await asyncio.wait(self._running, timeout=INTERVAL, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                claim = self._running.pop(task)
                if error := task.exception():
                    background.report(self._tell, error)
            claimed = []
            places = Places((claim.receiver for claim in self._running.values()), self._failing.receivers)
            if not background.is_stopping() and places.free:
                claimed = await self._ask(queue.claim, places, seconds=_lease())

    async def _ask(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What a function that uses the database gives."""

        def run() -> T:
            begun = time.thread_time()
            try:
                with giving_way():
                    return function(*arguments, **named)
            finally:
                release_connection()
                self._pace.elsewhere += time.thread_time() - begun

        return await asyncio.get_running_loop().run_in_executor(self._database, run)

    async def _tell(self, claim: Claim) -> None:
        """Tell a session's events, as long as they are taken."""
        tried: list[Tried] = []
        while not background.is_stopping():
            batch = await self._ask(queue.proceed, claim, tried, seconds=_lease())
            if batch is None:
                return
            tried = await self._send(claim.receiver, batch)
        # What was sent is stored also at the end of the process.
        if await self._ask(queue.proceed, claim, tried, seconds=_lease()):
            await self._ask(queue.give_back, claim)

    async def _send(self, receiver: str, batch: Batch) -> list[Tried]:
        """Try one after the other, up to one that is not taken."""
        tried: list[Tried] = []
        until = time.monotonic() + _BATCH_SECONDS
        async with Sender(*batch.endpoint, self._rules, self._resolve) as sender:
            for waiting in batch.deliveries:
                await self._pace()
                sent = await sender.send(waiting.event_id, waiting.body)
                tried.append(Tried(waiting, sent))
                self._failing.note(receiver, failed=not sent.taken)
                if sent.taken:
                    metrics.WEBHOOKS_DELIVERED.inc()
                else:
                    metrics.WEBHOOK_FAILURES.inc()
                    break
                if time.monotonic() > until or background.is_stopping():
                    break
        return tried


class _Pace:
    """Waits before each try, so that the processor is left to others most of the time.

    ``elsewhere`` are the seconds that the thread for the database has worked.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._worked = time.thread_time()
        self.elsewhere = 0.0

    async def __call__(self) -> None:
        async with self._lock:
            worked = time.thread_time() + self.elsewhere
            pause = (worked - self._worked) * _SHARE
            self._worked = worked
            await asyncio.sleep(pause)
