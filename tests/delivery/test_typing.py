"""Who is writing: told to those whom the message would reach, and kept nowhere."""

import asyncio

import pytest

from rooms.models import Event, Session
from tests.support.server import RpcError
from tests.support.sockets import LocalPeer, World

pytestmark = pytest.mark.django_db(transaction=True)


async def heard(peer: LocalPeer, by: LocalPeer) -> list[dict[str, object]]:
    """What a peer was told of who is writing, once what was said after it came."""
    place = len(peer.events)
    await by.call("broadcast", info={"message": "after"}, peer_id=peer.peer_id)
    await peer.wait_for("on-broadcast", after=place)
    return peer.named("on-peer-typing")


async def test_that_somebody_writes_is_told_to_those_whom_the_message_would_reach(world: World) -> None:
    alice, bob, carol = await world.peer("alice", "host"), await world.peer("bob"), await world.peer("carol")
    before = await world.query(lambda: (Session.objects.get().seq, Event.objects.count()))
    await carol.call("peer-typing")
    await carol.call("peer-typing", typing=False)
    await carol.call("peer-typing", roles=["host"])
    await carol.call("peer-typing", peer_id=bob.peer_id)
    assert await world.query(lambda: (Session.objects.get().seq, Event.objects.count())) == before

    to_all = [{"peer_id": carol.peer_id, "typing": typing, "private": False} for typing in (True, False)]
    to_hosts = {"peer_id": carol.peer_id, "typing": True, "private": False, "roles": ["host"]}
    to_bob = {"peer_id": carol.peer_id, "typing": True, "private": True}
    assert await heard(alice, carol) == [*to_all, to_hosts]
    assert await heard(bob, carol) == [*to_all, to_bob]
    assert carol.named("on-peer-typing") == []
    assert all("seq" not in event for event in alice.events if event.get("method") == "on-peer-typing")


async def test_nobody_in_another_room_hears_it_and_nobody_who_may_not_write_says_it(world: World) -> None:
    bob, victor = await world.peer("bob"), await world.peer("victor", "viewer")
    stranger = await world.peer("stranger", room=await world.new_room())
    await bob.call("peer-typing")
    for peer, params, code in (
        (victor, {}, 403),
        (victor, {"peer_id": bob.peer_id}, 403),
        (bob, {"peer_id": stranger.peer_id}, 404),
        (bob, {"roles": ["king"]}, 404),
    ):
        with pytest.raises(RpcError) as refusal:
            await peer.call("peer-typing", **params)
        assert refusal.value.code == code
    assert stranger.named("on-peer-typing") == []
    assert len(await heard(victor, bob)) == 1


async def test_a_room_is_told_so_much_of_it_a_second(world: World, settings) -> None:
    settings.RATE_LIMIT = 0
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    await asyncio.gather(*(bob.call("peer-typing") for _ in range(60)))
    assert 40 <= len(await heard(alice, bob)) < 60


async def test_a_large_room_is_told_nothing_of_it(world: World) -> None:
    await world.query(lambda: type(world.room).objects.filter(id=world.room.id).update(large_room=True))
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    await bob.call("peer-typing")
    assert await heard(alice, bob) == []
