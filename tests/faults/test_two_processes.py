"""What happens at one process is so at the other."""

import asyncio
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from rooms.access.tokens import LEEWAY
from rooms.wire.close_codes import TOKEN_EXPIRED
from tests.support.cluster import ENTERING, Cluster, again, leave_all
from tests.support.server import RawPeer, RpcError
from tests.support.sockets import chat, heard

pytestmark = [pytest.mark.postgres, pytest.mark.faults]

BOTH_WAYS = pytest.mark.parametrize("here", [0, 1], ids=["from the first", "from the second"])
"""Which process the one who acts is at."""


async def test_i03_the_session_lives_while_either_process_has_a_peer(cluster: Cluster):
    one, two = cluster.processes
    for first, second in ((one, two), (two, one)):
        room = cluster.room()
        alice = await cluster.peer(room, "alice", at=first)
        bob = await cluster.peer(room, "bob", at=second)
        await alice.call("set-metadata", key="k", data="kept")
        await alice.leave()
        await bob.wait_for("on-peer-leave")

        assert (await bob.call("get-metadata", key="k"))["data"] == "kept"
        carol = await cluster.peer(room, "carol", at=first)
        assert carol.named("peer-list")[0]["room"] == bob.named("peer-list")[0]["room"]
        await bob.leave()
        await carol.wait_for("on-peer-leave")
        assert (await carol.call("get-metadata", key="k"))["data"] == "kept"
        await carol.leave()
        dave = await cluster.peer(room, "dave", at=second)
        assert (await dave.call("get-metadata", key="k"))["data"] is None
        await dave.leave()


@BOTH_WAYS
async def test_i33_a_change_of_role_counts_at_once_at_the_other_process(cluster: Cluster, here: int):
    room = cluster.room()
    alice = await cluster.peer(room, "alice", "host", at=cluster.processes[here])
    bob = await cluster.peer(room, "bob", at=cluster.processes[1 - here])
    assert (await chat(bob, "may I?"))["seq"]

    await alice.call("role-change-request", requested_for=bob.peer_id, role="viewer", force=True)
    with pytest.raises(RpcError) as refusal:
        await chat(bob, "and now?")
    await bob.until(lambda: bob.named("on-policy-change")[-1]["name"] == "viewer")

    assert refusal.value.code == 403
    assert heard(alice) == ["may I?"]
    await leave_all([alice, bob])


@BOTH_WAYS
async def test_a_removal_closes_the_socket_at_the_other_process(cluster: Cluster, here: int):
    room = cluster.room()
    alice = await cluster.peer(room, "alice", "host", at=cluster.processes[here])
    bob = await cluster.peer(room, "bob", at=cluster.processes[1 - here])

    await alice.call("peer-leave-request", requested_for=bob.peer_id, reason="bye")
    told = await bob.wait_for("on-peer-leave-request")
    assert told["params"] == {"requested_by": alice.peer_id, "reason": "bye", "room_end": False}
    assert await bob.wait_closed() == 4003

    back = await again(bob)
    refusal = await back.wait_for("on-error")
    assert (refusal["params"]["code"], refusal["params"]["message"]) == (403, "removed from this session: bye")
    assert await back.wait_closed() == 4403
    await leave_all([alice])


@BOTH_WAYS
async def test_i02_the_end_of_a_room_reaches_both_processes(cluster: Cluster, here: int):
    room = cluster.room()
    alice = await cluster.peer(room, "alice", "host", at=cluster.processes[here])
    others = await cluster.peers(room, 6)

    await alice.call("end-room", reason="over", lock=True)
    for peer in others:
        told = await peer.wait_for("on-peer-leave-request")
        # A process that looks at the database before it is told of the end does not say who ended it.
        assert {"requested_by": alice.peer_id} | told["params"] == {
            "requested_by": alice.peer_id,
            "reason": "over",
            "room_end": True,
        }
        assert await peer.wait_closed() == 4003
        assert peer.events[-1]["method"] == "on-peer-leave-request"

    for process in cluster.processes:
        stranger = RawPeer(process.ws_url, process.sign(room, user="late"))
        await stranger.connect()
        assert await stranger.wait_closed() == 4403
        token = process.sign(room, user="late")
        assert process.request("GET", "/init?peer_id=p", Authorization=f"Bearer {token}").status == 403
    await alice.close()


async def test_i07_a_peer_that_moves_to_the_other_process_has_one_socket(cluster: Cluster):
    room = cluster.room()
    alice = await cluster.peer(room, "alice")
    bob = await cluster.peer(room, "bob")
    moved = await again(bob, at=cluster.last)
    await moved.wait_for("peer-list")

    assert await bob.wait_closed() == 4002
    await chat(alice, "where are you?")
    await moved.wait_for("on-broadcast")
    assert heard(bob) == []
    assert not alice.named("on-peer-leave") + alice.named("on-peer-state")
    await leave_all([alice, moved])


async def test_i32_a_token_that_expires_ends_its_socket_at_either_process(cluster: Cluster, slack: float):
    room = cluster.room()
    watcher = await cluster.peer(room, "watcher")
    expires = int(time.time()) + ENTERING - LEEWAY
    peers = [
        await cluster.peer(room, f"peer-{number}", at=process, exp=expires)
        for number, process in enumerate(cluster.processes)
    ]
    for peer in peers:
        assert await peer.wait_closed() == 4001
        assert 0 <= time.time() - (expires + LEEWAY) < 1 + slack
        assert peer.named("on-error")[-1]["code"] == 401
    await watcher.until(lambda: len(watcher.named("on-peer-state")) == 2)
    await leave_all([watcher])


async def test_i14_versions_are_counted_over_both_processes(cluster: Cluster):
    room = cluster.room()
    peers = await cluster.peers(room, 4)
    done = 0

    async def count_up(peer: RawPeer) -> None:
        nonlocal done
        for _ in range(8):
            entry = await peer.call("get-metadata", key="n")
            while True:
                try:
                    version = entry["change_version"]
                    data = (entry["data"] or 0) + 1
                    await peer.call("set-metadata", key="n", data=data, if_change_version=version)
                    done += 1
                    break
                except RpcError as error:
                    assert error.code == 409
                    entry = error.data

    await asyncio.gather(*(count_up(peer) for peer in peers))
    entry = await peers[0].call("get-metadata", key="n")
    assert (entry["data"], entry["change_version"], done) == (32, 32, 32)
    await leave_all(peers)


async def test_i01_first_joiners_at_both_processes_share_one_session(cluster: Cluster):
    for _ in range(5):
        room = cluster.room()
        peers = await cluster.peers(room, 8)
        assert len({peer.named("peer-list")[0]["room"]["session_id"] for peer in peers}) == 1
        await leave_all(peers)


async def test_i04_many_rounds_of_joins_and_last_leaves_leave_no_ghost(cluster: Cluster):
    room = cluster.room()

    async def come_and_go(number: int) -> None:
        process = cluster.processes[number % 2]
        for _ in range(6):
            peer = RawPeer(process.ws_url, process.sign(room, user=f"user-{number}"))
            await peer.connect()
            await peer.join(f"Peer {number}")
            try:
                assert (await peer.call("get-metadata", key="k"))["change_version"] in range(100)
                await peer.call("set-metadata", key="k", data=number)
            except ConnectionClosed as closed:
                raise AssertionError(f"closed with {closed.code}") from closed
            await peer.leave()

    await asyncio.gather(*(come_and_go(number) for number in range(4)))
    count = "[Session.objects.filter(room_id=room, ended_at=None).count(), Peer.objects.filter(session__room_id=room)"
    count += ".exclude(state='left').count(), MetadataEntry.objects.filter(session__room_id=room).count(),"
    count += " Event.objects.filter(session__room_id=room).count(),"
    count += " Message.objects.filter(session__room_id=room).count()]"
    assert await cluster.query(count, room=room) == [0, 0, 0, 0, 0]


async def test_i35_a_room_that_is_disabled_refuses_newcomers_at_both(cluster: Cluster):
    room = cluster.room()
    alice = await cluster.peer(room, "alice")
    waiting = [RawPeer(process.ws_url, process.sign(room, user="early")) for process in cluster.processes]
    for peer in waiting:
        await peer.connect()
        await peer.wait_for("room-state")
    await cluster.query("Room.objects.filter(id=room).update(enabled=False)", room=room)

    for peer in waiting:
        with pytest.raises(RpcError) as refusal:
            await peer.join("Early")
        assert (refusal.value.code, refusal.value.message) == (403, "room not available")
        await peer.close()
    for process in cluster.processes:
        token = process.sign(room, user="bob")
        answer = process.request("GET", "/init?peer_id=bob", Authorization=f"Bearer {token}")
        unknown = process.request("GET", "/init?peer_id=bob", Authorization=f"Bearer {process.sign('0' * 24)}")
        assert (answer.status, answer.body) == (unknown.status, unknown.body)
        assert answer.status == 403
        bob = RawPeer(process.ws_url, token)
        await bob.connect()
        assert await bob.wait_closed() == 4403
        back = await again(alice, at=process)
        await back.wait_for("peer-list")
        alice = back
    await leave_all([alice])


async def test_a_revoked_key_ends_its_tokens_at_once_and_its_sockets_within_a_minute(cluster: Cluster, slack: float):
    one, two = cluster.processes
    room = cluster.room()
    printed = dict(line.split("=", 1) for line in one.manage("access_key", "create", "billing").splitlines())
    pair: dict[str, Any] = {"access_key": printed["ACCESS_KEY"], "secret": printed["APP_SECRET"]}
    alice = await cluster.peer(room, "alice", **pair)
    bob = await cluster.peer(room, "bob", at=two, **pair)
    carol = await cluster.peer(room, "carol", at=two)

    await asyncio.to_thread(one.manage, "access_key", "revoke", pair["access_key"])
    late = RawPeer(two.ws_url, two.sign(room, user="dave", **pair))
    await late.connect()
    await late.wait_for("on-error")
    for peer in (alice, bob):
        assert await peer.wait_closed(timeout=60 + slack) == TOKEN_EXPIRED
        assert peer.named("on-error")[-1]["message"] == "token: its access key was revoked"

    assert late.named("on-error")[0]["code"] == 401
    assert (await chat(carol, "still here"))["seq"]
    await carol.leave()


@BOTH_WAYS
async def test_who_is_writing_is_told_at_the_other_process_too(cluster: Cluster, here: int):
    room = cluster.room()
    alice = await cluster.peer(room, "alice", "host", at=cluster.processes[here])
    bob = await cluster.peer(room, "bob", at=cluster.processes[1 - here])
    await alice.call("peer-typing")
    await bob.wait_for("on-peer-typing")
    told = [{"peer_id": alice.peer_id, "typing": True, "private": False}]
    assert (bob.named("on-peer-typing"), alice.named("on-peer-typing")) == (told, [])
    await leave_all([alice, bob])
