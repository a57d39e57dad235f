"""Leases and the reaper: dead processes, processes taken for dead, and peers that stay away."""

import asyncio
import logging
import re
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from rooms.creation.rooms import create_room
from rooms.delivery import hub
from rooms.models import Event, Message, MetadataEntry, Peer, Poll, RoomCode, Session, Worker
from rooms.operations.arriving import connect
from rooms.operations.engine import gate, memory
from rooms.operations.engine.calls import Call, Caller
from rooms.operations.engine.gate import METHODS
from rooms.operations.leaving import disconnect
from rooms.process import lease
from rooms.process import reaper as reaping
from rooms.process.lease import Lease
from rooms.process.reaper import Reaper
from tests.support.sockets import LocalPeer, World, chat


def past(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def settings_of_leases(settings):
    settings.LEASE_TTL, settings.PEER_GRACE = 15, 60
    settings.RATE_LIMIT = 0


class Elsewhere:
    """Another process, of which there is only what it left in the database: a lease, and peers in the room."""

    def __init__(self, world: World, lease: Lease) -> None:
        self.world = world
        self.lease = lease

    @classmethod
    async def start(cls, world: World) -> "Elsewhere":
        lease = Lease()
        await world.query(lease._register)
        return cls(world, lease)

    async def join(self, user: str) -> Caller:
        caller = Caller(
            self.world.room.id,
            f"{user}-id",
            f"user:{user}",
            user,
            "guest",
            conn_id=f"{user}-conn",
            worker=self.lease.id,
        )
        await hub.get().perform(METHODS["join"], caller, name=user.title())
        return caller

    async def last_seen(self, seconds_ago: float) -> None:
        await self.world.query(lambda: Worker.objects.filter(id=self.lease.id).update(last_seen=past(seconds_ago)))


@pytest.mark.matrix
async def test_i05_the_peers_of_a_dead_process_are_told_lost_and_then_gone_once(world: World, settings):
    alice = await world.peer("alice")
    elsewhere = await Elsewhere.start(world)
    await elsewhere.join("bob")
    await elsewhere.join("carol")

    await elsewhere.last_seen(10)
    await world.reap()
    assert {peer.state for peer in await world.stored(Peer)} == {"connected"}

    await elsewhere.last_seen(16)
    await world.reap()
    await alice.until(lambda: len(alice.named("on-peer-state")) == 2)
    [worker] = await world.stored(Worker, id=elsewhere.lease.id)
    lost = await world.stored(Peer, state="reconnecting")
    assert [peer.gone_at for peer in lost] == [worker.last_seen] * 2
    assert not alice.named("on-peer-leave")

    settings.PEER_GRACE = 15.5
    await asyncio.gather(*(world.reap() for _ in range(3)))
    await alice.until(lambda: len(alice.named("on-peer-leave")) == 2)
    await chat(alice, "alone")
    assert {left["peer_id"] for left in alice.named("on-peer-leave")} == {"bob-id", "carol-id"}
    assert {left["reason"] for left in alice.named("on-peer-leave")} == {"websocket closed"}
    assert [peer.peer_id for peer in await world.stored(Peer, state="connected")] == [alice.peer_id]


async def test_i10_an_old_backup_that_is_put_back_removes_nobody_whose_process_lives(world: World, settings):
    alice = await world.peer("alice")
    elsewhere = await Elsewhere.start(world)
    await elsewhere.join("bob")
    await elsewhere.last_seen(3600)
    for _ in range(2):
        await world.reap()
    await alice.wait_for("on-peer-state")

    assert {peer.state for peer in await world.stored(Peer)} == {"connected", "reconnecting"}
    assert not alice.named("on-peer-leave")


@pytest.mark.matrix
async def test_i06_a_peer_of_a_dead_process_comes_back_at_another(world: World, settings):
    alice = await world.peer("alice")
    elsewhere = await Elsewhere.start(world)
    await elsewhere.join("bob")
    [before] = await world.stored(Peer, peer_id="bob-id")
    await elsewhere.last_seen(16)

    # The new socket may come before or after the process is found dead.
    bob = world.stranger("bob", peer_id="bob-id")
    await bob.connect()
    await bob.wait_for("peer-list")
    await world.reap()
    settings.PEER_GRACE = 0
    await world.reap()
    await chat(alice, "hello")
    await bob.wait_for("on-broadcast")

    [after] = await world.stored(Peer, peer_id="bob-id")
    assert (after.state, after.joined_at) == ("connected", before.joined_at)
    assert not alice.named("on-peer-leave")
    assert len(alice.named("on-peer-join")) == 1


@pytest.mark.matrix
async def test_i10_a_process_declared_dead_takes_its_peers_back(world: World, settings, monkeypatch):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    here = lease.OWN
    await world.query(lambda: Worker.objects.filter(id=here.id).update(last_seen=past(16)))
    await world.reap()
    await alice.until(lambda: len(alice.named("on-peer-state")) == 1)
    assert len(await world.stored(Peer, state="reconnecting")) == 2

    dead = here.id
    await world.query(here.beat)
    assert here.id != dead
    await alice.until(lambda: len(alice.named("on-peer-state")) == 2)
    settings.PEER_GRACE = 0
    await world.reap()
    await chat(alice, "still here")
    await bob.wait_for("on-broadcast")

    assert {(peer.state, peer.worker) for peer in await world.stored(Peer)} == {("connected", here.id)}
    assert not alice.named("on-peer-leave") + bob.named("on-peer-leave")
    assert alice.open
    assert bob.open


async def test_who_joins_anew_over_a_socket_from_before_its_process_was_declared_dead_stays(world: World, settings):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    here = lease.OWN
    await world.query(lambda: Worker.objects.filter(id=here.id).update(last_seen=past(16)))
    await world.reap()
    await world.query(here.beat)

    await bob.notify("leave")
    await bob.join("Bob")
    settings.PEER_GRACE = 0
    await world.reap()
    await world.reap()

    assert (await alice.call("get-peer", peer_id=bob.peer_id))["state"] == "connected"
    assert await chat(bob, "still here")


@pytest.mark.matrix
async def test_i10_a_peer_that_moved_meanwhile_is_not_taken_back(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    here = lease.OWN
    await world.query(lambda: Worker.objects.filter(id=here.id).update(last_seen=past(16)))
    await world.reap()
    elsewhere = await Elsewhere.start(world)
    mover = Caller(
        world.room.id, bob.peer_id, "user:bob", "bob", "guest", conn_id="elsewhere", worker=elsewhere.lease.id
    )
    await hub.get().perform(connect, mover)

    await world.query(here.beat)
    assert await bob.wait_closed() in (4002, 1012)
    await world.settled()
    [row] = await world.stored(Peer, peer_id=bob.peer_id)
    assert (row.state, row.conn_id, row.worker) == ("connected", "elsewhere", elsewhere.lease.id)
    assert alice.open


@pytest.mark.matrix
async def test_a_socket_whose_peer_was_reaped_meanwhile_is_closed(world: World, settings):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    elsewhere = await Elsewhere.start(world)
    await elsewhere.join("carol")
    here = lease.OWN
    await world.query(lambda: Worker.objects.filter(id=here.id).update(last_seen=past(16)))
    settings.PEER_GRACE = 0
    await world.reap()
    await world.query(here.beat)

    assert {await alice.wait_closed(), await bob.wait_closed()} == {1012}
    back = await world.again(alice)
    await back.wait_for("peer-list")
    assert back.named("peer-list")[0]["peers"].keys() == {"carol-id"}


async def _outage(world: World) -> tuple[Lease, Reaper, Elsewhere]:
    """A process, and another with a peer; the database was away for longer than the lease and the grace."""
    here, elsewhere = Lease(), await Elsewhere.start(world)
    await world.query(here._register)
    await world.peer("near")
    await elsewhere.join("bob")
    gone = await elsewhere.join("carol")
    await hub.get().perform(disconnect, gone)
    await world.query(lambda: Peer.objects.filter(peer_id="carol-id").update(gone_at=past(70)))
    await elsewhere.last_seen(70)
    await world.query(lambda: Worker.objects.filter(id=here.id).update(last_seen=past(70)))
    here._beaten_at -= 70
    return here, Reaper(here), elsewhere


@pytest.mark.matrix
@pytest.mark.parametrize("first", ["the reaper", "the lease"])
async def test_i10_after_an_outage_everybody_gets_time_to_come_back(world: World, first: str):
    here, reaper, elsewhere = await _outage(world)

    if first == "the reaper":
        await world.query(reaper.run_once)
    await world.query(here.beat)
    await world.query(reaper.run_once)
    await elsewhere.last_seen(0)
    await world.query(reaper.run_once)

    states = {peer.peer_id: peer.state for peer in await world.stored(Peer)}
    assert (states["bob-id"], states["carol-id"]) == ("connected", "reconnecting")
    assert [session.ended_at for session in await world.stored(Session)] == [None]
    assert here.reap_after - time.monotonic() > 50


@pytest.mark.matrix
async def test_i13_without_the_wait_after_an_outage_peers_are_lost(world: World, monkeypatch):
    monkeypatch.setattr(Lease, "_hold_back", lambda self: None)
    monkeypatch.setattr(Lease, "is_overdue", False)
    here, reaper, elsewhere = await _outage(world)

    await world.query(reaper.run_once)
    await world.query(here.beat)
    await elsewhere.last_seen(0)

    states = {peer.peer_id: peer.state for peer in await world.stored(Peer)}
    assert states["carol-id"] == "left"


@pytest.mark.matrix
async def test_i10_a_clock_that_is_set_forward_takes_nobody_away_whose_process_lives(world: World, monkeypatch):
    await world.peer("alice")
    elsewhere = await Elsewhere.start(world)
    await elsewhere.join("bob")
    here = Lease()
    await world.query(here._register)
    reaper = Reaper(here)
    await world.query(reaper.run_once)

    # An hour later by the clock, at once: the other process has not renewed its lease by it yet.
    for module in (lease, reaping):
        monkeypatch.setattr(module, "database_now", lambda: past(-3600))
    await world.query(here.beat)
    await world.query(reaper.run_once)
    await elsewhere.last_seen(-3600)
    await world.query(reaper.run_once)

    assert {peer.state for peer in await world.stored(Peer, peer_id="bob-id")} == {"connected"}
    assert here.declare_after - time.monotonic() > 10
    assert here.reap_after - time.monotonic() > 50


@pytest.mark.matrix
async def test_after_a_clock_was_set_back_nobody_is_waited_for_longer(world: World, monkeypatch):
    await world.peer("alice")
    elsewhere = await Elsewhere.start(world)
    bob = await elsewhere.join("bob")
    here = Lease()
    await world.query(here._register)
    reaper = Reaper(here)
    await world.query(reaper.run_once)
    await world.query(lambda: Peer.objects.filter(peer_id=bob.peer_id).update(state="reconnecting", gone_at=past(1)))

    for module in (lease, reaping):
        monkeypatch.setattr(module, "database_now", lambda: past(3600))
    await world.query(reaper.run_once)

    [worker] = await world.stored(Worker, id=elsewhere.lease.id)
    [peer] = await world.stored(Peer, peer_id="bob-id")
    assert max(worker.last_seen, peer.gone_at or worker.last_seen) <= past(3600 - 5)


async def test_i11_a_restart_of_the_only_process_gives_everybody_a_fresh_grace(world: World):
    elsewhere = await Elsewhere.start(world)
    await elsewhere.join("bob")
    gone = await elsewhere.join("carol")
    await hub.get().perform(disconnect, gone)
    await world.query(lambda: Peer.objects.update(gone_at=past(3600)))
    await world.query(lambda: Worker.objects.update(last_seen=past(3600)))

    booted = Lease()
    reaper = Reaper(booted)
    await world.query(booted.begin)
    await world.query(reaper.run_once)
    states = {peer.peer_id: peer.state for peer in await world.stored(Peer)}
    assert states == {"bob-id": "connected", "carol-id": "reconnecting"}  # bob may be back in a moment
    booted.declare_after = time.monotonic()
    await world.query(reaper.run_once)
    assert {peer.state for peer in await world.stored(Peer)} == {"reconnecting"}

    bob = world.stranger("bob", peer_id="bob-id")
    await bob.connect()
    await bob.wait_for("peer-list")
    await world.query(lambda: Worker.objects.create(id="of-bob", last_seen=timezone.now() + timedelta(hours=1)))
    await world.query(lambda: Peer.objects.filter(peer_id="bob-id").update(worker="of-bob"))
    booted.reap_after = time.monotonic()
    await world.query(reaper.run_once)

    states = {peer.peer_id: peer.state for peer in await world.stored(Peer)}
    assert states == {"bob-id": "connected", "carol-id": "left"}
    assert [session.ended_at for session in await world.stored(Session)] == [None]


async def test_a_connection_that_nobody_missed_is_found_by_the_next_heartbeat(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    [row] = await world.stored(Peer, peer_id=bob.peer_id)
    del hub.get().connections[row.conn_id]
    await world.query(lease.OWN.beat)
    await alice.wait_for("on-peer-state")
    [lost] = await world.stored(Peer, state="reconnecting")
    assert lost.peer_id == bob.peer_id


async def _all_show(world: World, alice: LocalPeer, states: dict[str, str]) -> None:
    """Whoever asks who is in the room is told of these peers and states."""
    door = world.stranger("visitor")
    await door.connect()
    preview = (await door.wait_for("room-state"))["params"]
    await door.close()
    found = await alice.call("find-peer")
    await alice.until(lambda: alice.named("session-info")[-1]["peer_count"] == len(states))
    lobby, listed, shown = await world.query(_pages, world.room.id)

    assert {peer_id: peer["state"] for peer_id, peer in preview["peers"].items()} == states
    assert {peer["peer_id"]: peer["state"] for peer in found["peers"]} == states
    assert (preview["peer_count"], found["total"], lobby, listed, shown) == (len(states),) * 5


def _pages(room_id: str) -> tuple[int, int, int]:
    """The head counts that the lobby, the admin's list of rooms and its page of the room show."""
    client, code = Client(), RoomCode.objects.filter(room_id=room_id)[0]
    client.force_login(User.objects.get_or_create(username="olga", is_staff=True, is_superuser=True)[0])
    lobby, listed, shown = (
        client.get(path).content.decode()
        for path in (f"/r/{code}/", "/admin/rooms/room/", f"/admin/rooms/room/{room_id}/change/")
    )
    found = (
        re.search(r"(\w+) (?:person is|people are) inside", lobby),
        re.search(r'class="field-people">(\d+)<', listed),
        re.search(r'field-people.*?class="readonly">(\d+)<', shown, re.DOTALL),
    )
    counts = [int(match[1].replace("One", "1")) for match in found if match]
    return counts[0], counts[1], counts[2]


@pytest.mark.matrix
@pytest.mark.parametrize("how", ["connection", "process"])
async def test_a1_wherever_one_looks_a_lost_peer_is_lost_and_then_gone(world: World, settings, how: str):
    settings.ROOT_URLCONF = "tests.urls_with_admin"
    alice, elsewhere = await world.peer("alice"), await Elsewhere.start(world)
    bob = await world.peer("bob", peer_id="bob-id") if how == "connection" else await elsewhere.join("bob")
    await _all_show(world, alice, {alice.peer_id: "connected", "bob-id": "connected"})

    if isinstance(bob, LocalPeer):
        await bob.drop()
    else:
        await elsewhere.last_seen(16)
        await world.reap()
    await alice.wait_for("on-peer-state")
    await _all_show(world, alice, {alice.peer_id: "connected", "bob-id": "reconnecting"})

    settings.PEER_GRACE = 0
    await asyncio.gather(*(world.reap() for _ in range(3)))
    await alice.wait_for("on-peer-leave")
    await _all_show(world, alice, {alice.peer_id: "connected"})
    assert len(alice.named("on-peer-leave")) == len(alice.named("on-peer-state")) == 1


@pytest.mark.matrix
@pytest.mark.parametrize("how", ["leave", "close", "drop", "expire", "remove", "end", "die"])
async def test_a3_however_the_last_peers_go_the_session_ends_once(world: World, settings, caplog, how: str):
    caplog.set_level(logging.INFO, "rooms")
    lifetime = -8.0 if how == "expire" else 3600
    peers = [await world.peer(user, "host", lifetime=lifetime) for user in ("alice", "bob")]
    first = await peers[0].join("Alice")
    await peers[0].call("set-metadata", key="topic", data="tea")
    await chat(peers[1], "hello", client_id="c1")
    await peers[1].call("poll-info-set", title="Lunch")

    if how in ("leave", "close", "drop"):
        await asyncio.gather(*(getattr(peer, how)() for peer in peers))
    elif how == "expire":
        assert [await peer.wait_closed() for peer in peers] == [4001, 4001]
    elif how == "remove":
        await peers[0].call("peer-leave-request", requested_for=peers[1].peer_id)
        await hub.get().perform(
            METHODS["peer-leave-request"], Caller(world.room.id, name="operator"), requested_for=peers[0].peer_id
        )
    elif how == "end":
        await peers[0].call("end-room")
    else:
        # The process hangs: its sockets are open, but its lease is not renewed any more.
        reaper = Reaper(Lease())
        await world.query(lambda: Worker.objects.filter(id=lease.worker_id()).update(last_seen=past(16)))
        await world.query(reaper.run_once)
    await world.settled()
    settings.PEER_GRACE = 0
    await asyncio.gather(*(world.reap() for _ in range(3)))

    [session] = await world.stored(Session)
    assert session.ended_at
    assert len([line for line in caplog.records if line.getMessage() == "a session ended"]) == 1
    assert {peer.state for peer in await world.stored(Peer)} == {"left"}
    for model in (MetadataEntry, Event, Message, Poll):
        assert not await world.stored(model)
    carol = await world.peer("carol")
    assert (await carol.call("get-metadata", key="topic"))["change_version"] == 0
    assert carol.named("peer-list")[0]["room"]["session_id"] != first["session_id"]
    assert carol.named("peer-list")[0]["peers"] == {}


# --- The room's lock, and the fence -------------------------------------------------------------


def _race(room_id: str) -> None:
    """The last peer leaves, and before that is committed another one joins."""
    first = Caller(room_id, "first", "user:first", "first", "guest", conn_id="c1", worker="w")
    second = Caller(room_id, "second", "user:second", "second", "guest", conn_id="c2", worker="w")
    hub.perform_now(METHODS["join"], first, name="First")

    def join() -> None:
        try:
            hub.perform_now(METHODS["join"], second, name="Second")
        finally:
            connection.close()

    joining = threading.Thread(target=join)
    with transaction.atomic():
        hub.perform_now(METHODS["leave"], first)
        joining.start()
        # Either it is done, or it waits for this transaction.
        while joining.is_alive() and not _waits_for_a_lock():
            time.sleep(0.01)
    joining.join()


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.postgres
def test_i01_i04_a_join_in_the_middle_of_the_last_leave_starts_a_session(database: str):
    room = create_room()
    _race(room.id)

    assert [bool(session.ended_at) for session in Session.objects.order_by("started_at")] == [True, False]
    assert [peer.peer_id for peer in Peer.objects.filter(session__ended_at=None, state="connected")] == ["second"]


@pytest.mark.postgres
def test_i13_without_the_rooms_lock_a_peer_enters_a_session_that_was_ended(database: str, monkeypatch):
    room = create_room()
    lock = memory.lock
    monkeypatch.setattr(memory, "lock", lambda cursor, ids, *, patience: lock(cursor, ids, patience=None))
    _race(room.id)

    assert [peer.peer_id for peer in Session.objects.order_by("started_at")[0].peers.all()] == ["first", "second"]


@pytest.mark.matrix
async def test_i13_without_the_fence_a_late_disconnect_takes_the_peer_away(world: World, monkeypatch):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    enter = gate._enter

    def unfenced(work, call):
        room = work.session(call.caller.room_id)
        peer = room and work.peer(room, call.caller.peer_id)
        if peer is None or call.operation.name != "disconnect":
            return enter(work, call)
        return enter(work, call._replace(caller=replace(call.caller, conn_id=peer.conn_id)))

    monkeypatch.setattr(gate, "_enter", unfenced)
    newer = await world.again(bob)
    await newer.wait_for("peer-list")
    await bob.wait_closed()
    await world.settled()

    [row] = await world.stored(Peer, peer_id=bob.peer_id)
    assert row.state == "reconnecting"
    await alice.wait_for("on-peer-state")


@pytest.mark.matrix
def test_i01_many_first_joiners_share_one_session(database: str):
    room = create_room()

    def join(number: int) -> None:
        caller = Caller(
            room.id, f"p{number}", f"user:u{number}", f"u{number}", "guest", conn_id=f"c{number}", worker="w"
        )
        try:
            hub.perform_now(METHODS["join"], caller, name=f"Peer {number}")
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    [session] = Session.objects.all()
    assert Peer.objects.filter(session=session, state="connected").count() == 12
    assert list(Event.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 13))


@pytest.mark.matrix
def test_i02_of_many_leaves_and_reaps_one_ends_the_session(database: str, settings):
    settings.PEER_GRACE = 0
    room = create_room()
    callers = [Caller(room.id, f"p{n}", f"user:u{n}", f"u{n}", "guest", conn_id=f"c{n}", worker="w") for n in range(8)]
    for caller in callers:
        hub.perform_now(METHODS["join"], caller, name="Peer")
    hub.perform_now(METHODS["set-metadata"], callers[0], data="x")
    ends = []

    def go(caller: Caller) -> None:
        try:
            [answer] = gate.run([Call(METHODS["leave"], caller)])
            ends.append(answer.end)
            Reaper(Lease()).run_once()
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    [session] = Session.objects.all()
    assert session.ended_at
    assert len([end for end in ends if end]) <= 1
    assert not MetadataEntry.objects.exists()
    assert not Event.objects.exists()
    assert not Peer.objects.exclude(state="left").exists()
