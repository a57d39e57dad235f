"""Clients that come back are left in peace, however they do it and however many they are."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from tests.cluster import Cluster, again, leave_all
from tests.server import Message, RawPeer
from tests.sockets import chat, heard

pytestmark = pytest.mark.faults

UNSENT_SECONDS = 1.0
IDLE = 3 * UNSENT_SECONDS


async def closed_within(peers: Sequence[RawPeer], seconds: float) -> list[int | None]:
    """The codes with which sockets were closed that stay idle for so long."""
    readers = [peer._reader for peer in peers if peer._reader]
    await asyncio.wait(readers, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    return [peer.close_code for peer in peers if not peer.open]


async def place_of(peer: RawPeer, joined: Message) -> Message:
    return {**joined, "seq": (await peer.call("ping"))["seq"]}


async def resume(peer: RawPeer, place: Message | None, gap: float) -> RawPeer:
    """A new socket of a peer that asks to resume after a while, or like the published SDK does not ask."""
    back = await again(peer)
    await asyncio.sleep(gap)
    if place is not None:
        await back.join("Back", resume=place)
    return back


@pytest.mark.parametrize("fast_path", ["on", "off"])
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_client_that_resumes_stays_connected_whatever_the_gap(kind: str, fast_path: str):
    with Cluster(1, server=kind, FAST_PATH=fast_path, MAX_UNSENT_SECONDS=UNSENT_SECONDS, PEER_GRACE=60) as cluster:
        quiet, busy = cluster.room(), cluster.room()
        back: list[RawPeer] = []
        speaker = await cluster.peer(busy, "speaker")
        over = asyncio.Event()

        async def talk() -> int:
            said = 0
            while not over.is_set():
                await chat(speaker, f"{said}" + "x" * 500)
                said += 1
                await asyncio.sleep(0.02)
            return said

        talking = asyncio.create_task(talk())
        for room in (quiet, busy):
            peers = [
                await cluster.first.peer(cluster.first.sign(room, user=f"user-{number}"), "Peer")
                for number in range(12)
            ]
            places = [{"session_id": "", "seq": 0} for _ in peers]
            for number, peer in enumerate(peers):
                joined = peer.named("session-info")
                await peer.wait_for("session-info")
                joined = peer.named("session-info")
                places[number] = await place_of(
                    peer, {"session_id": joined[-1]["session_id"], "history": joined[-1]["history"]}
                )
            await asyncio.gather(*(peer.drop() for peer in peers))
            gaps = [0, 0.1, 0.2, 0.3, 0.4, 0.45, 0.55, 0.7, 0.9, 1.2]
            back += await asyncio.gather(
                *(resume(peer, place, gap) for peer, place, gap in zip(peers, places, gaps, strict=False)),
                *(resume(peer, None, 0) for peer in peers[len(gaps) :]),
            )
        assert await closed_within(back, IDLE) == []
        # Joining again on the same socket, and a join that is refused, change nothing about that.
        for peer in back:
            await peer.join("Again")
            await peer.begin("join", name=1)
        assert await closed_within(back, IDLE) == []
        over.set()
        await talking
        await chat(speaker, "the last")
        for peer in back[12:]:
            await peer.until(lambda peer=peer: heard(peer)[-1:] == ["the last"])
        await leave_all([*back, speaker])


async def _all_resume(kind: str, count: int) -> None:
    cluster = Cluster(1, server=kind, MAX_UNSENT_SECONDS=UNSENT_SECONDS, PEER_GRACE=300, LEASE_TTL=30)
    with cluster:
        room = cluster.room()
        server = cluster.first
        old = [RawPeer(server.ws_url, server.sign(room, user=f"user-{number}")) for number in range(count)]
        at_once = asyncio.Semaphore(50)

        async def enter(peer: RawPeer) -> Message:
            async with at_once:
                await peer.connect()
                return await peer.join("Peer")

        joined = await asyncio.gather(*(enter(peer) for peer in old))
        await chat(old[0], "before")
        places = await asyncio.gather(
            *(
                place_of(peer, {key: answer[key] for key in ("session_id", "history")})
                for peer, answer in zip(old, joined, strict=True)
            )
        )
        server.kill()
        await asyncio.gather(*(peer.wait_closed(timeout=60) for peer in old))
        server.start()

        answers: list[Message] = []

        async def come_back(number: int) -> RawPeer:
            peer = await again(old[number])
            await asyncio.sleep(number % 10 / 10)
            answers.append(await peer.join("Peer", resume=places[number]))
            return peer

        started = time.monotonic()
        back = await asyncio.gather(*(come_back(number) for number in range(count)))
        assert await closed_within(back, IDLE + time.monotonic() - started) == []
        assert [answer for answer in answers if not answer.get("resumed")] == []
        await chat(back[0], "after")
        for peer in back[1:]:
            await peer.until(lambda peer=peer: heard(peer)[-1:] == ["after"], timeout=60)
            assert not peer.named("on-peer-leave")
        await asyncio.gather(*(peer.close() for peer in back))


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_200_peers_that_resume_after_a_restart_are_not_closed(kind: str):
    await _all_resume(kind, 200)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_1000_peers_that_resume_after_a_restart_are_not_closed(kind: str):
    await _all_resume(kind, 1000)
