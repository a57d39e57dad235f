"""A large room tells its members how many they are, and not of each coming and going."""

import pytest

from tests.support.sockets import World

pytestmark = pytest.mark.django_db(transaction=True)


async def test_members_of_a_large_room_get_counts_instead_of_comings_and_goings(world: World) -> None:
    await world.query(lambda: type(world.room).objects.filter(id=world.room.id).update(large_room=True))
    alice = await world.peer("alice", "host")
    bob = await world.peer("bob")

    await alice.wait_for(lambda event: event["method"] == "session-info" and event["params"]["peer_count"] == 2)
    await bob.call("broadcast", info={"message": "hello", "type": "chat"})
    await alice.wait_for("on-broadcast")
    await bob.call("group-join", name="_handraise")
    carol, dora = await world.peer("carol"), await world.peer("dora")
    await carol.call("peer-update", name="Caroline")
    for one in (bob, carol, dora):
        await one.leave()
    place = len(alice.events)
    await alice.wait_for(
        lambda event: event["method"] == "session-info" and event["params"]["peer_count"] == 1, after=place
    )

    assert bob.named("peer-list")[0]["peers"] == {}
    assert bob.named("room-info") == [{"room_id": world.room.id, "large_room_optimization": True}]
    assert not [event for event in alice.events if event["method"] in ("on-peer-join", "on-peer-state")]
    # Of those of whom there was no word nobody hears that they go.
    heard = [wire["peer_id"] for wire in alice.named("on-peer-update") if wire["realtime"]]
    assert [wire["peer_id"] for wire in alice.named("on-peer-leave")] == heard == [bob.peer_id, carol.peer_id]
    # A hand that they heard of is not up for ever.
    told = [wire for wire in alice.named("on-peer-update") if wire["peer_id"] == bob.peer_id]
    hands = [(hand["groups"], hand["realtime"]) for hand in told]
    assert hands == [(["_handraise"], True), ([], False)]
    assert (await alice.call("find-peer", limit=10))["total"] == 1
