"""Jobs that nobody waits for go on, whatever goes wrong in them."""

import asyncio
import gc
import logging
import threading

import pytest

from rooms.observe import background
from rooms.wire.errors import HeldUp


async def test_a_job_goes_on_after_an_error_and_says_what_it_was(caplog, monkeypatch):
    monkeypatch.setattr(background, "_PAUSE", 0)
    done: list[int] = []

    async def job() -> None:
        done.append(len(done))
        if len(done) == 1:
            raise ZeroDivisionError
        if len(done) == 2:
            raise asyncio.CancelledError  # of what it waited for, not of itself

    task = background.spawn(background.keep_doing(job, every=lambda: 0.001))
    async with asyncio.timeout(5):
        while len(done) < 5:
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert task.cancelled()
    failures = [record for record in caplog.records if record.getMessage() == "a background job failed"]
    assert [record.exc_info[0] for record in failures if record.exc_info] == [
        ZeroDivisionError,
        asyncio.CancelledError,
    ]
    assert all("job" in record.context["job"] for record in failures)


async def test_a_task_that_nobody_keeps_is_done_and_its_error_is_told(caplog):
    gone_on: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waits = []

    async def job() -> None:
        # The only one who knows of what it waits for is the task itself.
        waits.append(asyncio.Event())
        asyncio.get_running_loop().call_later(0.05, waits[0].set)
        await waits[0].wait()
        gone_on.set_result(None)
        raise ZeroDivisionError

    background.spawn(job())
    await asyncio.sleep(0)
    gc.collect()
    await asyncio.wait_for(gone_on, 5)
    await asyncio.sleep(0)

    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_a_thread_goes_on_after_an_error(caplog, monkeypatch):
    monkeypatch.setattr(background, "_stopped", threading.Event())
    done: list[int] = []
    enough = threading.Event()

    def job() -> None:
        done.append(1)
        if len(done) >= 3:
            enough.set()
        raise ZeroDivisionError

    background.repeat("test", job, 0.001)
    assert enough.wait(5)
    background.stop()
    assert "a background job failed" in [record.getMessage() for record in caplog.records]


def test_a_room_that_is_locked_is_no_failure_of_the_database(caplog):
    caplog.set_level("INFO")

    def settle():
        raise HeldUp

    background.attempt(settle)
    [record] = [record for record in caplog.records if record.context["job"].endswith("settle")]
    assert (record.levelname, record.message) == ("INFO", "a room is locked, its job is done later")


def test_what_is_attempted_fails_for_itself_alone(caplog):
    with caplog.at_level(logging.ERROR):
        background.attempt(int, "no number")
    assert len(caplog.records) == 1
    with pytest.raises(KeyboardInterrupt):
        background.attempt(_interrupted)


def _interrupted() -> None:
    raise KeyboardInterrupt
