"""Runs operations off the event loop, in sets: while one transaction commits, the next set collects."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence, Set
from functools import partial
from queue import SimpleQueue
from typing import Generic, TypeVar

from django.db import connection

from rooms.observe.background import attempt, release_connection
from rooms.operations.engine import gate
from rooms.operations.engine.calls import Answer, Call
from rooms.wire.errors import HeldUp, InternalError

log = logging.getLogger("rooms.writer")

T = TypeVar("T")

MAX_SET = 256

_PATIENCE = 0.05
"""Seconds that a set waits for a lock that another program or process holds."""

_TURN = 0.2
"""Seconds that a room whose lock is held waits for it before the next such room has its turn."""


class Writer(Generic[T]):
    """The threads that one event loop has its operations run by. With each call goes a note of whoever asks.

    Calls of one room run in the order of submission, and their answers come back in that order: at most one set
    contains calls of a room at any time. A room whose lock somebody else holds waits for it alone, in threads for such
    rooms, and so holds up no other; after gate.LOCK_SECONDS its calls are refused.
    """

    def __init__(self, finished: Callable[[list[tuple[Answer, T]]], None]) -> None:
        self._finished = finished
        self._loop = asyncio.get_running_loop()
        # SQLite takes one writer; on PostgreSQL several rooms can be written at once.
        sqlite = connection.vendor == "sqlite"
        self._free = 1 if sqlite else 4
        # By hand, for an executor takes longer to pass a set on than a small one takes to run.
        self._batches: SimpleQueue[list[tuple[Call, T]] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"writer_{number}", daemon=True) for number in range(self._free)
        ]
        # Rooms that are held up, and until when (monotonic seconds) they wait.
        self._late: SimpleQueue[tuple[list[tuple[Call, T]], float] | None] = SimpleQueue()
        self._threads += [
            threading.Thread(target=self._wait, name=f"writer_late_{number}", daemon=True)
            for number in range(0 if sqlite else 2)
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
                # At the end: the other rooms have their turn first.
                self._waiting[room_id] = waiting[room_left:]
            if len(batch) >= MAX_SET:
                break
        return batch

    def _work(self) -> None:
        while (batch := self._batches.get()) is not None:
            self._run(batch)

    def _run(self, batch: list[tuple[Call, T]]) -> None:
        answered = []
        late: dict[str, list[tuple[Call, T]]] = {}
        for answer, (call, note) in zip(_ask(batch, _PATIENCE), batch, strict=True):
            if isinstance(answer.error, HeldUp):
                late.setdefault(call.caller.room_id, []).append((call, note))
            else:
                answered.append((answer, note))
        for calls in late.values():
            self._late.put((calls, time.monotonic() + gate.LOCK_SECONDS))
        self._tell(partial(self._set_finished, late.keys()), answered)

    def _wait(self) -> None:
        while (item := self._late.get()) is not None:
            batch, until = item
            answers = _ask(batch, _TURN)
            if isinstance(answers[0].error, HeldUp) and time.monotonic() < until and not self._closed:
                self._late.put(item)
            else:
                if isinstance(answers[0].error, HeldUp):
                    context = {"room": batch[0][0].caller.room_id, "calls": len(batch)}
                    log.warning("a room is held up by a lock of another program", extra={"context": context})
                self._tell(self._finish, [(answer, note) for answer, (_, note) in zip(answers, batch, strict=True)])

    def _tell(self, finish: Callable[[list[tuple[Answer, T]]], None], answered: list[tuple[Answer, T]]) -> None:
        try:
            self._loop.call_soon_threadsafe(finish, answered)
        except RuntimeError:
            pass  # the loop was closed meanwhile: nobody is left to be told

    def _set_finished(self, late: Set[str], answered: list[tuple[Answer, T]]) -> None:
        self._free += 1
        self._finish(answered, late)

    def _finish(self, answered: list[tuple[Answer, T]], late: Set[str] = frozenset()) -> None:
        # A room of which some calls wait is busy yet, or later ones would be run before those.
        self._busy -= {answer.call.caller.room_id for answer, _ in answered} - late
        self._finished(answered)
        if self._waiting:
            self._start_soon()

    def close(self) -> None:
        """Let what is under way end; what waits is not run."""
        self._closed = True
        for _ in self._threads:
            # One for each thread of either kind: those that are too many are never taken.
            self._batches.put(None)
            self._late.put(None)
        for thread in self._threads:
            thread.join()


def _ask(batch: Sequence[tuple[Call, object]], patience: float) -> list[Answer]:
    calls = [call for call, _ in batch]
    try:
        answers = gate.run(calls, patience=patience)
    except Exception:
        log.exception("a set could not be run")
        answers = [Answer(call, error=InternalError()) for call in calls]
    attempt(release_connection)
    return answers
