import pytest

from tests.sdk.driver import ends_of, since

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]

# 0.10.16 asks to raise a hand when it is told to lower somebody else's.
LOWERS_OTHERS = since("0.11.7")


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_everybody_sees_a_raised_hand(room, release):
    alice, bob = await room.meet((release, "Alice", "host"), (release, "Bob", "guest"))
    for peer in (alice, bob):
        await peer.sees({"Alice": False, "Bob": False}, "hands")

    await bob.call("raiseLocalPeerHand")
    for peer in (alice, bob):
        await peer.sees({"Alice": False, "Bob": True}, "hands")
    await alice.sees(["HAND_RAISE_CHANGED"], "notices", "HAND_RAISE_CHANGED")

    carol = await room.join(release, "Carol", "guest")
    await carol.sees({"Alice": False, "Bob": True, "Carol": False}, "hands")

    await bob.call("lowerLocalPeerHand")
    for peer in (alice, bob, carol):
        await peer.sees({"Alice": False, "Bob": False, "Carol": False}, "hands")


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_a_raised_hand_and_the_spotlight_stay_with_another_client_of_the_same_user(room, release):
    alice, bob = await room.meet((release, "Alice", "host"), (release, "Bob", "guest"))
    other = await room.open(release, "Bob at home")
    await other.join(room.token("guest", user="bob"), room.server)
    await alice.call("sessionStore.observe", ["spotlight"])
    await alice.sees(["Alice", "Bob", "Bob at home"], "names")
    ids = await alice.see("ids")
    await alice.call("sessionStore.set", "spotlight", ids["Bob"])
    await bob.call("raiseLocalPeerHand")
    await alice.sees({"Alice": False, "Bob": True, "Bob at home": False}, "hands")

    await bob.call("leave")
    for peer in (alice, other):
        await peer.sees({"Alice": False, "Bob at home": True}, "hands")
    await alice.sees(ids["Bob at home"], "key", "spotlight")


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_a_host_raises_and_lowers_the_hand_of_another(room, release):
    alice, bob = await room.meet((release, "Alice", "host"), (release, "Bob", "guest"))
    ids = await alice.see("ids")

    await alice.call("raiseRemotePeerHand", ids["Bob"])
    for peer in (alice, bob):
        await peer.sees({"Alice": False, "Bob": True}, "hands")

    if release in LOWERS_OTHERS:
        await alice.call("lowerRemotePeerHand", ids["Bob"])
        for peer in (alice, bob):
            await peer.sees({"Alice": False, "Bob": False}, "hands")
