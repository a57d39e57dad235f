"""Real servers and many peers: one order, nothing lost, nothing twice."""

import asyncio

import pytest

from tests.faults.client import Client
from tests.support.cluster import Cluster, leave_all
from tests.support.server import RawPeer
from tests.support.sockets import chat, heard, numbered, values

pytestmark = [pytest.mark.matrix, pytest.mark.faults]


@pytest.mark.parametrize("count", [50, pytest.param(200, marks=pytest.mark.soak)])
async def test_i20_i21_all_see_a_thousand_messages_in_one_order(cluster: Cluster, count: int):
    await one_order(cluster, count)


async def one_order(cluster: Cluster, count: int) -> None:
    room = cluster.room()
    peers = await cluster.peers(room, count)

    async def talk(number: int) -> None:
        for count in range(100):
            await chat(peers[number], f"{number}/{count}")

    await asyncio.gather(*(talk(number) for number in range(10)))
    for peer in peers:
        await peer.until(lambda peer=peer: len(heard(peer)) >= (900 if peer in peers[:10] else 1000), timeout=120)

    order = [message for message in peers[-1].events if message.get("method") == "on-broadcast"]
    assert len(order) == 1000
    sequence = [message["seq"] for message in order]
    assert sequence == sorted(set(sequence))
    for number, peer in enumerate(peers):
        got = [message for message in peer.events if message.get("method") == "on-broadcast"]
        assert got == [message for message in order if message["params"]["peer"]["peer_id"] != peer.peer_id], number
    for number in range(10):
        mine = [text for text in heard(peers[-1]) if text.startswith(f"{number}/")]
        assert mine == [f"{number}/{count}" for count in range(100)]
    await leave_all(peers)


async def test_i18_a_hundred_joiners_in_a_storm_of_writes_end_with_the_last_version(cluster: Cluster):
    room = cluster.room()
    writer = await cluster.peer(room, "writer")
    over = asyncio.Event()

    async def storm() -> int:
        version = 0
        while not over.is_set():
            version = (await writer.call("set-metadata", key="k", data=version))["change_version"]
            await asyncio.sleep(0.02)
        return version

    async def join(number: int) -> RawPeer:
        process = cluster.processes[number % len(cluster.processes)]
        peer = await process.peer(process.sign(room, user=f"joiner-{number}"))
        await peer.call("listen-metadata-change", keys=["k"])
        return peer

    storming = asyncio.create_task(storm())
    joiners = [peer for ten in range(10) for peer in await asyncio.gather(*(join(10 * ten + n) for n in range(10)))]
    over.set()
    last = await storming

    for joiner in joiners:
        await joiner.until(lambda joiner=joiner: values(joiner, "k")[-1:] == [(last, last - 1)])
        versions = [version for version, _ in values(joiner, "k")]
        assert versions == list(range(versions[0], last + 1))
    await leave_all([writer, *joiners])


async def test_i22_what_happened_while_a_peer_was_away_comes_once_and_in_order(cluster: Cluster):
    room = cluster.room()
    alice = await cluster.peer(room, "alice")
    bob = await cluster.peer(room, "bob")
    keys = [f"k{number}" for number in range(20)]
    await bob.call("listen-metadata-change", keys=keys)
    session_id = bob.named("peer-list")[0]["room"]["session_id"]
    await chat(alice, "before")
    place = (await bob.wait_for("on-broadcast"))["seq"]
    await bob.drop()
    await alice.wait_for("on-peer-state")

    for turn, key in enumerate(keys):
        # Several on their way at once: one after another they might take longer than a lost peer is kept.
        texts = map(str, range(15 * turn, 15 * turn + 15))
        calls = [await alice.begin("broadcast", info={"message": text, "type": "chat"}) for text in texts]
        await asyncio.gather(*calls, alice.call("set-metadata", key=key, data=turn))
    back = RawPeer(cluster.last.ws_url, bob.token, peer_id=bob.peer_id)
    answer = await back.resume({"session_id": session_id, "seq": place})
    await chat(alice, "after")
    await back.until(lambda: heard(back)[-1:] == ["after"])

    assert answer["resumed"]
    assert heard(back) == [*map(str, range(300)), "after"]
    assert [values(back, key) for key in keys] == [[(1, turn)] for turn in range(20)]
    assert numbered(back.events) == sorted(set(numbered(back.events)))
    assert not back.named("peer-list")
    assert not alice.named("on-peer-leave")
    await leave_all([alice, back])


async def test_i06_peers_that_keep_coming_back_are_never_seen_to_leave(cluster: Cluster):
    room = cluster.room()
    clients = [Client(cluster.processes, room, f"peer-{n}", keys=["k"], seed=n) for n in range(6)]
    watcher = await cluster.peer(room, "watcher")
    for client in clients:
        await client.until(client.joined.is_set)

    async def talk(client: Client) -> None:
        for count in range(12):
            await client.say(f"{client.user}/{count}")
            if count % 4 == 3:
                await client.cut()

    await asyncio.gather(*(talk(client) for client in clients))
    said = {f"peer-{n}/{count}" for n in range(6) for count in range(12)}
    await watcher.until(lambda: set(heard(watcher)) == said)
    for client in clients:
        mine = {text for text in said if text.startswith(f"{client.user}/")}
        await client.until(lambda client=client, mine=mine: set(client.heard()) == said - mine)

    assert len(heard(watcher)) == 72
    assert not watcher.named("on-peer-leave")
    for client in clients:
        assert client.wrong == []
        assert len(client.heard()) == 60
        assert client.resynced == 0
        await client.until(lambda client=client: client.resumed >= 3)
        await client.leave()
    await leave_all([watcher])
