"""The peers of one system, held by the load generator."""

import ctypes
import dataclasses
import gc
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from types import TracebackType
from typing import Self

from harness.generator import NANOSECONDS, Plan, Result, library
from harness.places import HOST
from harness.processes import cpu_seconds, own_cpu_seconds
from harness.protocols import Frame
from harness.systems import Running

MILLISECOND = 1e6
LATE = 250  # ms
Row = Mapping[str, float | str | None]
"""The figures of one run of a scenario."""

Turns = Generator["Clients | None", None, Row]
"""A scenario under way: gives the clients that are to be served while they wait for their turn."""


class JoinTimeout(Exception):
    """Not all peers were in their rooms in time."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """One run. Latencies are milliseconds, from the time a message was due; cpu is the server's, in seconds.

    A sender's own copy of its message counts as a delivery, whether the server echoes it or acknowledges it instead.
    """

    sent: int
    received: int
    acked: int
    loss: float
    deliveries_per_second: float
    cpu: float
    server_share: float
    generator_share: float
    dead: int
    p50: float
    p95: float
    p99: float
    max: float
    ack_p50: float
    ack_p99: float
    full_p50: float
    full_p99: float
    bytes_per_delivery: float

    @property
    def per_cpu_second(self) -> float:
        """Deliveries per second of server CPU: what the machine does beside hardly moves it."""
        return (self.received + self.acked) / self.cpu if self.cpu else 0.0

    @property
    def holds(self) -> bool:
        """The server keeps up: nothing lost, nobody closed, nothing late; where it acknowledges, so are these."""
        in_time = self.p99 <= LATE and self.ack_p99 <= LATE
        return self.loss == 0 and self.acked in (0, self.sent) and not self.dead and in_time


class Clients:
    """So many peers, each in the room that `room_of` gives for its index.

    Where their coming is measured, `asking`, each asks over HTTP what its system's client asks before its socket opens.
    """

    def __init__(self, running: Running, count: int, room_of: Callable[[int], str], *, asking: bool = False) -> None:
        self.running, self.protocol, self.room_of, self.asking = running, running.protocol, room_of, asking
        self.count, self._added, self._opened = count, 0, 0
        self._lib = library()
        self._handle = self._lib.wl_new(count, HOST.encode())
        if ping := self.protocol.application_ping:
            self._lib.wl_application_ping(self._handle, ping[0], len(ping[0]), ping[1], len(ping[1]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lib.wl_free(self._handle)

    def open(self, count: int | None = None, *, observing: Sequence[str] = (), concurrency: int = 32) -> float:
        """Join the next so many peers (all that are left); seconds. Raises JoinTimeout."""
        prepared = self.add(count, observing=observing)
        first, self._opened = self._opened, count or self.count
        patience = max(90, (self._opened - first) // 40)
        taken: int = self._lib.wl_open(self._handle, first, self._opened, concurrency, patience * NANOSECONDS)
        if taken < 0 or self.dead:
            raise JoinTimeout(f"{self.dead} peers refused" if self.dead else "joining took too long")
        return prepared + taken / NANOSECONDS

    def add(self, count: int | None = None, *, observing: Sequence[str] = ()) -> float:
        """Get ready what the next peers will say, their tokens too; the seconds of it that count as joining."""
        peers = [(index, self.room_of(index)) for index in range(self._added, count or self.count)]
        self._added += len(peers)
        prepared = self.protocol.prepare(peers) if peers else 0.0
        for index, room in peers:
            self._add(index, room, observing)
        return prepared

    def _add(self, index: int, room: str, observing: Sequence[str]) -> None:
        asks = self.protocol.asks(index, room) if self.asking else []
        upgrade = self.protocol.upgrade(index, room)
        steps = self.protocol.join(index, room, observing=observing)
        port = self.protocol.port(index)
        peer = self._lib.wl_add(self._handle, port, upgrade, len(upgrade), len(asks), len(steps))
        for request in asks:
            self._lib.wl_ask(self._handle, peer, request, len(request))
        for step in steps:
            sent, answer = step.frame.payload, step.answer
            self._lib.wl_step(self._handle, peer, step.frame.opcode, sent, len(sent), answer, len(answer))

    def await_sightings(self, wanted: int, seconds: float) -> float:
        """Wait until peers have learned of each other so often; how many seconds ago the last did."""
        self._lib.wl_await_sightings(self._handle, wanted, int(seconds * NANOSECONDS))
        ago: int = self._lib.wl_now() - self._lib.wl_last_sighting(self._handle)
        return ago / NANOSECONDS

    def settle(self, idle: float = 0.3, most: float = 5) -> None:
        """Read until nothing has come for a while."""
        self._lib.wl_drain(self._handle, int(idle * NANOSECONDS), int(most * NANOSECONDS))

    def poll_lazily(self, seconds: float) -> None:
        """Read each socket at most once in so long; latencies carry up to that much of it."""
        self._lib.wl_lazy(self._handle, int(seconds * NANOSECONDS))

    def look_for(self, text: str) -> None:
        """Count the frames that hold this text from now on, and keep each peer's last one."""
        self._lib.wl_look_for(self._handle, text.encode(), len(text.encode()))

    def kept(self) -> dict[str, list[str]]:
        """The frames that were kept, by room."""
        frames: dict[str, list[str]] = {}
        for index in range(self.count):
            if frame := self._lib.wl_kept(self._handle, index):
                frames.setdefault(self.room_of(index), []).append(frame.decode())
        return frames

    def send_each(self, senders: Sequence[int], frames: Sequence[Frame]) -> None:
        """Send one frame from each of the senders, at once; what comes of it is counted from then on."""
        self._set_senders(senders, frames)
        self._lib.wl_send_all(self._handle)

    def await_news(self, *, messages: int, sightings: int, seconds: float) -> float:
        """Read until peers have received so many messages and learned of each other so often; when the last did."""
        deadline = time.monotonic() + seconds
        while (self.messages < messages or self.sightings < sightings) and time.monotonic() < deadline:
            self.settle(0.005, 0.02)
        self.settle(0.5)
        return float(self._lib.wl_last_news(self._handle)) / NANOSECONDS

    def pause(self, index: int) -> None:
        """Stop reading one peer's socket."""
        self._lib.wl_pause(self._handle, index)

    def order(self, index: int) -> int:
        """A hash of the last run's messages in the order in which one peer received them."""
        return int(self._lib.wl_order(self._handle, index))

    @property
    def found(self) -> int:
        """The frames that held the text that is looked for."""
        return int(self._lib.wl_found(self._handle))

    @property
    def messages(self) -> int:
        """Those received since the last run began, or frames were sent."""
        return int(self._lib.wl_messages(self._handle))

    @property
    def sightings(self) -> int:
        return int(self._lib.wl_sightings(self._handle))

    @property
    def frames(self) -> int:
        return int(self._lib.wl_frames(self._handle))

    @property
    def dead(self) -> int:
        return int(self._lib.wl_dead(self._handle))

    def chat(
        self,
        senders: Sequence[int],
        *,
        seconds: float,
        fan_out: int,
        rate: float = 0,
        window: int = 8,
        padding: int = 0,
        drain: float = 3,
    ) -> Measured:
        """Send messages in turn, at a rate or, if 0, keeping `window` of them under way; each reaches fan_out peers."""
        frames = [self.protocol.message(index, self.room_of(index), padding=padding) for index in senders]
        plan = _plan("B", seconds, drain, rate=rate, window=window, fan_out=fan_out)
        return self._run(senders, frames, plan)

    def change_metadata(self, senders: Sequence[int], *, seconds: float, rate: float) -> Measured:
        """Set one metadata key in turn; full_p50 is the time until every peer has the value or a newer one."""
        frames = [self.protocol.metadata(index, self.room_of(index)) for index in senders]
        plan = _plan("M", seconds, 1, rate=rate, fan_out=self.count, audience=self.count)
        return self._run(senders, frames, plan)

    def update_metadata(self, updates: Sequence[tuple[int, Frame]], *, seconds: float, rate: float) -> Measured:
        """The same, of these updates of several keys at once, each by its sender."""
        senders, frames = zip(*updates, strict=True)
        plan = _plan("M", seconds, 1, rate=rate, fan_out=self.count, audience=self.count)
        return self._run(senders, frames, plan)

    def ping(self, ping: Frame, *, seconds: float, every: float) -> Measured:
        """Everybody asks, every so many seconds, whether the server is there."""
        plan = _plan("B", seconds, 1, rate=self.count / every, fan_out=0)
        return self._run(range(self.count), [ping] * self.count, plan)

    def _set_senders(self, senders: Sequence[int], frames: Sequence[Frame]) -> None:
        self._lib.wl_clear_senders(self._handle)
        for index, frame in zip(senders, frames, strict=True):
            self._lib.wl_sender(self._handle, index, frame.opcode, frame.payload, len(frame.payload))

    def _run(self, senders: Sequence[int], frames: Sequence[Frame], plan: Plan) -> Measured:
        self._set_senders(senders, frames)
        result, pids = Result(), self.running.group.pids()
        before, own, start = cpu_seconds(pids), own_cpu_seconds(), time.perf_counter()
        gc.disable()
        self._lib.wl_run(self._handle, ctypes.byref(plan), ctypes.byref(result))
        gc.enable()
        elapsed = time.perf_counter() - start
        return _measured(result, plan.fan_out, cpu_seconds(pids) - before, own_cpu_seconds() - own, elapsed)


def _plan(
    kind: str, seconds: float, drain: float, *, rate: float, fan_out: int, window: int = 0, audience: int = 0
) -> Plan:
    times = [int(value * NANOSECONDS) for value in (seconds, drain, seconds + 6)]
    return Plan(ord(kind), window, rate, fan_out, *times, audience)


def _measured(result: Result, fan_out: float, cpu: float, own_cpu: float, elapsed: float) -> Measured:
    wanted = result.sent * fan_out
    span = max(result.last_receive - result.first_send, 1) / NANOSECONDS
    latencies = ("p50", "p95", "p99", "max", "ack_p50", "ack_p99", "full_p50", "full_p99")
    return Measured(
        sent=result.sent,
        received=result.received,
        acked=result.acked,
        loss=round(1 - result.received / wanted, 6) if wanted else 0.0,
        deliveries_per_second=(result.received + result.acked) / span,
        cpu=cpu,
        server_share=cpu / elapsed,
        generator_share=own_cpu / elapsed,
        dead=result.dead,
        bytes_per_delivery=result.bytes / max(result.received, 1),
        **{name: getattr(result, name) / MILLISECOND for name in latencies},
    )
