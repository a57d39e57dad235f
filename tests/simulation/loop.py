"""The event loop of a simulated process: asyncio's own tasks and futures, on virtual time.

Callbacks run in the order in which they were asked for, as on any event loop; what the seed decides is what happens
on other loops, in threads and on the network between any two of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from tests.simulation.scheduler import Due, Owner, Scheduler, Violation

_TURN = 0.00005
"""Seconds that a callback takes, about."""


class Timer(asyncio.TimerHandle):
    __slots__ = ("due",)
    due: Due


_Base: Any = asyncio.AbstractEventLoop  # of which most is not needed


class Loop(_Base):
    """See the module. ``entered`` is called before each callback; ``offset`` is what its clock began at."""

    def __init__(self, scheduler: Scheduler, owner: Owner, entered: Callable[[], None], offset: float) -> None:
        self._scheduler = scheduler
        self._owner = owner
        self._entered = entered
        self._offset = offset
        self._ready: deque[asyncio.Handle] = deque()
        self._turning = False
        self.execute: Callable[..., asyncio.Future[Any]]

    def time(self) -> float:
        return self._scheduler.now + self._offset

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._put(handle)
        return handle

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        timer = Timer(when, callback, args, self, context)
        moment = max(when - self._offset, self._scheduler.now)
        timer.due = self._scheduler.at(moment, lambda: self._put(timer), self._owner)
        return timer

    def _timer_handle_cancelled(self, handle: Timer) -> None:
        handle.due.cancel()

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, **options)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        return self.execute(executor, func, *args)

    def _put(self, handle: asyncio.Handle) -> None:
        if self._owner.dead:
            return
        self._ready.append(handle)
        if not self._turning:
            self._turn_soon()

    def _turn_soon(self) -> None:
        self._turning = True
        scheduler = self._scheduler
        scheduler.at(scheduler.now + scheduler.random.random() * _TURN, self._turn, self._owner)

    def _turn(self) -> None:
        handle = self._ready.popleft()
        if not handle.cancelled():
            self._entered()
            asyncio._set_running_loop(self)
            try:
                handle._run()
            finally:
                asyncio._set_running_loop(None)
        self._turning = False
        if self._ready and not self._owner.dead:
            self._turn_soon()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self._owner.dead:
            error = context.get("exception")
            raise Violation(f"an event loop was left an error: {context['message']}: {error!r}") from error

    def get_debug(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return self._owner.dead

    def is_running(self) -> bool:
        return not self._owner.dead
