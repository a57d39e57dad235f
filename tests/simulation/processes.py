"""A server process: an event loop, threads, memory of its own; it can be killed, frozen and started again."""

from typing import TYPE_CHECKING, Any

from rooms.consumers import PeerConsumer
from rooms.delivery import hub
from rooms.process import jobs
from tests.simulation import adapter
from tests.simulation.database import Database
from tests.simulation.loop import Loop
from tests.simulation.server import EPOCH
from tests.simulation.threads import Fiber

if TYPE_CHECKING:
    from tests.simulation.network import Socket
    from tests.simulation.world import World


class Process:
    """See the module. ``up`` is whether it takes sockets."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.dead = self.up = False
        self.frozen_until = 0.0
        self.fibers: list[Fiber] = []
        self.sockets: list[Socket] = []
        scheduler = world.scheduler
        self._offset = scheduler.random.uniform(0, 1e6)
        self.clock_error = scheduler.random.uniform(-30, 30)
        self.loop = Loop(scheduler, self, self.enter, self._offset)
        self.loop.execute = self._execute
        self.layer = world.bells.layer(self)
        self._globals: list[Any] | None = None
        self.loop_database = self.connect()

    def connect(self) -> Database:
        """A connection for one of its threads."""
        return Database(self.world.database, self)

    def monotonic(self) -> float:
        return self.world.scheduler.now + self._offset

    def wall(self) -> float:
        if self.world.embedded:
            return EPOCH + self.world.scheduler.now + self.world.database.clock_offset
        return EPOCH + self.world.scheduler.now + self.clock_error

    def enter(self, database: Database | None = None) -> None:
        """Make this the process that runs."""
        world = self.world
        if world.present is not self:
            leaving, world.present = world.present, self
            if self._globals is None:
                self._globals = adapter.own_globals(self)
            adapter.swap(leaving._globals if leaving else None, self._globals)
        world.holder.default = database or self.loop_database

    # --- Its life

    def start(self) -> None:
        self.enter()
        Fiber(self, self._begin, "main").start()

    def _begin(self) -> None:
        try:
            jobs.start()
        except Exception:
            self.world.scheduler.sometimes("a process cannot start")
            self.world.scheduler.after(0, lambda: self.world.kill(self))
            return
        self.loop.call_soon(self._serve)

    def _serve(self) -> None:
        hub.get()
        self.up = True

    def kill(self) -> None:
        """End it as a signal does that cannot be caught."""
        self.dead, self.up = True, False
        for fiber in list(self.fibers):
            fiber.kill()
        for socket in list(self.sockets):
            socket.cut()

    def freeze(self, seconds: float) -> None:
        # Never sooner than before: what waits already would be overtaken by what comes.
        self.frozen_until = max(self.frozen_until, self.world.scheduler.now + seconds)

    def _execute(self, executor: Any, function: Any, *arguments: Any) -> Any:
        future = self.loop.create_future()
        result = executor.submit(function, *arguments)

        def settle(value: Any, error: Exception | None) -> None:
            if future.done():
                return
            if error:
                future.set_exception(error)
            else:
                future.set_result(value)

        result.told = lambda value, error: self.loop.call_soon_threadsafe(settle, value, error)
        return future

    # --- Sockets

    def accept(self, socket: "Socket") -> None:
        """Run the application for a socket, as a server does."""
        self.sockets.append(socket)
        scope = {"type": "websocket", "path": "/v2/ws", "query_string": socket.query, "headers": []}
        application = PeerConsumer()(scope, socket.receive, socket.send)
        self.loop.call_soon(self._run, socket, application)

    def _run(self, socket: "Socket", application: Any) -> None:
        task = self.loop.create_task(application)
        task.add_done_callback(lambda _: self._done(socket, task))

    def _done(self, socket: "Socket", task: Any) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
        socket.application_ended()
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, OSError):
            raise error
