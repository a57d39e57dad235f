"""Old and new releases in one room."""

import pytest

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]

PAIRS = [
    pair
    for old, new in (("0.6.4", "0.15.2"), ("0.8.4", "0.11.7"), ("0.9.0", "0.12.39"))
    for pair in ((old, new), (new, old))
]
KEYED = [("0.10.16", "0.15.2"), ("0.15.2", "0.10.16"), ("0.11.7", "0.12.39")]


@pytest.mark.parametrize(("host", "guest"), PAIRS + KEYED)
async def test_two_releases_meet_talk_and_part(room, host, guest):
    alice, bob = await room.meet((host, "Alice", "host"), (guest, "Bob", "guest"))
    ids = await alice.see("ids")

    await alice.call("sendBroadcastMessage", "hello")
    await bob.sees(["hello"], "texts")
    await bob.call("sendDirectMessage", "hi", ids["Alice"])
    await alice.sees(["hello", "hi"], "texts")

    await bob.call("changeMetadata", '{"mood":"good"}')
    await alice.sees({"Alice": "", "Bob": '{"mood":"good"}'}, "metadata")
    await alice.call("changeRole", "Bob", "viewer", False)
    await bob.sees({"role": "viewer", "by": "Alice"}, "roleRequest")
    await bob.call("acceptRole")
    for peer in (alice, bob):
        await peer.sees({"Alice": "host", "Bob": "viewer"}, "roles")

    await alice.call("removePeer", ids["Bob"], "done")
    await bob.sees("Disconnected", "state")
    await bob.sees(["REMOVED_FROM_ROOM"], "notices", "REMOVED_FROM_ROOM", "ROOM_ENDED")
    await alice.sees(["Alice"], "names")


@pytest.mark.parametrize(("setter", "other"), PAIRS)
async def test_the_alpha_flow_between_old_and_new(room, setter, other):
    alice, bob = await room.meet((setter, "Alice", "host"), (other, "Bob", "guest"))

    await alice.call("setSessionMetadata", {"pinned": "hello"})
    await alice.call("sendBroadcastMessage", "refresh", "metadata")
    await bob.sees(True, "refreshed")
    await bob.call("populateSessionMetadata")
    await bob.sees({"pinned": "hello"}, "sessionMetadata")


@pytest.mark.parametrize(("old", "new"), PAIRS[::2])
async def test_a_write_by_a_new_client_makes_an_old_one_ask(room, old, new):
    alice, bob, carol = await room.meet((new, "Alice", "host"), (old, "Bob", "guest"), (new, "Carol", "guest"))
    await carol.call("sessionStore.observe", "default")

    await alice.call("sessionStore.set", "default", "from the store")
    await bob.sees(["refresh"], "texts")
    message = (await bob.see("messages"))[0]
    assert (message["type"], message["from"]) == ("metadata", None)
    await bob.call("populateSessionMetadata")
    await bob.sees("from the store", "sessionMetadata")
    await carol.sees("from the store", "key", "default")
    assert await carol.see("texts") == []


@pytest.mark.parametrize(("old", "new"), PAIRS[::2])
async def test_a_write_by_an_old_client_reaches_a_new_observer(room, old, new):
    alice, bob = await room.meet((old, "Alice", "host"), (new, "Bob", "guest"))
    await bob.call("sessionStore.observe", "default")

    await alice.call("setSessionMetadata", ["from", "the", "old"])
    await bob.sees(["from", "the", "old"], "key", "default")
    await bob.call("sessionStore.set", "default", "answer")
    await alice.sees(["refresh"], "texts")
    await alice.call("populateSessionMetadata")
    await alice.sees("answer", "sessionMetadata")
