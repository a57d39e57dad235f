"""The systems that are compared, and how each is started."""

import dataclasses
import sys
from collections.abc import Mapping

from harness import services
from harness.hmsroom import ACCESS_KEY, APP_SECRET, Hmsroom
from harness.places import NODE_MODULES, PEERS, PROJECT, VENV
from harness.processes import Group, free_port
from harness.protocols import Colyseus, PlainJson, Protocol, SocketIo

PYTHON = str(VENV / "bin/python")
BACKLOG = "4096"  # a join burst must not wait for the kernel


@dataclasses.dataclass
class Running:
    """A system that serves."""

    group: Group
    protocol: Protocol


@dataclasses.dataclass(frozen=True)
class Peer:
    """Another chat server: one process, started by a command in which {port} stands for its port."""

    command: tuple[str, ...]
    protocol: type[Protocol]
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def start(self, name: str) -> Running:
        group, port = Group(name), free_port()
        command = [part.format(port=port) for part in self.command]
        try:
            group.start(command, port=port, environment={"PYTHONPATH": str(PEERS), **self.environment})
        except BaseException:
            group.stop()
            raise
        return Running(group, self.protocol([port]))


@dataclasses.dataclass(frozen=True)
class Ours:
    """hmsroom: a SQLite file and the in-memory layer, or several processes with PostgreSQL and Redis."""

    server: str = "uvicorn"
    processes: int = 1
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def start(self, name: str) -> Running:
        group = Group(name)
        try:
            return Running(group, Hmsroom(self._serve(group)))
        except BaseException:
            group.stop()
            raise

    def _serve(self, group: Group) -> list[int]:
        environment = {
            "ACCESS_KEY": ACCESS_KEY,
            "APP_SECRET": APP_SECRET,
            "SECRET_KEY": APP_SECRET,
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATA_DIR": str(group.folder),
            "RATE_LIMIT": "0",
            "CONNECT_RATE": "0",
            **self.settings,
        }
        if self.processes > 1:
            environment |= {"REDIS_URL": services.redis(group), "DATABASE_URL": services.postgres(group)}
        ports = []
        for _ in range(self.processes):
            ports.append(free_port())
            command = [sys.executable, str(PROJECT / "manage.py"), "serve"]
            options = ["--host", "127.0.0.1", "--port", str(ports[-1]), "--server", self.server]
            group.start([*command, *options], port=ports[-1], environment=environment)
        return ports


def _uvicorn(application: str) -> tuple[str, ...]:
    quiet = ("--log-level", "warning", "--loop", "uvloop", "--backlog", BACKLOG)
    return (str(VENV / "bin/uvicorn"), "--host", "127.0.0.1", "--port", "{port}", *quiet, application)


def _daphne(application: str) -> tuple[str, ...]:
    return (str(VENV / "bin/daphne"), "-b", "127.0.0.1", "-p", "{port}", "-v", "0", application)


def _node(script: str) -> tuple[str, ...]:
    return ("node", str(PEERS / script), "{port}")


NODE = {"NODE_ENV": "production", "NODE_PATH": str(NODE_MODULES), "BACKLOG": BACKLOG}
NOT_COALESCED = {"COALESCE_MS": "0"}
LONG_MESSAGES = {"MAX_MESSAGE_CHARS": "20000"}
PLAIN = {"FAST_PATH": "off", **NOT_COALESCED}

SYSTEMS: dict[str, Peer | Ours] = {
    "hmsroom": Ours(),
    "hmsroom-daphne": Ours("daphne"),
    "hmsroom-uncoalesced": Ours(settings=NOT_COALESCED),
    "hmsroom-daphne-uncoalesced": Ours("daphne", settings=NOT_COALESCED),
    "hmsroom-plain": Ours(settings=PLAIN),
    "hmsroom-daphne-plain": Ours("daphne", settings=PLAIN),
    "hmsroom-long": Ours(settings=LONG_MESSAGES),
    "hmsroom-daphne-long": Ours("daphne", settings=LONG_MESSAGES),
    "hmsroom-two": Ours(processes=2),
    "socket.io": Peer(_node("socketio_chat.cjs"), SocketIo, NODE),
    "colyseus": Peer(_node("colyseus_chat.mjs"), Colyseus, NODE),
    "python-socketio": Peer(_uvicorn("python_socketio_chat:application"), SocketIo),
    "picows": Peer((PYTHON, str(PEERS / "picows_chat.py"), "{port}"), PlainJson),
    "tutorial": Peer(_uvicorn("channels_chat:application"), PlainJson),
    "tutorial-daphne": Peer(_daphne("channels_chat:application"), PlainJson),
}
