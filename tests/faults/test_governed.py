"""Session metadata that many change at once, that expires and has owners: nothing is lost, halved or done twice."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.test_resuming import closed_within
from tests.support.clocks import settable_clock
from tests.support.cluster import Cluster, leave_all
from tests.support.server import RawPeer, RpcError
from tests.support.services import PostgresServer, RedisServer
from tests.support.sockets import values

pytestmark = pytest.mark.faults


async def observers(cluster: Cluster, room: str, keys: list[str]) -> list[RawPeer]:
    """Somebody at each process who observes these keys."""
    found = [await cluster.peer(room, f"watcher-{n}", "host", at=at) for n, at in enumerate(cluster.processes)]
    for peer in found:
        await peer.call("listen-metadata-change", keys=keys)
    return found


async def update(peer: RawPeer, *changes: dict[str, Any]) -> Any:
    return await peer.call("update-metadata", changes=list(changes))


# --- At once, over two processes ----------------------------------------------------------------


@pytest.mark.postgres
async def test_two_hundred_increments_at_once_are_two_hundred(cluster: Cluster):
    room = cluster.room()
    watchers = await observers(cluster, room, ["score"])
    peers = await cluster.peers(room, 8)
    calls = [update(peer, {"key": "score", "increment": 1}) for peer in peers for _ in range(25)]
    answers = await asyncio.gather(*calls)
    assert sorted(answer["entries"][0]["data"] for answer in answers) == list(range(1, 201))
    for watcher in watchers:
        await watcher.until(lambda watcher=watcher: len(values(watcher, "score")) == 200)
        assert values(watcher, "score") == [(number, number) for number in range(1, 201)]
    await leave_all([*watchers, *peers])


@pytest.mark.postgres
async def test_fifty_that_read_change_and_write_one_list_lose_nothing(cluster: Cluster):
    room = cluster.room()
    peers = await cluster.peers(room, 10)

    async def append(peer: RawPeer, item: str) -> None:
        entry = await peer.call("get-metadata", key="list")
        while True:
            change = {"key": "list", "data": [*(entry["data"] or []), item]}
            try:
                await update(peer, {**change, "if_change_version": entry["change_version"]})
                return
            except RpcError as error:
                assert error.code == 409
                [entry] = error.data["entries"]

    items = [f"item-{number}" for number in range(50)]
    await asyncio.gather(*(append(peers[number % 10], item) for number, item in enumerate(items)))
    entry = await peers[0].call("get-metadata", key="list")
    assert (sorted(entry["data"]), entry["change_version"]) == (sorted(items), 50)
    await leave_all(peers)


@pytest.mark.postgres
async def test_fifty_patches_of_fifty_fields_all_stand(cluster: Cluster):
    room = cluster.room()
    peers = await cluster.peers(room, 10)
    numbers = range(50)
    patches = (
        {"key": "agenda", "patch": {f"f{n}": n} if n % 2 else [{"op": "add", "path": f"/f{n}", "value": n}]}
        for n in numbers
    )
    await update(peers[0], {"key": "agenda", "data": {}})
    await asyncio.gather(*(update(peers[n % 10], patch) for n, patch in enumerate(patches)))
    entry = await peers[0].call("get-metadata", key="agenda")
    assert (entry["data"], entry["change_version"]) == ({f"f{n}": n for n in numbers}, 51)
    await leave_all(peers)


@pytest.mark.postgres
async def test_nobody_sees_a_half_of_a_call(cluster: Cluster):
    room = cluster.room()
    keys = [f"k{number}" for number in range(5)]
    hosts = await observers(cluster, room, keys)
    await hosts[0].call("set-metadata-rules", rules=[{"key": "k4", "read": ["host"]}])
    guests = [await cluster.peer(room, f"guest-{n}", at=at) for n, at in enumerate(cluster.processes)]
    some = [await cluster.peer(room, f"some-{n}", at=at) for n, at in enumerate(cluster.processes)]
    for peer in guests:
        await peer.call("listen-metadata-change", keys=keys)
    for peer in some:
        await peer.call("listen-metadata-change", keys=["k1", "k3", "k4"])
    writers = await cluster.peers(room, 6)

    async def write(number: int) -> None:
        for turn in range(8):
            # Each names the keys in an order of its own.
            order = keys[turn % 5 :] + keys[: turn % 5]
            await update(writers[number], *({"key": key, "data": f"{number}/{turn}"} for key in order))

    await asyncio.gather(*map(write, range(6)))
    for peers, seen in ((hosts, keys), (guests, keys[:4]), (some, ["k1", "k3"])):
        for peer in peers:
            await peer.until(lambda peer=peer: len(peer.named("on-metadata-change")) >= 48)
            told = peer.named("on-metadata-change")
            assert len(told) == 48
            for version, change in enumerate(told, 1):
                assert sorted(value["key"] for value in change["values"]) == seen
                assert len({value["data"] for value in change["values"]}) == 1
                assert {value["change_version"] for value in change["values"]} == {version}
    await leave_all([*hosts, *guests, *some, *writers])


# --- Whatever becomes of the processes ----------------------------------------------------------


async def test_expiry_and_owners_are_settled_once_when_one_of_two_processes_is_killed(pair: Cluster):
    room = pair.room()
    doomed, survivor = pair.processes
    keys = ["short", "long", "mine", "null", "kept"]
    watcher = await pair.peer(room, "watcher", at=survivor)
    await watcher.call("listen-metadata-change", keys=keys)
    owner = await pair.peer(room, "owner", at=doomed)
    await update(
        owner,
        {"key": "short", "data": 1, "expires_in": 2},
        {"key": "long", "data": 1, "expires_in": 3600},
        {"key": "mine", "data": 1, "owner": True, "expires_in": 60},
        {"key": "null", "data": 1, "owner": True, "on_leave": "null"},
        {"key": "kept", "data": 1, "on_leave": "keep"},
    )
    await watcher.wait_for("on-metadata-change")
    await asyncio.to_thread(doomed.kill)
    await watcher.until(lambda: len(values(watcher, "short")) == 2)
    assert [version for version, _ in values(watcher, "mine")] == [1]  # in the grace nothing happens
    await asyncio.to_thread(doomed.start)
    await watcher.wait_for("on-peer-leave")
    # Before the leave is told, in one; and both reapers have been at it.
    left = next(place for place, event in enumerate(watcher.events) if event.get("method") == "on-peer-leave")
    told = watcher.events[left - 1]
    assert told["method"] == "on-metadata-change"
    settled = {value["key"]: value["data"] for value in told["params"]["values"]}
    assert settled == {"mine": None, "null": None, "kept": 1}
    await asyncio.sleep(2)
    assert values(watcher, "short") == [(1, 1), (2, None)]
    assert values(watcher, "mine") == [(1, 1), (2, None)]
    assert values(watcher, "kept") == [(1, 1), (2, 1)]
    assert values(watcher, "long") == [(1, 1)]
    await leave_all([watcher])


async def test_what_expires_while_the_only_process_is_away_expires_once_when_it_is_back(single: Cluster):
    room = single.room()
    watcher = await single.peer(room, "watcher")
    await watcher.call("listen-metadata-change", keys=["k", "mine"])
    await update(
        watcher, {"key": "k", "data": 1, "expires_in": 2}, {"key": "mine", "data": 1, "owner": True, "expires_in": 600}
    )
    await watcher.wait_for("on-metadata-change")
    place = {"session_id": watcher.named("session-info")[-1]["session_id"], "seq": watcher.events[-1]["seq"]}
    await asyncio.to_thread(single.first.kill)
    await asyncio.sleep(2)
    await asyncio.to_thread(single.first.start)
    await watcher.wait_closed()
    back = RawPeer(watcher.ws_url, watcher.token, peer_id=watcher.peer_id)
    await back.connect()
    await back.join("Watcher", resume=place)
    await back.until(lambda: bool(values(back, "k")))
    await asyncio.sleep(1)
    assert values(back, "k")[-1] == (2, None)
    assert (await back.call("get-metadata", key="k"))["change_version"] == 2
    assert (await back.call("get-metadata", key="mine"))["data"] == 1
    await leave_all([back])


async def test_a_clock_that_is_set_by_an_hour_ends_nothing_too_early_or_too_late(tmp_path: Path, slack: float):
    set_clock, pretence = settable_clock(tmp_path)
    with Cluster(1, server="uvicorn", **pretence) as cluster:
        room, long_ago = cluster.room(), int(time.time()) - 7200
        alice = await cluster.peer(room, "alice", iat=long_ago, nbf=long_ago, exp=long_ago + 5 * 3600)
        await alice.call("listen-metadata-change", keys=["long", "short"])
        await alice.call("set-metadata", key="long", data=1, owner=True, expires_in=600)
        set_clock("+3600s")
        assert await closed_within([alice], 1.5) == []
        assert values(alice, "long") == [(1, 1)]
        set_clock("-3600s")
        begun = time.monotonic()
        await alice.call("set-metadata", key="short", data=1, expires_in=3)
        await alice.until(lambda: len(values(alice, "short")) == 2)
        # Within a second of its time, and the twentieth by which the clock catches up.
        assert 2.5 < time.monotonic() - begun < 3 * 1.06 + 3 + slack
        assert values(alice, "long") == [(1, 1)]
        await leave_all([alice])


async def test_what_is_over_ends_once_over_two_processes_when_the_database_s_clock_is_set(redis: RedisServer):
    with PostgresServer(has_settable_clock=True) as postgres:
        url = postgres.create_database()
        with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url) as cluster:
            room = cluster.room()
            watchers = await observers(cluster, room, ["long", "longer", "mine", "short"])
            holder, waiter = await cluster.peers(room, 2)
            await update(
                holder,
                {"key": "long", "data": 1, "expires_in": 600},
                {"key": "longer", "data": 1, "expires_in": 3 * 3600},
                {"key": "mine", "data": 1, "owner": True},
            )
            await holder.call("lock", name="deck", expires_in=600)
            asked = await waiter.begin("lock", name="deck", expires_in=3 * 3600, wait_ms=60_000)
            await waiter.call("get-metadata")

            postgres.set_clock("+3600s")
            assert (await asked)["holder"] == waiter.peer_id
            postgres.set_clock("-3600s")
            await update(holder, {"key": "short", "data": 1, "expires_in": 2})
            for watcher in watchers:
                await watcher.until(lambda watcher=watcher: len(values(watcher, "short")) == 2)
            # Rounds of both reapers, to which nothing is left to do.
            assert await closed_within([*watchers, holder, waiter], 2) == []
            for watcher in watchers:
                ended = [(1, 1), (2, None)]
                assert [values(watcher, key) for key in ("long", "short")] == [ended, ended]
                assert [values(watcher, key) for key in ("longer", "mine")] == [[(1, 1)], [(1, 1)]]
                changes = [(change["holder"], change["reason"]) for change in watcher.named("on-lock-change")]
                assert changes == [(holder.peer_id, "locked"), (waiter.peer_id, "expired")]
                assert not watcher.named("on-peer-leave")
            await leave_all([*watchers, holder, waiter])


async def test_nothing_ends_earlier_or_later_when_the_clocks_of_two_processes_are_set(
    postgres: PostgresServer, redis: RedisServer, tmp_path: Path
):
    set_clock, pretence = settable_clock(tmp_path)
    url = postgres.create_database()
    with Cluster(2, server="uvicorn", database_url=url, redis_url=redis.url, **pretence) as cluster:
        room, long_ago = cluster.room(), int(time.time()) - 7200
        watchers = [
            await cluster.peer(room, f"watcher-{n}", at=at, iat=long_ago, nbf=long_ago, exp=long_ago + 5 * 3600)
            for n, at in enumerate(cluster.processes)
        ]
        for watcher in watchers:
            await watcher.call("listen-metadata-change", keys=["long", "short"])
        await update(watchers[0], {"key": "long", "data": 1, "owner": True, "expires_in": 600})
        await watchers[0].call("lock", name="deck", expires_in=600)
        for key, step in (("short", "+3600s"), ("short", "-3600s")):
            set_clock(step)
            assert await closed_within(watchers, 1.5) == []
            before = len(values(watchers[0], key))
            await update(watchers[1], {"key": key, "data": 1, "expires_in": 2})
            for watcher in watchers:
                await watcher.until(lambda w=watcher, n=before: len(values(w, "short")) == n + 2)
        assert await closed_within(watchers, 2) == []
        for watcher in watchers:
            assert values(watcher, "short") == [(1, 1), (2, None), (3, 1), (4, None)]
            assert values(watcher, "long") == [(1, 1)]
            assert [change["holder"] for change in watcher.named("on-lock-change")] == [watchers[0].peer_id]
            assert not watcher.named("on-peer-leave")
        await leave_all(watchers)
