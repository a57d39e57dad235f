"""Everything that the simulation knows of the server's insides: what it replaces there, and what each process has."""

import logging
import random
import secrets
import sys
import time
import uuid
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import django.db
from django.test.utils import override_settings

from rooms.access import tokens
from rooms.delivery import doorbell, feed, hub, order, roster, writer
from rooms.observe import background
from rooms.operations.engine import clock, memory, repetitions, work
from rooms.process import jobs, lease
from rooms.wire.errors import HeldUp
from tests.simulation import threads
from tests.simulation.scheduler import Violation

GLOBALS: dict[tuple[ModuleType, str], Callable[[Any], Any]] = {
    (memory, "_remembered"): lambda process: OrderedDict(),
    (repetitions, "_remembered"): lambda process: OrderedDict(),
    (hub, "_hub"): lambda process: None,
    (lease, "OWN"): lambda process: lease.Lease(),
    (background, "_stopped"): lambda process: threads.Event(),
    (background, "_tasks"): lambda process: set(),
    (clock, "seconds"): lambda process: clock.Clock(process.wall, process.monotonic).seconds,
}
"""Module variables of which each process has its own, and how they are made."""

SETTINGS = {
    "RATE_LIMIT": 0,
    "FAST_PATH": False,
    "PEER_GRACE": 8,
    "LEASE_TTL": 3,
    "HEARTBEAT_INTERVAL": 1,
    "REAPER_INTERVAL": 0.5,
    "POSITION_CHECK_INTERVAL": 1.0,
    "JOURNAL_EVENTS": 40,
    "JOURNAL_SECONDS": 3,
    "CLIENT_ID_SECONDS": 60,
    "KEPT_MESSAGES": 20,
    "MAX_UNSENT_SECONDS": 4,
    "SESSION_LINGER": 0,
}


WATCHED = {
    (feed.Feed, "_read"): "a gap is repaired",
    (order.Order, "look"): "patience is lost",
    (feed.Feed, "lose_place"): "a place is lost",
    (HeldUp, "__init__"): "an answer is that a room is held up",
    (lease.Lease, "_come_back"): "a process was declared dead",
    (lease.Lease, "_hold_back"): "a process holds back",
}
"""Rare branches that a run is to reach, and what their being reached is counted as."""


class Clockwork:
    """In place of the module time."""

    def __init__(self, present: Callable[[], Any]) -> None:
        self._present = present

    def time(self) -> float:
        moment: float = self._present().wall()
        return moment

    def monotonic(self) -> float:
        moment: float = self._present().monotonic()
        return moment

    perf_counter = monotonic


class Chance:
    """In place of the modules that draw by chance."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self.getrandbits = source.getrandbits
        self.choice = source.choice
        self.random = source.random

    def token_hex(self, size: int = 32) -> str:
        return f"{self._source.getrandbits(8 * size):0{2 * size}x}"

    def urandom(self, size: int) -> bytes:
        return self._source.randbytes(size)

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(int=self._source.getrandbits(128), version=4)


class Listener(logging.Handler):
    """Takes what the server logs of bugs for what it is, unless the simulation itself was the cause."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or isinstance(error, Violation) or "injected" in str(error):
            return
        self.found = Violation(f"the server logged a bug: {record.getMessage()}: {error!r}")
        self.found.__cause__ = error


def token(room_id: str, role: str, user: str) -> str:
    return tokens.sign(room_id, role, user, lifetime=1e10)[0]


def own_globals(process: Any) -> list[Any]:
    return [make(process) for make in GLOBALS.values()]


def swap(leaving: list[Any] | None, entering: list[Any]) -> None:
    """Let the module variables be those of another process."""
    for place, (module, name) in enumerate(GLOBALS):
        if leaving is not None:
            leaving[place] = getattr(module, name)
        setattr(module, name, entering[place])
    vars(jobs)["OWN"] = lease.OWN


@contextmanager
def installed(world: Any) -> Iterator[SimpleNamespace]:
    """The server's modules as the simulation needs them. Yields the holder of the connection in use."""
    world.listener = Listener(logging.ERROR)
    chance, clockwork = Chance(world.scheduler.random), Clockwork(lambda: world.present)
    holder = SimpleNamespace(default=None)
    with ExitStack() as stack:
        stack.enter_context(override_settings(EMBEDDED=world.embedded, **SETTINGS))
        stack.enter_context(mock.patch.object(django.db.connections, "_connections", holder))
        for patch in (*_standard(chance, clockwork), *_threads(threads.Threads(lambda: world.present)), *_own(world)):
            stack.enter_context(patch)
        for module, name in GLOBALS:
            stack.enter_context(mock.patch.object(module, name, getattr(module, name)))
        stack.enter_context(mock.patch.object(jobs, "OWN", lease.OWN))
        stack.enter_context(_logged_to(world.listener))
        yield holder


@contextmanager
def _logged_to(listener: logging.Handler) -> Iterator[None]:
    logger = logging.getLogger("rooms")
    before = logger.level, logger.propagate
    logger.addHandler(listener)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    yield
    logger.removeHandler(listener)
    logger.setLevel(before[0])
    logger.propagate = before[1]


def _standard(chance: Chance, clockwork: Clockwork) -> Iterator[Any]:
    replaced = {
        "time": (time, clockwork),
        "secrets": (secrets, chance),
        "random": (random, chance),
        "uuid": (uuid, chance),
    }
    for module_name, module in list(sys.modules.items()):
        if not module_name.startswith("rooms."):
            continue
        for name, (real, own) in replaced.items():
            if getattr(module, name, None) is real:
                yield mock.patch.object(module, name, own)


def _threads(started: threads.Threads) -> Iterator[Any]:
    yield mock.patch.object(writer, "threading", started.module)
    yield mock.patch.object(background, "threading", started.module)
    yield mock.patch.object(writer, "SimpleQueue", threads.SimpleQueue)
    yield mock.patch.object(hub, "ThreadPoolExecutor", started.executor)
    yield mock.patch.object(jobs, "ThreadPoolExecutor", started.executor)


def _own(world: Any) -> Iterator[Any]:
    yield mock.patch.object(work, "os", Chance(world.scheduler.random))
    yield mock.patch.object(doorbell, "get_channel_layer", lambda name: world.present.layer)  # noqa: PT008
    yield mock.patch.object(order.Order, "arrive", _arriving(world))
    for (kind, name), what in WATCHED.items():
        yield mock.patch.object(kind, name, _counted(world, getattr(kind, name), what))
    # Sets of these are walked through; addresses differ from run to run.
    yield mock.patch.object(feed.Feed, "__hash__", lambda feed: zlib.crc32(feed.room_id.encode()))
    yield mock.patch.object(roster.Member, "__hash__", lambda member: zlib.crc32(member.conn_id.encode()))


def _counted(world: Any, method: Callable[..., Any], what: str) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        world.scheduler.sometimes(what)
        return method(*arguments, **named)

    return counted


def _arriving(world: Any) -> Callable[..., Any]:
    arrive = order.Order.arrive

    def arriving(place: order.Order, news: order.Arrival) -> None:
        if news.done is None and news.session_id != place.session_id and place.in_flight:
            world.scheduler.sometimes("early news")
        arrive(place, news)

    return arriving
