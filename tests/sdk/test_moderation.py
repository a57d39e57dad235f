import asyncio

import pytest

from tests.sdk.driver import RELEASES, ends_of

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_a_removed_peer_is_told_and_does_not_come_back(room, release):
    alice, bob, carol = await room.meet(
        (release, "Alice", "host"), (release, "Bob", "guest"), (release, "Carol", "guest")
    )
    ids = await alice.see("ids")

    await alice.call("removePeer", ids["Bob"], "enough")

    await bob.sees("Disconnected", "state")
    await bob.sees(["REMOVED_FROM_ROOM"], "notices", "REMOVED_FROM_ROOM", "ROOM_ENDED", "RECONNECTING")
    for peer in (alice, carol):
        await peer.sees(["Alice", "Carol"], "names")
        await peer.sees(["PEER_LEFT"], "notices", "PEER_LEFT")


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_the_end_of_a_room_sends_everybody_away_and_it_can_be_used_again(room, release):
    alice, bob, carol = await room.meet(
        (release, "Alice", "host"), (release, "Bob", "guest"), (release, "Carol", "guest")
    )
    ended = await alice.see("session")

    await alice.call("endRoom", False, "over")

    for peer in (alice, bob, carol):
        await peer.sees("Disconnected", "state")
    for peer in (bob, carol):
        await peer.sees(["ROOM_ENDED"], "notices", "REMOVED_FROM_ROOM", "ROOM_ENDED", "RECONNECTING")

    await bob.join(room.token("guest"), room.server)
    await bob.sees(["Bob"], "names")
    async with asyncio.timeout(15):
        while not (session := await bob.see("session")):
            await asyncio.sleep(0.05)
    assert session != ended


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_a_locked_room_lets_nobody_in(room, release):
    alice = await room.join(release, "Alice")
    await alice.call("endRoom", True, "closed for good")
    await alice.sees("Disconnected", "state")

    bob = await room.open(release, "Bob")
    error = await bob.refused("join", bob.config(room.token("guest"), room.server))
    assert error["code"] == 403
