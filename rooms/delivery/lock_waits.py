"""Requests of one socket for locks that others hold: answered once the lock is granted, or waited for long enough."""

import json
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable, Mapping
from typing import Any

from rooms.operations.engine.calls import Answer
from rooms.wire.errors import LockConflict, NotJoined, RoomError, Unavailable
from rooms.wire.events import Numbered
from rooms.wire.frames import Request
from rooms.wire.results import Waiting

Then = Callable[[Answer], object]

_AGAIN = 1.0
"""Seconds after which a room that could not be asked is asked again."""


class LockWaits:
    """By the name of the lock, one request each.

    ``stop`` gives up waiting in the room, and calls with the answer to that.
    """

    __slots__ = ("_loop", "_refuse", "_respond", "_stop", "_waiting")

    def __init__(
        self,
        loop: AbstractEventLoop,
        stop: Callable[[Waiting, Then], object],
        respond: Callable[[Request, Mapping[str, Any]], object],
        refuse: Callable[[Request, RoomError], object],
    ) -> None:
        self._loop, self._stop, self._respond, self._refuse = loop, stop, respond, refuse
        self._waiting: dict[str, tuple[Request, TimerHandle]] = {}

    def wait(self, request: Request, wait: Waiting, lock: Mapping[str, Any]) -> None:
        """Answer a request later. ``lock`` is how the lock stands."""
        if before := self._over(wait.name):
            stands = {field: value for field, value in lock.items() if field != "seq"}
            self._refuse(before, LockConflict("name: the lock was asked for again", data=stands))
        timer = self._loop.call_later(wait.seconds, self._stop_waiting, wait, request)
        self._waiting[wait.name] = request, timer

    def granted(self, event: Numbered) -> None:
        change = json.loads(event.body)
        if request := self._over(change["name"]):
            del change["reason"]
            self._respond(request, {"seq": event.seq, **change})

    def give_up(self) -> None:
        """The peer has left."""
        for name in list(self._waiting):
            if request := self._over(name):
                self._refuse(request, NotJoined("not joined"))

    def cancel(self) -> None:
        """Nobody is there to be answered."""
        for _, timer in self._waiting.values():
            timer.cancel()

    def _over(self, name: str) -> Request | None:
        """The request that waits for a lock, which is to be answered now."""
        if name not in self._waiting:
            return None
        request, timer = self._waiting.pop(name)
        timer.cancel()
        return request

    def _stop_waiting(self, wait: Waiting, request: Request) -> None:
        self._stop(wait, lambda answer: self._stopped(wait, request, answer))

    def _stopped(self, wait: Waiting, request: Request, answer: Answer) -> None:
        name = wait.name
        # It may have got the lock meanwhile, or have been asked for again.
        if name not in self._waiting or self._waiting[name][0] is not request:
            return
        if isinstance(answer.error, Unavailable):
            # Unless the room knows it, who waits no more gets the lock all the same.
            self._waiting[name] = request, self._loop.call_later(_AGAIN, self._stop_waiting, wait, request)
            return
        self._over(name)
        if answer.error:
            self._refuse(request, answer.error)
        else:
            self._respond(request, answer.result)
