"""Clients that come back are left in peace, however they do it and however many they are."""

import asyncio
from collections.abc import Sequence
from itertools import product

import pytest

from tests.support.cluster import Cluster, again, leave_all
from tests.support.crowd import PATIENCE, CrowdPeer
from tests.support.sampling import sampled
from tests.support.server import Message, RawPeer
from tests.support.sockets import chat, heard

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


async def resume(peer: RawPeer, place: Message | None, gap: float | None) -> RawPeer:
    """A new socket of a peer that resumes with it, or by a join after a while, or like the published SDK does not."""
    if place is not None and gap is None:
        back = RawPeer(peer.ws_url, peer.token, peer_id=peer.peer_id)
        assert (await back.resume(place))["resumed"]
        return back
    back = await again(peer)
    assert gap is not None
    await asyncio.sleep(gap)
    if place is not None:
        await back.join("Back", resume=place)
    return back


@pytest.mark.parametrize(
    ("kind", "fast_path"),
    sampled(product(["daphne", "uvicorn"], ["on", "off"]), [("daphne", "off"), ("uvicorn", "on")]),
)
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
            gaps = [None, None, None, None, 0, 0.1, 0.3, 0.45, 0.55, 1.2]
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


async def _all_resume(kind: str, count: int, unsent_seconds: float = UNSENT_SECONDS) -> None:
    cluster = Cluster(1, server=kind, MAX_UNSENT_SECONDS=unsent_seconds, PEER_GRACE=300, LEASE_TTL=30)
    with cluster:
        room = cluster.room()
        server = cluster.first
        at_once = asyncio.Semaphore(50)

        def peer(number: int, place: Message | None = None) -> CrowdPeer:
            token = server.sign(room, user=f"user-{number}")
            return CrowdPeer(server.ws_url, token, f"peer-{number}", kinds=("on-peer-leave",), place=place)

        async def enter(number: int) -> tuple[CrowdPeer, Message]:
            async with at_once:
                entering = peer(number)
                await entering.connect()
                answer = await entering.call("join", name="Peer")
            return entering, {key: answer[key] for key in ("session_id", "history")}

        entered = await asyncio.gather(*(enter(number) for number in range(count)))
        await entered[0][0].call("broadcast", info={"message": "before"})
        await asyncio.gather(*(one.hears("before") for one, _ in entered[1:]))
        places = [{**place, "seq": (await one.call("ping"))["seq"]} for one, place in entered]
        server.kill()
        await asyncio.gather(*(one.closed.wait() for one, _ in entered))
        server.start()

        async def come_back(number: int) -> tuple[CrowdPeer, Message]:
            with_socket = number % 3 != 0
            async with at_once:
                coming = peer(number, places[number] if with_socket else None)
                await coming.connect()
            if with_socket:
                return coming, await asyncio.wait_for(coming.resumed, PATIENCE)
            await asyncio.sleep(number % 10 / 10)
            return coming, await coming.call("join", name="Peer", resume=places[number])

        back = await asyncio.gather(*(come_back(number) for number in range(count)))
        await asyncio.sleep(3 * unsent_seconds)
        assert [one.close_code for one, _ in back if one.closed.is_set()] == []
        assert [answer for _, answer in back if not answer.get("resumed")] == []
        await back[0][0].call("broadcast", info={"message": "after"})
        for one, _ in back[1:]:
            await one.hears("after")
            assert one.heard == ["after"]
            assert not one.told["on-peer-leave"]
        for one, _ in back:
            one.cut()


@pytest.mark.parametrize("kind", sampled(["daphne", "uvicorn"], ["uvicorn"]))
async def test_200_peers_that_resume_after_a_restart_are_not_closed(kind: str):
    await _all_resume(kind, 200)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_1000_peers_that_resume_after_a_restart_are_not_closed(kind: str):
    # More seconds, for the process that reads for all is itself slow to.
    await _all_resume(kind, 1000, unsent_seconds=5)
