"""What is deleted is in no later frame, and what was for some is in nobody else's: seen at the sockets."""

import json

import pytest

from tests.support.server import Message, RpcError
from tests.support.sockets import LocalPeer, World, chat

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "Zwiebelkuchen"


def frames(peer: LocalPeer, since: int = 0) -> str:
    """All that a peer was told from there on."""
    return json.dumps(peer.events[since:], ensure_ascii=False)


@pytest.mark.matrix
async def test_what_was_deleted_is_in_no_later_frame(world: World) -> None:
    alice, bob, carol = await world.peer("alice", "host"), await world.peer("bob"), await world.peer("carol")
    for peer in (alice, bob, carol):
        await peer.call("listen-metadata-change", keys=["pinnedMessages", "default"])
    place: Message = {"session_id": carol.named("peer-list")[0]["room"]["session_id"], "seq": 3}
    said = (await chat(bob, f"{SECRET} one"))["message_id"]
    other = (await chat(alice, "stays"))["message_id"]
    await alice.call("pin-message", id=said)
    await bob.call("message-edit", id=said, message=f"{SECRET} two")
    await alice.call("pin-message", id=other)
    await alice.wait_for("on-message-edit")
    assert SECRET in frames(alice) and SECRET in json.dumps(await alice.call("message-history"))

    await bob.call("message-delete", id=said)
    await alice.wait_for("on-message-delete")
    seen = len(alice.events)
    late = await world.peer("late")
    back, _ = await world.resume(carol, place)
    await back.wait_for("on-message-delete")
    answers = [
        await peer.call(method, **params)
        for peer in (alice, late, back)
        for method, params in (
            ("message-history", {}),
            ("get-metadata", {"key": "pinnedMessages"}),
            ("get-metadata", {}),
            ("listen-metadata-change", {"keys": ["pinnedMessages", "default"]}),
        )
    ]
    with pytest.raises(RpcError) as refusal:
        await bob.call("pin-message", id=said)
    assert refusal.value.code == 404
    assert SECRET not in json.dumps(answers, ensure_ascii=False)
    assert SECRET not in frames(alice, seen) + frames(late) + frames(back)
    assert '"stays"' in frames(back) and "Alice: stays" in frames(back)


@pytest.mark.matrix
async def test_i23_nobody_else_is_told_what_was_for_one_or_for_a_role(world: World) -> None:
    alice, bob, carol = await world.peer("alice", "host"), await world.peer("bob"), await world.peer("carol")
    victor = await world.peer("victor", "viewer")
    to_bob = (await chat(alice, f"{SECRET} one", peer_id=bob.peer_id))["message_id"]
    to_hosts = (await chat(bob, f"{SECRET} two", roles=["host"]))["message_id"]
    place = len(carol.events)
    await alice.call("role-change-request", requested_for=carol.peer_id, role="host", force=True)
    await carol.wait_for("on-policy-change", after=place)
    for message_id, author in ((to_bob, alice), (to_hosts, bob)):
        await author.call("message-edit", id=message_id, message=f"{SECRET} otherwise")
        await author.call("message-react", id=message_id, emoji="👍")
    late = await world.peer("late", "host")
    others = (carol, victor)
    for peer in others:
        told = await peer.call("message-history")
        assert (told["messages"], told["withheld"]) == ([], False)
        for message_id in (to_bob, to_hosts):
            for method, params in (("message-edit", {"message": "x"}), ("message-react", {"emoji": "👍"})):
                with pytest.raises(RpcError) as refusal:
                    await peer.call(method, id=message_id, **params)
                assert refusal.value.code in (403, 404)
    assert [one["message_id"] for one in (await late.call("message-history"))["messages"]] == [to_hosts]
    assert [one["message_id"] for one in (await bob.call("message-history"))["messages"]] == [to_hosts, to_bob]
    for message_id, author in ((to_bob, alice), (to_hosts, bob)):
        await author.call("message-delete", id=message_id)
    await chat(alice, "after")
    for peer in others:
        await peer.wait_for("on-broadcast")
        text = frames(peer)
        assert not any(mark in text for mark in (SECRET, to_bob, to_hosts, "👍"))
