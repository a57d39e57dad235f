"""A simulated world: a database server, processes, a channel layer, clients; and how everything in it is made."""

import sqlite3
from contextlib import ExitStack
from typing import Any

from rooms.operations.metadata.entries import SPOTLIGHT_KEY
from tests.simulation import adapter
from tests.simulation.bells import Bells
from tests.simulation.clients import Client
from tests.simulation.journal import SECRET, Journals
from tests.simulation.processes import Process
from tests.simulation.scheduler import Scheduler, Violation
from tests.simulation.server import Server

ROLES = ("host", "host", "guest", "viewer")


class World:
    """See the module. ``present`` is the process that runs now."""

    keys = ("default", "topic", "slide", SECRET, "mine:1", "mine:2", "deck")
    observed = (*keys, SPOTLIGHT_KEY)

    def __init__(self, seed: str, template: sqlite3.Connection, room_ids: list[str], *, embedded: bool) -> None:
        self.scheduler = Scheduler(seed)
        self.embedded = embedded
        self.database = Server(self.scheduler, template, "sqlite" if embedded else "postgresql")
        self.journals = Journals(self.scheduler, self.database)
        self.bells = Bells(self.scheduler, embedded=embedded)
        self.processes: list[Process] = []
        self.clients: list[Client] = []
        self.present: Process | None = None
        self.holder: Any
        self.listener: Any
        self._started = 0
        self.room_ids = room_ids
        self._installed = ExitStack()

    def __enter__(self) -> "World":
        self.holder = self._installed.enter_context(adapter.installed(self))
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes:
            process.dead = True
        self._installed.close()

    def fill(self, *, processes: int, clients: int) -> None:
        """Let there be processes and clients."""
        for _ in range(processes):
            self.start_process()
        self.processes[0].enter()  # whose clock tokens are signed by
        users: list[str] = []
        for number in range(clients):
            room_id = self.room_ids[number % len(self.room_ids)]
            role = ROLES[number // len(self.room_ids) % len(ROLES)]
            # Somebody, or another tab of the one before in the room.
            is_tab = number >= len(self.room_ids) and self.scheduler.chance(0.5)
            users.append(users[-len(self.room_ids)] if is_tab else f"user{number}")
            token = adapter.token(room_id, role, users[-1])
            keeps_place = self.scheduler.chance(0.7)
            self.clients.append(Client(self, f"c{number}", room_id, token, keeps_place=keeps_place))

    # --- Processes

    def start_process(self) -> None:
        self._started += 1
        process = Process(self, f"p{self._started}")
        self.processes.append(process)
        self.scheduler.note(process.name, "starts")
        process.start()

    def kill(self, process: Process) -> None:
        """Kill a process; another one is started in its place after a while."""
        if process.dead:
            return
        self.scheduler.note(process.name, "is killed")
        self.processes.remove(process)
        self.bells.forget(process)
        process.kill()
        self.scheduler.after(self.scheduler.random.uniform(0.2, 5), self.start_process)

    def choose_process(self) -> Process | None:
        up = [process for process in self.processes if process.up]
        return self.scheduler.random.choice(up) if up else None

    # --- Checks

    def step(self) -> bool:
        """One step, and what must be so after it. Raises Violation."""
        done = self.scheduler.step()
        if found := self.journals.found or getattr(self.listener, "found", None):
            raise found
        return done

    def check_end(self, peer_id: str, session_id: str) -> None:
        # One that the database has forgotten is over, too.
        if session_id not in self.journals.ended and session_id in self.journals.present:
            raise Violation(f"{peer_id} was told of the end of session {session_id}, which has not ended")
