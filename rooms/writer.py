"""Runs operations off the event loop, in sets: while one transaction commits, the next set collects."""

import asyncio
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from django.db import close_old_connections, connection

from rooms.operations import gate
from rooms.operations.calls import Answer, Call

log = logging.getLogger("rooms.writer")

T = TypeVar("T")

MAX_SET = 256


class Writer(Generic[T]):
    """The threads that one event loop has its operations run by. With each call goes a note of whoever asks.

    Calls of one room run in the order of submission, and their answers come back in that order: at most one set
    contains calls of a room at any time.
    """

    def __init__(self, finished: Callable[[list[tuple[Answer, T]]], None]) -> None:
        self._finished = finished
        self._loop = asyncio.get_running_loop()
        # SQLite takes one writer; on PostgreSQL several rooms can be written at once.
        self._free = 1 if connection.vendor == "sqlite" else 4
        # By hand, for an executor takes longer to pass a set on than a small one takes to run.
        self._batches: SimpleQueue[list[tuple[Call, T]] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"writer_{number}", daemon=True) for number in range(self._free)
        ]
        for thread in self._threads:
            thread.start()
        self._waiting: dict[str, list[tuple[Call, T]]] = {}
        self._busy: set[str] = set()
        self._closed = False
        self._starting = False

    def submit(self, call: Call, note: T) -> None:
        """Have a call run; ``finished`` gets its answer with the note, on the event loop."""
        self._waiting.setdefault(call.caller.room_id, []).append((call, note))
        self._start_soon()

    def _start_soon(self) -> None:
        # Not at once: what the event loop reads in the same turn goes into the same set.
        if self._free and not self._starting:
            self._starting = True
            self._loop.call_soon(self._start)

    @property
    def idle(self) -> bool:
        """Whether every call was run."""
        return not (self._waiting or self._busy)

    def _start(self) -> None:
        self._starting = False
        while self._free and not self._closed and (batch := self._collect()):
            self._free -= 1
            self._batches.put(batch)

    def _collect(self) -> list[tuple[Call, T]]:
        batch: list[tuple[Call, T]] = []
        for room_id in [room_id for room_id in self._waiting if room_id not in self._busy]:
            waiting = self._waiting.pop(room_id)
            room_left = MAX_SET - len(batch)
            batch += waiting[:room_left]
            self._busy.add(room_id)
            if len(waiting) > room_left:
                self._waiting[room_id] = waiting[room_left:]
            if len(batch) >= MAX_SET:
                break
        return batch

    def _work(self) -> None:
        while (batch := self._batches.get()) is not None:
            self._run(batch)

    def _run(self, batch: list[tuple[Call, T]]) -> None:
        answers = gate.run([call for call, _ in batch])
        try:
            release_connection()
        except Exception:
            log.exception("a connection could not be released")
        answered = [(answer, note) for answer, (_, note) in zip(answers, batch, strict=True)]
        try:
            self._loop.call_soon_threadsafe(self._finish, answered)
        except RuntimeError:
            pass  # the loop was closed meanwhile: nobody is left to be told

    def _finish(self, answered: list[tuple[Answer, T]]) -> None:
        self._free += 1
        self._busy.difference_update(answer.call.caller.room_id for answer, _ in answered)
        self._finished(answered)
        if self._waiting:
            self._start_soon()

    def close(self) -> None:
        """Let what is under way end; what waits is not run."""
        self._closed = True
        for _ in self._threads:
            self._batches.put(None)
        for thread in self._threads:
            thread.join()


def release_connection() -> None:
    """Give this thread's connection back to PostgreSQL's pool; keep SQLite's, which is slow to open."""
    if connection.vendor == "sqlite" and not connection.errors_occurred:
        return
    close_old_connections()
    if connection.errors_occurred:
        connection.close()
