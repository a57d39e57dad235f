"""Rooms wait for their own locks: one that another program holds costs the others nothing."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from rooms.delivery import hub
from rooms.models import Peer, Room, Session
from rooms.operations.engine import gate
from rooms.process.lease import Lease
from rooms.process.reaper import Reaper
from tests.support.server import RpcError
from tests.support.sockets import LocalPeer, World, chat, heard

pytestmark = pytest.mark.postgres


@contextmanager
def locked(statement: str, ids: list[str]) -> Iterator[None]:
    """Hold the locks that a statement takes, on a connection of its own."""
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, [ids])
                taken.set()
                release.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(10)
    try:
        yield
    finally:
        release.set()
        thread.join()


ROOMS = "SELECT 1 FROM rooms_room WHERE id = ANY(%s) FOR UPDATE"
SESSIONS = "SELECT 1 FROM rooms_session WHERE room_id = ANY(%s) FOR UPDATE"


async def pairs(world: World, count: int) -> list[tuple[Room, LocalPeer, LocalPeer]]:
    """Rooms with two peers each."""
    made = []
    for number in range(count):
        room = await world.new_room(title=f"Room {number}")
        made.append((room, await world.peer("alice", room=room), await world.peer("bob", room=room)))
    return made


@pytest.mark.parametrize("statement", [ROOMS, SESSIONS], ids=["room rows", "session rows"])
async def test_rooms_that_are_locked_from_outside_hold_up_no_others(world: World, settings, statement: str):
    settings.RATE_LIMIT = 0
    rooms = await pairs(world, 8)
    held, free = rooms[:6], rooms[6:]
    with locked(statement, [room.id for room, _, _ in held]):
        waiting = [await alice.begin("broadcast", info={"message": "late"}) for _, alice, _ in held]
        for count in range(40):
            # In one turn with calls of the rooms that are held up.
            waiting += [await alice.begin("broadcast", info={"message": f"{count}"}) for _, alice, _ in held]
            await asyncio.gather(*(chat(alice, f"{count}") for _, alice, _ in free))
        assert not [call for call in waiting if call.done()]
    await asyncio.gather(*waiting)
    for _, _, bob in held:
        await bob.until(lambda bob=bob: len(heard(bob)) == 41)
        assert heard(bob) == ["late", *map(str, range(40))]
    for _, _, bob in free:
        await bob.until(lambda bob=bob: heard(bob) == [*map(str, range(40))])


async def test_calls_of_a_room_that_stays_locked_are_refused_and_the_room_goes_on(world: World, monkeypatch):
    monkeypatch.setattr(gate, "LOCK_SECONDS", 0.3)
    [(room, alice, bob)] = await pairs(world, 1)
    with locked(ROOMS, [room.id]):
        with pytest.raises(RpcError) as refusal:
            await chat(alice, "never")
        assert refusal.value.code == 503
    await chat(alice, "again")
    await bob.until(lambda: heard(bob) == ["again"])


async def test_a_room_that_is_locked_keeps_the_reaper_from_no_other(world: World, settings):
    settings.PEER_GRACE = 0
    rooms = await pairs(world, 3)
    for _, _, bob in rooms:
        await bob.drop()
    for room, _, _ in rooms:
        await world.settled(room)
    with locked(ROOMS, [rooms[0][0].id]):
        await world.query(Reaper(Lease()).run_once)
        left = await world.stored(Peer, state=Peer.State.LEFT)
        assert {peer.session_id for peer in left} == {
            session.id for session in await world.stored(Session) if session.room_id != rooms[0][0].id
        }
    await world.query(Reaper(Lease()).run_once)
    assert len(await world.stored(Peer, state=Peer.State.LEFT)) == 3


async def test_two_processes_that_write_to_one_room_wait_for_each_other(world: World, settings):
    settings.RATE_LIMIT = 0
    [(room, alice, bob)] = await pairs(world, 1)

    def elsewhere() -> None:
        # Short locks again and again, as those of another process are.
        until = time.monotonic() + 1
        while time.monotonic() < until:
            with locked(ROOMS, [room.id]):
                pass

    other = asyncio.create_task(world.query(elsewhere))
    said = 0
    while not other.done():
        await chat(alice, f"{said}")
        said += 1
    await other
    await bob.until(lambda: len(heard(bob)) == said)
    assert hub.get()._writer.idle
