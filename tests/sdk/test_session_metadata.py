import pytest

from tests.sdk.driver import RELEASES, since

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("release", RELEASES)
async def test_set_tell_and_ask(room, release):
    alice, bob = await room.meet((release, "Alice", "host"), (release, "Bob", "guest"))
    for peer in (alice, bob):
        await peer.call("ignoreMessageTypes", ["metadata"])
        await peer.call("populateSessionMetadata")
        await peer.sees(None, "sessionMetadata")

    pinned = {"text": "Alice: hello", "tags": [1, None, {"deep": "żółw"}]}
    await alice.call("setSessionMetadata", pinned)
    await alice.call("sendBroadcastMessage", "refresh", "metadata")
    await alice.sees(pinned, "sessionMetadata")
    await bob.sees(1, "refreshes")
    await bob.call("populateSessionMetadata")
    await bob.sees(pinned, "sessionMetadata")
    assert await bob.see("texts") == []

    carol = await room.join(release, "Carol", "guest")
    await carol.call("populateSessionMetadata")
    await carol.sees(pinned, "sessionMetadata")

    await bob.call("setSessionMetadata", None)
    await bob.call("sendBroadcastMessage", "refresh", "metadata")
    await alice.sees(1, "refreshes")
    await alice.call("populateSessionMetadata")
    await alice.sees(None, "sessionMetadata")


@pytest.mark.parametrize("release", since("0.10.16"))
async def test_observers_see_a_key_change(room, release):
    alice, bob = await room.meet((release, "Alice", "host"), (release, "Bob", "guest"))
    await bob.call("sessionStore.observe", ["pin", "spotlight"])

    await alice.call("sessionStore.set", "pin", {"text": "hello"})
    await alice.call("sessionStore.set", "spotlight", "bob")
    await alice.call("sessionStore.set", "secret", "unobserved")
    await bob.sees({"text": "hello"}, "key", "pin")
    await bob.sees("bob", "key", "spotlight")
    await alice.sees({"text": "hello"}, "key", "pin")

    carol = await room.join(release, "Carol", "guest")
    await carol.call("sessionStore.observe", "pin")
    await carol.sees({"text": "hello"}, "key", "pin")

    await bob.call("sessionStore.unobserve", "pin")
    await alice.call("removeKey", "pin")
    await alice.call("sessionStore.set", "spotlight", 0)
    await carol.sees(None, "key", "pin")
    await bob.sees(0, "key", "spotlight")
    assert await bob.see("key", "pin") == {"text": "hello"}
    assert await bob.see("key", "secret") is None


@pytest.mark.parametrize("release", since("0.10.16"))
async def test_of_many_writes_observers_end_on_the_last(room, release):
    alice = await room.join(release, "Alice")
    bob = await room.open(release, "Bob")
    frames = bob.record()
    await bob.join(room.token("guest", "bob"), room.server)
    for peer in (alice, bob):
        await peer.call("sessionStore.observe", "count")

    for number in range(1, 11):
        await alice.call("sessionStore.set", "count", number)
    for peer in (alice, bob):
        await peer.sees(10, "key", "count")

    changes = [frame for frame in frames if frame.get("method") == "on-metadata-change"]
    versions = [entry["change_version"] for frame in changes for entry in frame["params"]["values"]]
    assert versions == list(range(1, 11))


@pytest.mark.parametrize("release", RELEASES)
async def test_the_last_to_leave_clears_it(room, release):
    alice, bob = await room.meet((release, "Alice", "host"), (release, "Bob", "guest"))
    first = await alice.see("session")
    await alice.call("setSessionMetadata", "stays while somebody is here")
    await alice.call("leave")
    await bob.sees(["Bob"], "names")
    await bob.call("populateSessionMetadata")
    await bob.sees("stays while somebody is here", "sessionMetadata")
    await bob.call("leave")

    await bob.join(room.token("guest"), room.server)
    await bob.call("populateSessionMetadata")
    await bob.sees(None, "sessionMetadata")
    assert await bob.see("session") not in (first, "")
