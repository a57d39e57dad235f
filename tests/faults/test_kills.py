"""Processes that are killed, stopped and started again."""

import asyncio
import signal
import time

import pytest

from tests.faults.client import Client
from tests.support.cluster import Cluster, again, leave_all
from tests.support.processes import PATIENCE
from tests.support.server import RawPeer
from tests.support.sockets import chat, heard, values

pytestmark = pytest.mark.faults


async def settled(clients: list[Client]) -> None:
    for client in clients:
        await client.until(client.joined.is_set)


async def test_i05_i06_one_of_two_processes_is_killed_under_two_hundred_peers(pair: Cluster):
    room = pair.room()
    doomed, survivor = pair.processes
    watcher = await pair.peer(room, "watcher", at=survivor)
    returning = [Client([doomed], room, f"returning-{n}", seed=n) for n in range(90)]
    await settled(returning)
    staying = [Client([survivor], room, f"staying-{n}", seed=n) for n in range(100)]
    lost = [await pair.peer(room, f"lost-{n}", at=doomed) for n in range(10)]
    await settled(staying)
    await chat(watcher, "before")

    for client in returning:
        client.processes = [survivor]
    await asyncio.to_thread(doomed.kill)
    during = [asyncio.create_task(client.say(f"during/{client.user}")) for client in [*staying[:5], *returning[:5]]]
    await asyncio.gather(*during)
    gone = {peer.peer_id for peer in lost}
    await watcher.until(lambda: {left["peer_id"] for left in watcher.named("on-peer-leave")} == gone, timeout=180)
    await chat(watcher, "after")

    texts = {"before", "after", *(f"during/{client.user}" for client in [*staying[:5], *returning[:5]])}
    for client in [*returning, *staying]:
        await client.until(lambda client=client: set(client.heard()) == texts - {f"during/{client.user}"}, timeout=180)
        assert client.wrong == []
        assert len(client.heard()) == len(set(client.heard()))
        assert client.peers.keys() == {
            watcher.peer_id,
            *(other.peer_id for other in [*returning, *staying] if other is not client),
        }
    assert len(watcher.named("on-peer-leave")) == 10
    assert len(watcher.named("on-peer-join")) == 200
    assert {client.resynced for client in [*returning, *staying]} == {0}
    await asyncio.gather(*(client.stop() for client in [*returning, *staying]))
    await watcher.leave()


@pytest.mark.parametrize("pair", [60], indirect=True, ids=["longer than a start takes"])
async def test_i05_a_killed_process_that_comes_back_is_another_one(pair: Cluster):
    room = pair.room()
    doomed, survivor = pair.processes
    watcher = await pair.peer(room, "watcher", at=survivor)
    bob = await pair.peer(room, "bob", at=doomed)
    await asyncio.to_thread(doomed.kill)
    await asyncio.to_thread(doomed.start)
    back = await again(bob, at=doomed)
    assert (await back.join("Bob"))["resync"]
    await chat(back, "here again")
    await watcher.wait_for("on-broadcast")
    # What was declared dead by then must not take the peer with it.
    await watcher.until(lambda: watcher.named("on-peer-state") == [] or len(watcher.named("on-peer-state")) % 2 == 0)
    assert not watcher.named("on-peer-leave")
    await leave_all([watcher, back])


async def test_i10_a_process_that_stood_still_takes_its_peers_back(pair: Cluster):
    room = pair.room()
    frozen, awake = pair.processes
    watcher = await pair.peer(room, "watcher", at=awake)
    peers = [await pair.peer(room, f"peer-{n}", at=frozen) for n in range(5)]

    frozen.signal(signal.SIGSTOP)
    try:
        await watcher.until(lambda: len(watcher.named("on-peer-state")) == 5)
        await chat(watcher, "while it stood still")
    finally:
        frozen.signal(signal.SIGCONT)
    await watcher.until(lambda: len(watcher.named("on-peer-state")) == 10)
    await chat(peers[0], "awake")
    await chat(watcher, "all here?")

    assert {state["state"] for state in watcher.named("on-peer-state")[5:]} == {"connected"}
    for peer in peers:
        await peer.until(lambda peer=peer: heard(peer)[-1:] == ["all here?"])
        assert heard(peer) == [
            text for text in ("while it stood still", "awake", "all here?") if peer is not peers[0] or text != "awake"
        ]
        assert peer.open
    assert not watcher.named("on-peer-leave")
    await leave_all([watcher, *peers])


async def test_i11_the_only_process_is_killed_and_started_again(single: Cluster):
    kept, lost = single.room(), single.room()
    clients = [Client(single.processes, kept, f"client-{n}", keys=["k"], seed=n) for n in range(20)]
    await settled(clients)
    await clients[0].call("set-metadata", key="k", data="kept")
    await clients[0].say("before")
    gone = await single.peer(lost, "gone")
    await gone.call("set-metadata", key="k", data="lost")
    sessions = {client.session_id for client in clients}

    await asyncio.to_thread(single.first.kill)
    await asyncio.to_thread(single.first.start)
    await settled(clients)
    await clients[1].say("after")
    for client in clients[2:]:
        await client.until(lambda client=client: client.heard() == ["before", "after"])
        assert client.values["k"] == (1, "kept")

    assert {client.session_id for client in clients} == sessions
    assert [client.wrong for client in clients] == [[]] * 20
    assert {client.resumed for client in clients} == {1}
    live = "Session.objects.filter(room_id=room, ended_at=None).count()"
    async with asyncio.timeout(PATIENCE):
        while await single.query(live, room=lost):
            await asyncio.sleep(0.5)
    assert await single.query("MetadataEntry.objects.filter(session__room_id=room).count()", room=lost) == 0
    assert await single.query(live, room=kept) == 1
    new = await single.peer(lost, "new")
    assert (await new.call("get-metadata", key="k"))["change_version"] == 0
    await asyncio.gather(new.leave(), *(client.leave() for client in clients))


async def test_i12_a_stopped_process_hands_its_peers_over_and_removes_nobody(pair: Cluster):
    room = pair.room()
    leaving, staying = pair.processes
    watcher = await pair.peer(room, "watcher", at=staying)
    clients = [Client([leaving], room, f"client-{n}", seed=n) for n in range(40)]
    quiet = await pair.peer(room, "quiet", at=leaving)
    await settled(clients)
    for client in clients:
        client.processes = [staying]

    leaving.signal(signal.SIGTERM)
    assert await quiet.wait_closed() == 1012
    await asyncio.gather(*(client.until(lambda client=client: client.connections == 2) for client in clients))
    await settled(clients)
    await clients[0].say("moved")
    for client in clients[1:]:
        await client.until(lambda client=client: client.heard() == ["moved"])
        assert client.wrong == []
    assert await asyncio.to_thread(leaving.wait) in (0, -signal.SIGTERM)
    assert not watcher.named("on-peer-leave")
    assert len(watcher.named("on-peer-join")) == 41

    await watcher.wait_for("on-peer-leave")
    assert [left["peer_id"] for left in watcher.named("on-peer-leave")] == [quiet.peer_id]
    await asyncio.gather(watcher.leave(), *(client.leave() for client in clients))


async def test_i12_a_drained_process_hands_its_peers_over_one_after_the_other(pair: Cluster):
    room = pair.room()
    leaving, staying = pair.processes
    watcher = await pair.peer(room, "watcher", at=staying)
    clients = [Client([leaving, staying], room, f"client-{n}", keys=["k"], seed=n) for n in range(20)]
    await settled(clients)
    started = time.monotonic()

    leaving.signal(signal.SIGUSR1)
    await asyncio.to_thread(_wait_until, lambda: leaving.request("GET", "/readyz").status == 503)
    while time.monotonic() - started < 3:
        await clients[0].call("set-metadata", key="k", data="moving")
        await clients[1].say("moving")
    version = (await clients[0].call("set-metadata", key="k", data="moved"))["change_version"]
    said = clients[1].acknowledged
    for client in clients:
        await client.until(lambda client=client: client.values.get("k") == (version, "moved"), timeout=90)
        if client is not clients[1]:
            await client.until(lambda client=client: len(client.heard()) == said)
        assert client.wrong == []
    assert not watcher.named("on-peer-leave")
    await asyncio.gather(watcher.leave(), *(client.leave() for client in clients))


def _wait_until(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def test_i08_a_reload_of_the_only_peer_over_a_restart_keeps_the_session(single: Cluster):
    room = single.room()
    alice = await single.peer(room, "alice", "host")
    await alice.call("set-metadata", key="k", data="kept")
    session_id = alice.named("peer-list")[0]["room"]["session_id"]
    history = (await alice.join("Alice"))["history"]
    await asyncio.to_thread(single.first.restart)
    await alice.wait_closed()

    back = RawPeer(alice.ws_url, alice.token, peer_id=alice.peer_id)
    answer = await back.resume({"session_id": session_id, "seq": 2, "history": history})
    await back.call("listen-metadata-change", keys=["k"])
    await back.until(lambda: values(back, "k") == [(1, "kept")])
    assert answer["resumed"]
    assert answer["session_id"] == session_id
    assert heard(back) == []
    await back.leave()
