"""What waits for one socket: in order, bounded, and never waited for."""

import asyncio
import json
from typing import Any

import pytest

from rooms.sockets.framing import framed
from rooms.sockets.outbox import AsgiOutbox, Tally
from tests.support.processes import PATIENCE
from tests.support.wire import texts_in


class Socket:
    """The send side of an ASGI server, which a test can hold up or break."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.broken = False
        self.given_up = 0

    async def send(self, message: dict[str, Any]) -> None:
        await self.flowing.wait()
        if self.broken:
            raise RuntimeError("Unexpected ASGI message")
        self.sent.append(message.get("text", message.get("code")))

    def outbox(self) -> AsgiOutbox:
        return AsgiOutbox(self.send, self._give_up)

    def _give_up(self) -> None:
        self.given_up += 1

    async def gets(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.sent) < count:
                await asyncio.sleep(0)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_frames_can_be_taken_apart_again(size: int):
    texts = ["x" * size, "ü" * (size // 2), json.dumps({"n": size})]
    assert texts_in(b"".join(map(framed, texts))) == texts


async def test_frames_go_out_in_order_and_the_close_after_them():
    socket = Socket()
    outbox = socket.outbox()
    outbox.write(framed("1"))
    outbox.write(framed("2") + framed("3"))
    outbox.close(1012)
    outbox.write(framed("too late"))
    outbox.close(4000)
    await socket.gets(4)
    await asyncio.sleep(0)

    assert socket.sent == ["1", "2", "3", 1012]
    assert outbox.unsent == 0


async def test_i26_a_socket_that_does_not_read_is_given_up_beyond_its_limit(settings):
    settings.MAX_UNSENT_BYTES = 10_000
    socket = Socket()
    socket.flowing.clear()
    outbox = socket.outbox()
    for _ in range(100):
        outbox.write(framed("x" * 1000))
        assert outbox.unsent <= 12_000

    assert socket.given_up == 1
    assert outbox.closing


async def test_i26_a_socket_that_does_not_even_read_that_it_ends_is_cut(settings):
    settings.MAX_UNSENT_SECONDS = 10
    socket = Socket()
    socket.flowing.clear()
    outbox = socket.outbox()
    outbox.write(framed("x"))
    outbox.close(4002)
    for now in (0.0, 5.0, 10.0):
        outbox.check(now)
    assert socket.given_up == 0
    outbox.check(10.1)

    assert socket.given_up == 1


async def test_i26_a_socket_that_takes_nothing_for_too_long_is_given_up(settings):
    settings.MAX_UNSENT_SECONDS = 10
    socket = Socket()
    socket.flowing.clear()
    outbox = socket.outbox()
    outbox.put(framed("x" * 100))
    for now in (0, 5, 9.9):
        outbox.check(now)
    assert not socket.given_up
    outbox.check(10.1)
    assert socket.given_up == 1


async def test_a_socket_that_has_taken_nothing_yet_is_not_late_at_the_first_look(settings):
    settings.MAX_UNSENT_SECONDS = 10
    socket = Socket()
    socket.flowing.clear()
    outbox = socket.outbox()
    outbox.put(framed("greeting"))
    outbox.put(framed("x" * 100))
    for now in (1000, 1009):
        outbox.check(now)
    assert not socket.given_up
    outbox.check(1011)
    assert socket.given_up == 1


async def test_a_slow_socket_that_goes_on_reading_is_kept(settings):
    settings.MAX_UNSENT_SECONDS = 10
    socket = Socket()
    outbox = socket.outbox()
    for now in range(0, 100, 5):
        outbox.put(framed("x" * 100))
        outbox.check(now)
        await socket.gets(now // 5 + 1)
        outbox.check(now + 1)
    assert not socket.given_up


async def test_a_socket_that_is_gone_is_no_error():
    socket = Socket()
    socket.broken = True
    outbox = socket.outbox()
    outbox.write(framed("1"))
    await asyncio.sleep(0.01)
    outbox.write(framed("2"))
    outbox.close(1000)
    await asyncio.sleep(0.01)

    assert socket.sent == []
    assert outbox.closing


async def test_a_state_that_was_asked_for_may_be_longer_than_the_limit(settings):
    settings.MAX_UNSENT_BYTES = 10_000
    socket = Socket()
    socket.flowing.clear()
    outbox = socket.outbox()
    outbox.put_state(framed("x" * 49_000))
    assert not socket.given_up
    for _ in range(12):
        outbox.put(framed("x" * 1000))
    assert socket.given_up == 1


async def test_states_that_are_asked_for_again_and_again_allow_no_more_than_the_largest(settings):
    settings.MAX_UNSENT_BYTES = 10_000
    socket = Socket()
    socket.flowing.clear()
    outbox = socket.outbox()
    for _ in range(20):
        outbox.put_state(framed("x" * 6_000))
        assert outbox.unsent <= 10_000 + 2 * 6_004
    assert socket.given_up == 1


async def test_what_a_state_allowed_is_over_when_it_is_sent(settings):
    settings.MAX_UNSENT_BYTES = 10_000
    socket = Socket()
    outbox = socket.outbox()
    outbox.put_state(framed("x" * 49_000))
    await socket.gets(1)
    outbox.check(0)
    socket.flowing.clear()
    for _ in range(12):
        outbox.put(framed("x" * 1000))
    assert socket.given_up == 1


async def test_what_many_get_is_counted_for_those_who_follow_and_not_for_who_is_spared(settings):
    settings.MAX_UNSENT_SECONDS = 10
    socket, tally = Socket(), Tally()
    outbox = socket.outbox()
    tally.bytes += 1_000_000  # before it followed
    for now in range(0, 200, 5):
        if now % 20 == 0:
            outbox.follow(tally)
        wire = framed("x" * 100)
        tally.bytes += len(wire)
        if now % 10:
            outbox.write(wire)
        else:
            outbox.spared(len(wire))
        if now % 20 == 15:
            outbox.unfollow()
            tally.bytes += 12_345
        await socket.gets(len(socket.sent))
        while outbox.unsent:
            await asyncio.sleep(0)
        outbox.check(now)
        assert outbox.written == sum(len(framed(text)) for text in socket.sent)
    assert not socket.given_up
