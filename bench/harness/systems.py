"""The systems that are compared, and how each is started."""

import dataclasses
import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import services
from harness.ours import ACCESS_KEY, APP_SECRET, Bare, Hmsroom, WithoutInit
from harness.places import BENCH, NODE, NODE_MODULES, PEERS, PROJECT, VENV
from harness.processes import Group, free_port
from harness.protocols import Colyseus, PlainJson, PollingSocketIo, Protocol, SocketIo, StoringSocketIo

PYTHON = str(VENV / "bin/python")
MANAGE = PROJECT / "manage.py"
COUNTING_MANAGE = BENCH / "counting_manage.py"
MAKE_ROOMS = BENCH / "make_rooms.py"
FILL_MESSAGES = BENCH / "fill_messages.py"
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
    """hmsroom: a SQLite file and the in-memory layer, or processes with PostgreSQL and Redis.

    ``stored`` are messages of earlier sessions that are in the database.
    """

    server: str = "uvicorn"
    processes: int = 1
    clustered: bool = False
    stored: int = 0
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    protocol: type[Hmsroom] = Hmsroom
    webhooks: bool = False
    manage: Path = MANAGE

    def start(self, name: str) -> Running:
        group = Group(name)
        try:
            environment = self._environment(group)
            ports = [self._serve(group, environment) for _ in range(self.processes)]
            if self.stored:
                group.run([sys.executable, str(FILL_MESSAGES), str(self.stored)], environment=environment)
            if self.webhooks:
                command = [sys.executable, str(MANAGE), "webhook", "add", services.receiver(group), "--key", "*"]
                group.run(command, environment=environment)
        except BaseException:
            group.stop()
            raise
        return Running(group, self.protocol(ports, functools.partial(_make_rooms, environment)))

    def _environment(self, group: Group) -> dict[str, str]:
        environment = {
            "DJANGO_SETTINGS_MODULE": "hmsroom.settings",
            "PYTHONPATH": str(PROJECT),
            "ACCESS_KEY": ACCESS_KEY,
            "APP_SECRET": APP_SECRET,
            "SECRET_KEY": APP_SECRET,
            "DATA_DIR": str(group.folder),
            "RATE_LIMIT": "0",
            "CONNECT_RATE": "0",
            **self.settings,
        }
        if self.clustered:
            environment |= {"REDIS_URL": services.redis(group), "DATABASE_URL": services.postgres(group)}
        return environment

    def _serve(self, group: Group, environment: Mapping[str, str]) -> int:
        port = free_port()
        command = [sys.executable, str(self.manage), "serve", "--port", str(port), "--server", self.server]
        group.start(command, port=port, environment=environment)
        return port


def _make_rooms(environment: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Ids by name."""
    command = [sys.executable, str(MAKE_ROOMS), *names]
    made = subprocess.run(command, env={**os.environ, **environment}, check=True, stdout=subprocess.PIPE)
    ids: dict[str, str] = json.loads(made.stdout)
    return ids


def _uvicorn(application: str) -> tuple[str, ...]:
    quiet = ("--log-level", "warning", "--loop", "uvloop", "--backlog", BACKLOG)
    return (str(VENV / "bin/uvicorn"), "--host", "127.0.0.1", "--port", "{port}", *quiet, application)


def _daphne(application: str) -> tuple[str, ...]:
    return (str(VENV / "bin/daphne"), "-b", "127.0.0.1", "-p", "{port}", "-v", "0", application)


def _node(script: str, *more: str) -> tuple[str, ...]:
    return (str(NODE), str(PEERS / script), "{port}", *more)


IN_NODE = {"NODE_ENV": "production", "NODE_PATH": str(NODE_MODULES), "BACKLOG": BACKLOG}
NOT_COALESCED = {"COALESCE_MS": "0"}
LONG_MESSAGES = {"MAX_MESSAGE_CHARS": "20000"}
MANY_PEERS = {"MAX_ROOM_PEERS": "20000"}
TO_LOOPBACK = {"WEBHOOK_HTTP": "1", "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
WITHOUT_HISTORY = {"KEPT_MESSAGES": "0"}
# Both sides keep 50 messages of a room, and for a second more.
PRUNING = {"KEPT_MESSAGES": "50", "CLIENT_ID_SECONDS": "1", "JOURNAL_SECONDS": "1", "JOURNAL_EVENTS": "50"}
IN_NODE_PRUNING = {**IN_NODE, "KEPT": "50", "YOUNG": "1000"}
PLAIN = {"FAST_PATH": "off", **NOT_COALESCED}

SYSTEMS: dict[str, Peer | Ours] = {
    "hmsroom": Ours(),
    "hmsroom-daphne": Ours("daphne"),
    "hmsroom-bare": Ours(protocol=Bare),
    "hmsroom-without-init": Ours(protocol=WithoutInit),
    "hmsroom-counting": Ours(manage=COUNTING_MANAGE),
    "hmsroom-uncoalesced": Ours(settings=NOT_COALESCED),
    "hmsroom-daphne-uncoalesced": Ours("daphne", settings=NOT_COALESCED),
    "hmsroom-plain": Ours(settings=PLAIN),
    "hmsroom-daphne-plain": Ours("daphne", settings=PLAIN),
    "hmsroom-long": Ours(settings=LONG_MESSAGES),
    "hmsroom-daphne-long": Ours("daphne", settings=LONG_MESSAGES),
    "hmsroom-many-peers": Ours(settings=MANY_PEERS),
    "hmsroom-daphne-many-peers": Ours("daphne", settings=MANY_PEERS),
    "hmsroom-webhooks": Ours(settings=TO_LOOPBACK, webhooks=True),
    "hmsroom-without-history": Ours(settings=WITHOUT_HISTORY),
    "hmsroom-pruning": Ours(settings=PRUNING),
    "hmsroom-million-stored": Ours(stored=1_000_000),
    "hmsroom-clustered": Ours(clustered=True),
    "hmsroom-two": Ours(processes=2, clustered=True),
    "hmsroom-four": Ours(processes=4, clustered=True),
    "socket.io": Peer(_node("socketio_chat.cjs"), SocketIo, IN_NODE),
    "socket.io-polling": Peer(_node("socketio_chat.cjs"), PollingSocketIo, IN_NODE),
    "storing-socket.io": Peer(_node("socketio_storing_chat.cjs", "sets"), StoringSocketIo, IN_NODE),
    "storing-socket.io-pruning": Peer(_node("socketio_storing_chat.cjs", "sets"), StoringSocketIo, IN_NODE_PRUNING),
    "storing-each-socket.io": Peer(_node("socketio_storing_chat.cjs", "each"), StoringSocketIo, IN_NODE),
    "colyseus": Peer(_node("colyseus_chat.mjs"), Colyseus, IN_NODE),
    "python-socketio": Peer(_uvicorn("python_socketio_chat:application"), SocketIo),
    "picows": Peer((PYTHON, str(PEERS / "picows_chat.py"), "{port}"), PlainJson),
    "tutorial": Peer(_uvicorn("channels_chat:application"), PlainJson),
    "tutorial-daphne": Peer(_daphne("channels_chat:application"), PlainJson),
}
