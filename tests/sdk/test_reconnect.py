import asyncio

import pytest

from tests.sdk.driver import RELEASES, WAIT, make_rooms, since
from tests.support.proxy import Proxy
from tests.support.sampling import sampled
from tests.support.server import RunningServer

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]

OF_EACH_RELEASE = [(release, f"Bob {release}", "guest") for release in RELEASES]
RETURNED = ["RECONNECTING", "RECONNECTED"]


async def come_back(peers):
    """Wait until every peer has lost its connection and found it again, once."""
    for peer in peers:
        await peer.sees(RETURNED, "notices", *RETURNED)


# The others return after a restart, below.
@pytest.mark.parametrize("release", sampled(RELEASES, (RELEASES[0], "0.10.16", RELEASES[-1])))
async def test_a_peer_that_was_cut_off_returns_unnoticed_and_learns_what_it_missed(room, proxy, release):
    alice = await room.join(release, "Alice")
    bob = await room.join(release, "Bob", "guest", metadata='{"seat":3}', server=f"http://127.0.0.1:{proxy.port}")
    carol = await room.join(release, "Carol", "guest")
    observes = release in since("0.10.16")
    if observes:
        await bob.call("sessionStore.observe", ["pin", "gone"])
        await alice.call("sessionStore.set", "gone", "soon")
        await bob.sees("soon", "key", "gone")
    ids = await alice.see("ids")

    proxy.block()
    await bob.sees(["RECONNECTING"], "notices", "RECONNECTING")
    await alice.call("changeName", "Alicia")
    await carol.call("leave")
    if observes:
        await alice.call("sessionStore.set", "pin", "new")
        await alice.call("removeKey", "gone")
    await alice.sees(["Alicia", "Bob"], "names")
    proxy.unblock()

    await bob.sees(RETURNED, "notices", *RETURNED)
    await bob.sees({"Alicia": ids["Alice"], "Bob": ids["Bob"]}, "ids")
    await bob.sees({"Alicia": "", "Bob": '{"seat":3}'}, "metadata")
    if observes:
        await bob.sees("new", "key", "pin")
        await bob.sees(None, "key", "gone")
        await alice.call("sessionStore.set", "pin", "newer")
        await bob.sees("newer", "key", "pin")
    await alice.call("sendBroadcastMessage", "welcome back")
    await bob.sees(["welcome back"], "texts")
    await bob.call("sendBroadcastMessage", "thanks")
    await alice.sees(["welcome back", "thanks"], "texts")
    await alice.sees(["PEER_JOINED", "PEER_JOINED", "PEER_LEFT"], "notices", "PEER_JOINED", "PEER_LEFT")


async def test_a_connection_that_went_silent_is_given_up_and_made_again(room, proxy):
    alice = await room.join("0.15.2", "Alice")
    bobs = [
        await room.join(release, f"Bob {release}", "guest", server=f"http://127.0.0.1:{proxy.port}")
        for release in ("0.6.4", "0.15.2")
    ]

    proxy.stall()
    for bob in bobs:
        await bob.sees(["RECONNECTING"], "notices", "RECONNECTING")
    proxy.flow()

    await come_back(bobs)
    await alice.call("sendBroadcastMessage", "still here?")
    for bob in bobs:
        await bob.sees(["still here?"], "texts")
    assert await alice.notices("PEER_LEFT") == []


async def test_peers_of_every_release_return_after_a_restart(room_in):
    with RunningServer() as server:
        room = room_in(server, *make_rooms(server)[0])
        peers = await room.meet(*OF_EACH_RELEASE)
        ids = await peers[0].see("ids")
        session = await peers[0].see("session")
        await peers[0].call("setSessionMetadata", "outlives a restart")

        server.kill()
        server.start()

        await come_back(peers)
        for peer in peers:
            await peer.sees(ids, "ids")
            await peer.sees(session, "session")
            await peer.call("populateSessionMetadata")
            await peer.sees("outlives a restart", "sessionMetadata")
        await peers[-1].call("sendBroadcastMessage", "all here")
        for peer in peers:
            await peer.sees(["all here"], "texts")
            assert await peer.notices("PEER_LEFT", "ROOM_ENDED") == []


async def test_a_peer_back_after_the_grace_is_added_again_while_the_session_lives(room_in):
    with RunningServer(PEER_GRACE=0.5, REAPER_INTERVAL=0.1) as server:
        room = room_in(server, *make_rooms(server)[0])
        async with Proxy(server.port) as proxy:
            alice = await room.join("0.15.2", "Alice")
            bobs = await asyncio.gather(
                *(room.join(*bob, server=f"http://127.0.0.1:{proxy.port}") for bob in OF_EACH_RELEASE)
            )
            everybody = sorted(["Alice", *(bob.name for bob in bobs)])
            await alice.sees(everybody, "names")

            proxy.block()
            await alice.sees(["Alice"], "names")
            proxy.unblock()

            await alice.sees(everybody, "names")
            for bob in bobs:
                await bob.sees(everybody, "names")
            await alice.call("sendBroadcastMessage", "welcome back")
            for bob in bobs:
                await bob.sees(["welcome back"], "texts")


async def test_peers_back_after_the_session_ended_are_told_so(room_in):
    with RunningServer(PEER_GRACE=0.5, REAPER_INTERVAL=0.1) as server:
        room = room_in(server, *make_rooms(server)[0])
        async with Proxy(server.port) as proxy:
            peers = await room.meet(*OF_EACH_RELEASE, server=f"http://127.0.0.1:{proxy.port}")
            ended = await peers[0].see("session")
            alice = await room.open("0.15.2", "Alice")

            # Not for long: after half a minute a release gives up.
            proxy.block()
            await alice.join(room.token(user="alice"), room.server)
            await alice.sees(["Alice"], "names")
            await alice.call("leave")
            async with asyncio.timeout(WAIT):
                while server.select("SELECT 1 FROM rooms_session WHERE ended_at IS NULL"):
                    await asyncio.sleep(0.02)
            proxy.unblock()

            for peer in peers:
                await peer.sees("Disconnected", "state")
                await peer.sees(["ROOM_ENDED"], "notices", "ROOM_ENDED", "REMOVED_FROM_ROOM")
            carol = await room.join("0.15.2", "Carol")
            await carol.sees(["Carol"], "names")
            assert await carol.see("session") != ended
