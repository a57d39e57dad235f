"""A call that waits for a lock, on sockets of one process: what it is answered, when, and that it is once."""

import asyncio
from typing import Any

import pytest

from rooms.models import Lock
from tests.support.processes import PATIENCE
from tests.support.server import Message, RpcError
from tests.support.sockets import LocalPeer, World, names

pytestmark = pytest.mark.django_db(transaction=True)

ONLY_THE_GRACE = 60_000
"""Milliseconds: longer than any of these tests."""


@pytest.fixture(autouse=True)
def unhurried(settings):
    settings.RATE_LIMIT = 0


async def lock(peer: LocalPeer, **params: Any) -> Message:
    held = await peer.call("lock", name="deck", **params)
    assert held["holder"] == peer.peer_id
    return held


async def unlock(peer: LocalPeer, held: Message) -> Message:
    return await peer.call("unlock", name="deck", token=held["token"])


async def wait(peer: LocalPeer, **params: Any) -> "asyncio.Future[Message]":
    """What a call will be answered that waits for the lock by now, and holds up nothing that comes after it."""
    waiting = await peer.begin("lock", name="deck", **{"wait_ms": ONLY_THE_GRACE, **params})
    await asyncio.wait_for(peer.call("get-metadata"), PATIENCE)
    return waiting


async def refusal(call: Any) -> RpcError:
    with pytest.raises(RpcError) as refused:
        await call
    return refused.value


def told(peer: LocalPeer) -> list[tuple[str | None, str]]:
    return [(change["holder"], change["reason"]) for change in peer.named("on-lock-change")]


async def test_who_leaves_is_told_at_once_that_it_waits_no_more(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    held = await lock(alice)
    of_bob = await wait(bob)
    await bob.call("leave")
    async with asyncio.timeout(PATIENCE):
        assert (await refusal(of_bob)).code == 410
    # Nor is it answered by what the peer gets when it has come again.
    await bob.join("Bob")
    await unlock(alice, held)
    await lock(bob)
    assert told(bob)[-1] == (bob.peer_id, "locked")


@pytest.mark.matrix
async def test_who_waits_is_answered_when_it_gets_the_lock_after_the_event(world: World):
    alice, bob, carla = [await world.peer(user) for user in ("alice", "bob", "carla")]
    held = await lock(alice)
    of_carla = await wait(carla)
    of_bob = await wait(bob, expires_in=60)
    assert not of_carla.done()

    assert (await unlock(alice, held))["holder"] == carla.peer_id
    got = await of_carla
    assert (got["token"], got["holder"]) == (got["seq"], carla.peer_id)
    assert told(carla)[-1] == (carla.peer_id, "released")
    assert not of_bob.done()
    await unlock(carla, got)
    got = await of_bob
    assert got.keys() == {"name", "holder", "token", "expires_at", "seq"}
    assert await world.stored(Lock)


async def test_a_wait_that_is_over_is_refused_with_the_lock_as_it_stands(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    held = await lock(alice)
    refused = await refusal(await wait(bob, wait_ms=100))
    assert (refused.code, refused.data) == (409, {"name": "deck", "holder": alice.peer_id, "token": held["token"]})
    assert (await unlock(alice, held))["holder"] is None
    await bob.until(lambda: told(bob)[-1:] == [(None, "released")])


async def test_asking_again_answers_the_call_before(world: World):
    alice, bob, carla = [await world.peer(user) for user in ("alice", "bob", "carla")]
    held = await lock(alice)
    first = await wait(bob, wait_ms=500)
    await wait(carla)
    second = await wait(bob)
    refused = await refusal(first)
    assert (refused.code, refused.data) == (409, {"name": "deck", "holder": alice.peer_id, "token": held["token"]})
    await asyncio.sleep(0.7)  # past the time of the first
    await unlock(alice, held)
    assert (await second)["holder"] == bob.peer_id


async def test_one_socket_waits_for_several_locks(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    held = [await alice.call("lock", name=f"lock {number}") for number in range(3)]
    waiting = [await bob.begin("lock", name=f"lock {number}", wait_ms=ONLY_THE_GRACE) for number in range(3)]
    await bob.call("get-metadata")
    for place in (1, 0, 2):
        await alice.call("unlock", name=held[place]["name"], token=held[place]["token"])
        assert (await waiting[place])["name"] == held[place]["name"]


async def test_a_call_that_is_cut_is_not_answered_and_its_place_is_kept(world: World):
    alice, bob, carla = [await world.peer(user) for user in ("alice", "bob", "carla")]
    held = await lock(alice)
    cut = await wait(bob)
    of_carla = await wait(carla)
    place = await bob.join("Bob")
    await bob.drop()
    with pytest.raises(ConnectionResetError):
        await cut
    back, found = await world.resume(bob, place)
    assert found["resumed"]
    # By the time that it asks again it is the holder already.
    await unlock(alice, held)
    await back.until(lambda: told(back) == [(bob.peer_id, "released")])
    again = await lock(back, wait_ms=ONLY_THE_GRACE)
    assert again["token"] == back.named("on-lock-change")[0]["token"]
    assert not [event for event in back.events if "result" in event]
    await unlock(back, again)
    assert (await of_carla)["holder"] == carla.peer_id


async def test_who_asks_again_after_a_cut_keeps_its_place(world: World):
    alice, bob, carla = [await world.peer(user) for user in ("alice", "bob", "carla")]
    held = await lock(alice)
    cut = await wait(bob)
    await wait(carla)
    place = await bob.join("Bob")
    await bob.drop()
    with pytest.raises(ConnectionResetError):
        await cut
    back, _ = await world.resume(bob, place)
    of_bob = await wait(back)
    await unlock(alice, held)
    assert (await of_bob)["holder"] == bob.peer_id


@pytest.mark.matrix
async def test_at_the_end_of_its_time_a_call_is_answered_once_and_truly(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    outcomes = set()
    delay = 0.2  # which finds by itself where the one outcome becomes the other
    for _ in range(30):
        held = await lock(alice)
        waiting = await wait(bob, wait_ms=200)
        await asyncio.sleep(delay)
        after = await unlock(alice, held)
        try:
            got = await waiting
            assert got["holder"] == after["holder"] == bob.peer_id
            await unlock(bob, got)
            outcomes.add("got it")
            delay += 0.007
        except RpcError as refused:
            assert refused.code == 409
            assert after["holder"] is None
            outcomes.add("too late")
            delay = max(0, delay - 0.01)
    assert outcomes == {"got it", "too late"}
    assert not [event for event in bob.events if "result" in event or "error" in event]


async def test_the_end_of_a_wait_is_not_that_of_another_which_begins_at_that_moment(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    held = await lock(alice)
    ends = set()
    delay = 0.1  # which finds by itself where the one outcome becomes the other
    for _ in range(40):
        first = await wait(bob, wait_ms=100)
        await asyncio.sleep(delay)
        second = await wait(bob, wait_ms=5_000)
        was_late = "asked for again" not in (await refusal(first)).message
        ends.add(was_late)
        step = 0.003 if len(ends) == 2 else 0.015
        delay = max(0, delay + (-step if was_late else step))
        await asyncio.sleep(0.02)
        assert not second.done()
        after = await unlock(alice, held)
        got = await second
        assert got["holder"] == after["holder"] == bob.peer_id
        third = await wait(alice)
        await unlock(bob, got)
        held = await third
    assert ends == {True, False}


async def test_who_comes_is_told_the_locks_after_the_list_of_peers(world: World):
    alice = await world.peer("alice")
    assert "on-lock-list" not in names(alice.events)
    held = await lock(alice)
    bob = await world.peer("bob")
    stands = {name: held[name] for name in ("name", "holder", "token")}
    assert (await bob.wait_for("on-lock-list"))["params"] == {"locks": [stands]}
    assert names(bob.events).index("on-lock-list") > names(bob.events).index("peer-list")
    back = await world.again(bob)
    await back.wait_for("on-lock-list")
    assert back.named("on-lock-list") == [{"locks": [stands]}]


async def test_a_waiting_peer_that_leaves_waits_no_more(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    held = await lock(alice)
    waiting = await wait(bob, wait_ms=300)
    await bob.call("leave")
    assert (await unlock(alice, held))["holder"] is None
    assert (await refusal(waiting)).code == 410
