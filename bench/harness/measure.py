"""Run the contests."""

import dataclasses
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Self

from harness.clients import Clients, JoinTimeout, Row
from harness.plan import Contest
from harness.systems import SYSTEMS


def rounds(contests: Sequence[Contest], *, repetitions: int, seconds: float) -> list[tuple[str, str, Row]]:
    """Measure every contest so many times: (contest, system, row) of each."""
    rows = []
    for repetition in range(repetitions):
        for contest in contests:
            start = time.monotonic()
            # Who comes first has had the machine to itself for a moment longer.
            order = contest.systems[:: -1 if repetition % 2 else 1]
            for system, row in measure(dataclasses.replace(contest, systems=order), seconds):
                print(f"{repetition + 1}/{repetitions} {contest.name:16} {system:27}", shown(row), flush=True)
                rows.append((contest.name, system, row))
            print(f"{repetition + 1}/{repetitions} {contest.name:16} {time.monotonic() - start:.0f} s", flush=True)
    return rows


def measure(contest: Contest, seconds: float) -> Iterator[tuple[str, Row]]:
    """Start the contest's systems, load them in turns, stop them. A system that fails has a row that says so."""
    with ExitStack() as stack, Waiting() as waiting:
        under_way = {}
        for system in contest.systems:
            try:
                running = SYSTEMS[system].start(system)
            except RuntimeError as error:
                yield system, {"failed": str(error)}
                continue
            stack.callback(running.group.stop)
            under_way[system] = contest.scenario(running, seconds)
        while under_way:
            for system, turns in list(under_way.items()):
                waiting.remove(system)
                try:
                    waiting.add(system, next(turns))
                except (StopIteration, JoinTimeout, RuntimeError) as end:
                    del under_way[system]
                    yield system, end.value if isinstance(end, StopIteration) else {"failed": str(end)}


class Waiting:
    """Has the clients of systems that wait for their turn read, for a server closes what does not answer its pings."""

    def __init__(self) -> None:
        self._clients: dict[str, Clients] = {}
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def add(self, system: str, clients: Clients | None) -> None:
        if clients:
            with self._lock:
                self._clients[system] = clients

    def remove(self, system: str) -> None:
        with self._lock:
            self._clients.pop(system, None)

    def _serve(self) -> None:
        while not self._over.wait(1):
            for system in list(self._clients):
                with self._lock:
                    if clients := self._clients.get(system):
                        clients.settle(0.001, 0.1)


def shown(row: Row) -> str:
    """The figures in one line."""
    return " ".join(f"{key}={f'{value:.4g}' if isinstance(value, float) else value}" for key, value in row.items())
