"""Threads of simulated processes: they take turns where the seed says, and only where they would wait.

Each is a greenlet, so that the server's blocking code runs as it is. What it does between two waits, for a statement of
the database, a queue, a lock, is one step.
"""

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from greenlet import GreenletExit, getcurrent, greenlet

if TYPE_CHECKING:
    from tests.simulation.processes import Process

_SWITCH = 0.0002
"""Seconds until a thread that may go on does."""


class Fiber:
    """A thread. ``database`` is its connection."""

    def __init__(self, process: "Process", target: Callable[[], object], name: str) -> None:
        self.process = process
        self.name = name
        self.scheduler = process.world.scheduler
        self.database = process.connect()
        self._greenlet = greenlet(self._run)
        self._greenlet.fiber = self
        self._target = target
        self.ended = False

    def start(self) -> None:
        self.process.fibers.append(self)
        self.wake(_SWITCH)

    def _run(self) -> None:
        try:
            self._target()
        except GreenletExit:
            pass
        finally:
            self.ended = True

    def wake(self, usual: float = _SWITCH) -> Any:
        """Let it go on after about so many seconds."""
        return self.scheduler.after(self.scheduler.delay(usual), self.resume, self.process)

    def resume(self) -> None:
        self.process.enter(self.database)
        self._greenlet.parent = getcurrent()
        self._greenlet.switch()
        if self.ended and self in self.process.fibers:
            self.process.fibers.remove(self)

    def kill(self) -> None:
        """End it where it stands, as the end of its process does."""
        if self._greenlet and not self.ended:
            self.process.enter(self.database)
            self._greenlet.parent = getcurrent()
            self._greenlet.throw(GreenletExit)

    def wait(self) -> None:
        """Let others go on, until somebody resumes this one."""
        if self.process.dead:
            raise GreenletExit
        self._greenlet.parent.switch()

    def pause(self, usual: float) -> None:
        """Let others go on for about so many seconds."""
        if self.process.dead:
            raise GreenletExit
        self.wake(usual)
        self._greenlet.parent.switch()

    def sleep(self, seconds: float) -> None:
        self.scheduler.after(seconds, self.resume, self.process)
        self.wait()


def current() -> Fiber | None:
    """The thread that runs now; None for an event loop's own."""
    return getattr(getcurrent(), "fiber", None)


def own() -> Fiber:
    fiber = current()
    assert fiber, "only a thread may wait"
    return fiber


class SimpleQueue:
    """In place of queue.SimpleQueue."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._waiting: deque[Fiber] = deque()

    @classmethod
    def __class_getitem__(cls, item: Any) -> type["SimpleQueue"]:
        return cls

    def put(self, item: Any) -> None:
        self._items.append(item)
        if self._waiting:
            self._waiting.popleft().wake()

    def get(self) -> Any:
        while not self._items:
            self._waiting.append(own())
            own().wait()
        return self._items.popleft()


class Event:
    """In place of threading.Event, of which only a wait with a time-out is used."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float) -> bool:
        if not self._set:
            own().sleep(timeout)
        return self._set


class Threads:
    """In place of the modules that start threads, for the process that runs now."""

    def __init__(self, present: Callable[[], "Process"]) -> None:
        self._present = present
        self.module = SimpleNamespace(Thread=self._thread, Event=Event)

    def _thread(self, *, target: Callable[[], object], name: str = "", daemon: bool = True) -> "Thread":
        return Thread(Fiber(self._present(), target, name))

    def executor(self, number: int = 1, thread_name_prefix: str = "executor") -> "Executor":
        return Executor(self._present(), number, thread_name_prefix)


class Thread:
    """In place of threading.Thread."""

    def __init__(self, fiber: Fiber) -> None:
        self._fiber = fiber
        self.start = fiber.start

    def join(self) -> None:
        while not self._fiber.ended:
            own().sleep(0.01)


class Executor:
    """In place of ThreadPoolExecutor."""

    def __init__(self, process: "Process", number: int, name: str) -> None:
        self._queue = SimpleQueue()
        self._fibers = [Fiber(process, self._work, f"{name}_{place}") for place in range(number)]
        for fiber in self._fibers:
            fiber.start()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Result":
        result = Result()
        self._queue.put(lambda: result.run(function, arguments))
        return result

    def shutdown(self, wait: bool = True) -> None:
        for _ in self._fibers:
            self._queue.put(None)

    def __enter__(self) -> "Executor":
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()


class Result:
    """In place of concurrent.futures.Future; ``told`` is called when it is there."""

    def __init__(self) -> None:
        self._waiting: list[Fiber] = []
        self._done = False
        self._value: Any = None
        self._error: Exception | None = None
        self.told: Callable[[Any, Exception | None], None] | None = None

    def run(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            self._value = function(*arguments)
        except Exception as error:
            self._error = error
        self._done = True
        for fiber in self._waiting:
            fiber.wake()
        if self.told:
            self.told(self._value, self._error)

    def result(self) -> Any:
        while not self._done:
            self._waiting.append(own())
            own().wait()
        if self._error:
            raise self._error
        return self._value
