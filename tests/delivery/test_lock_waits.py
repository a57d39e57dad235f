"""A call that waits for a lock, where the room cannot be asked when its time is over."""

import asyncio
from typing import Any

import pytest

import rooms.operations  # noqa: F401  fills METHODS
from rooms.delivery import lock_waits
from rooms.delivery.lock_waits import LockWaits, Then
from rooms.operations.engine.calls import Answer, Call, Caller
from rooms.operations.locks import stop_waiting
from rooms.wire.errors import LockConflict, Unavailable
from rooms.wire.frames import Request
from rooms.wire.results import Waiting


async def test_who_waits_no_more_is_told_so_once_the_room_knows_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lock_waits, "_AGAIN", 0.01)
    call = Call(stop_waiting, Caller("room", "peer"))
    free: dict[str, Any] = {"name": "deck", "holder": None, "token": None}
    errors = [Unavailable(), Unavailable(), LockConflict("name: the lock deck is held by nobody", data=free)]
    refused: list[Any] = []

    def stop(wait: Waiting, then: Then) -> None:
        assert not refused
        then(Answer(call, error=errors.pop(0)))

    waits = LockWaits(
        asyncio.get_running_loop(),
        stop,
        lambda *told: refused.append(told),
        lambda request, error: refused.append(error.code),
    )
    waits.wait(Request("lock", {}, "1"), Waiting("deck", 0.01, 1), free)
    async with asyncio.timeout(30):
        while not refused:
            await asyncio.sleep(0.01)

    assert (refused, errors) == ([409], [])
