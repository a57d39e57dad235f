"""The place that a client is told is up to where it was sent everything; and who one is after coming back."""

from typing import Any

import pytest

from tests.support.server import RpcError
from tests.support.sockets import LocalPeer, World, chat, heard


async def _place(peer: LocalPeer) -> dict[str, Any]:
    """Where a peer is that has joined."""
    seq = (await peer.call("ping"))["seq"]
    info = (await peer.wait_for(lambda event: "history" in event.get("params", {})))["params"]
    return {"session_id": info["session_id"], "seq": seq, "history": info["history"]}


async def _missed_by_bob(world: World) -> tuple[LocalPeer, LocalPeer, dict[str, Any]]:
    """Alice, Bob, who has lost his connection, and his place; Alice has said three things since."""
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    place = await _place(bob)
    await bob.drop()
    for number in range(3):
        await chat(alice, f"{number}")
    return alice, bob, place


@pytest.mark.matrix
@pytest.mark.parametrize("settled", [False, True])
async def test_nothing_that_a_socket_is_told_before_its_join_moves_a_place_past_what_it_was_sent(
    world: World, settled: bool
):
    _, bob, place = await _missed_by_bob(world)
    back = await world.again(bob)
    if settled:
        await back.wait_for("peer-list")
    told = [(await back.call("ping"))["seq"]]
    if settled:
        told += [(await chat(back, "hello"))["seq"], (await back.call("get-metadata"))["seq"]]
    answer = await back.join("Bob", resume={**place, "seq": max(place["seq"], *told)})

    assert answer["resumed"]
    assert answer["seq"] == place["seq"]
    await back.until(lambda: heard(back)[-3:] == ["0", "1", "2"])
    assert (await back.call("ping"))["seq"] >= place["seq"] + 3


async def test_a_join_that_is_refused_holds_nothing_back_for_good(world: World):
    alice, bob, _ = await _missed_by_bob(world)
    back = await world.again(bob)
    with pytest.raises(RpcError) as refusal:
        await back.join(name=1)  # type: ignore[arg-type]
    assert refusal.value.code == 400
    await chat(alice, "after")
    await back.wait_for("peer-list")
    await back.until(lambda: heard(back) == ["after"])


async def test_a_join_that_is_refused_may_be_tried_again_and_resumes(world: World):
    alice, bob, place = await _missed_by_bob(world)
    back = await world.again(bob)
    with pytest.raises(RpcError):
        await back.join("x" * 1000, resume=place)
    assert (await back.join("Bob", resume=place))["resumed"]
    await chat(alice, "after")
    await back.until(lambda: heard(back) == ["0", "1", "2", "after"])


@pytest.mark.matrix
@pytest.mark.parametrize("resumes", [True, False])
async def test_who_comes_back_learns_how_it_is_now_itself(world: World, resumes: bool):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    await bob.call("group-join", name="_handraise")
    place = await _place(bob)
    await bob.drop()
    await world.settled()
    await alice.call("group-remove", name="_handraise", peer_id=bob.peer_id)
    await alice.call("role-change-request", requested_for=bob.peer_id, role="viewer", force=True)
    back = await world.again(bob)
    await back.join("Bob", resume=place if resumes else None)
    await back.call("ping")

    own = [update for update in back.named("on-peer-update") if update["peer_id"] == bob.peer_id][-1]
    assert (own["state"], own["groups"], own["role"]) == ("connected", [], "viewer")
    assert back.named("on-policy-change")[-1]["name"] == "viewer"


@pytest.mark.parametrize("is_present", [True, False])
async def test_a_role_that_was_given_between_the_opening_of_a_socket_and_its_join_is_told(
    world: World, is_present: bool
):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    back = await world.again(bob) if is_present else world.stranger("bob")
    if not is_present:
        await back.connect()  # another tab of his
    await back.wait_for("on-policy-change")
    await alice.call("role-change-request", requested_for=bob.peer_id, role="viewer", force=True)
    await back.join("Bob")
    await back.call("ping")

    # What is numbered comes again after a join, if at all.
    policies = [event for event in back.events if event.get("method") == "on-policy-change" and "seq" not in event]
    assert [policy["params"]["name"] for policy in policies] == ["guest", "viewer"]
