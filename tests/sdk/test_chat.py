import pytest

from tests.sdk.driver import RELEASES, ends_of, since

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_a_message_reaches_whom_it_is_for(room, release):
    alice, bob, carol = await room.meet(
        (release, "Alice", "host"), (release, "Bob", "guest"), (release, "Carol", "host")
    )
    ids = await alice.see("ids")

    await alice.call("sendBroadcastMessage", "to all")
    await alice.call("sendGroupMessage", "to hosts", ["host"])
    await alice.call("sendDirectMessage", "to Bob", ids["Bob"])
    await bob.sees(["to all", "to Bob"], "texts")
    await bob.call("sendBroadcastMessage", "the end", "custom")

    await alice.sees(["to all", "to hosts", "to Bob", "the end"], "texts")
    await bob.sees(["to all", "to Bob", "the end"], "texts")
    await carol.sees(["to all", "to hosts", "the end"], "texts")

    to_all, to_bob, _ = await bob.see("messages")
    assert (to_all["from"], to_all["role"], to_all["type"], to_all["to"]) == ("Alice", "host", "chat", None)
    assert (to_bob["from"], to_bob["to"]) == ("Alice", ids["Bob"])
    _, to_hosts, end = await carol.see("messages")
    assert to_hosts["roles"] == ["host"]
    assert (end["from"], end["type"]) == ("Bob", "custom")


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_sender_and_receivers_know_a_message_by_the_same_id_and_time(room, release):
    alice, bob, carol = await room.meet(
        (release, "Alice", "host"), (release, "Bob", "guest"), (release, "Carol", "guest")
    )
    for text in ("one", "two"):
        await alice.call("sendBroadcastMessage", text)
    for peer in (alice, bob, carol):
        await peer.sees(["one", "two"], "texts")

    sent, *received = [
        [(message["id"], message["time"]) for message in await peer.see("messages")] for peer in (alice, bob, carol)
    ]
    assert received == [sent, sent]
    assert len({message_id for message_id, _ in sent}) == 2
