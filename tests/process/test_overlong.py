"""A session ends when it has lasted as long as its room lets sessions last."""

from datetime import timedelta

import pytest

from rooms.creation.rooms import change_room
from rooms.delivery.hub import perform_now
from rooms.models import Session
from rooms.operations.engine.calls import Caller
from rooms.operations.moderation import end_overlong
from tests.support.sockets import World


@pytest.mark.matrix
async def test_a_session_that_lasted_too_long_ends_and_another_may_begin(world: World):
    limited = await world.new_room(max_duration_seconds=600)
    alice, bob = await world.peer("alice", room=limited), await world.peer("bob")

    await world.query(_make_older, 590)
    await world.reap()
    # As by a reaper that found an earlier session.
    await world.query(lambda: perform_now(end_overlong, Caller(limited.pk)))
    assert alice.open and len(await world.stored(Session, ended_at=None)) == 2

    await world.query(_make_older, 11)
    await world.reap()

    told = await alice.wait_for("on-peer-leave-request")
    assert told["params"] == {"reason": "maximum duration reached", "room_end": True}
    assert await alice.wait_closed() == 4003
    [over] = await world.stored(Session, room=limited)
    assert (over.end_reason, over.ended_by) == ("maximum duration reached", "")
    assert bob.open and await world.stored(Session, room=world.room, ended_at=None)
    again = await world.peer("alice", room=limited)
    await world.reap()
    assert again.open


async def test_a_limit_that_is_set_while_somebody_is_inside_holds_for_them(world: World):
    alice = await world.peer("alice")
    await world.query(_make_older, 200)
    await world.query(lambda: change_room(world.room.pk, max_duration_seconds=120))
    await world.reap()
    assert await alice.wait_closed() == 4003


def _make_older(seconds: float) -> None:
    for session in Session.objects.filter(ended_at=None):
        Session.objects.filter(pk=session.pk).update(started_at=session.started_at - timedelta(seconds=seconds))
