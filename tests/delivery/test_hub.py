"""Hubs: operations in, events out; and two of them that hear each other badly."""

import asyncio
import json
import threading
from collections.abc import Iterable
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from rooms.delivery import hub
from rooms.delivery.doorbell import _Line
from rooms.delivery.feed import Feed
from rooms.delivery.order import Arrival
from rooms.models import Event, Message, Peer, Session
from rooms.operations.engine import gate
from rooms.operations.engine.calls import Answer, Caller
from rooms.operations.engine.gate import METHODS, operation
from rooms.operations.metadata.governing import set_metadata_rules
from rooms.operations.moderation import end_room
from rooms.sockets.framing import framed
from rooms.sockets.outbox import AsgiOutbox
from rooms.wire.errors import BadRequest, NotFound, RoomError
from rooms.wire.events import Event as Told
from rooms.wire.results import Outcome
from tests.support.lossy import two_hubs
from tests.support.processes import PATIENCE
from tests.support.server import RpcError
from tests.support.sockets import World, chat, heard, names, numbered, values

BAD: dict[str, Any] = {"lose": 0.3, "repeat": 0.2, "delay": 0.3}


@pytest.fixture(autouse=True)
def quick(settings):
    settings.RATE_LIMIT = 0
    settings.POSITION_CHECK_INTERVAL = 0.2


# --- One hub ------------------------------------------------------------------------------------


async def test_an_operation_of_the_server_is_heard_by_peers(world: World):
    alice = await world.peer("alice")

    await hub.get().perform(end_room, Caller(world.room.id, name="admin"), reason="maintenance")

    assert await alice.wait_closed() == 4003
    assert alice.named("on-peer-leave-request") == [{"reason": "maintenance", "room_end": True}]
    with pytest.raises(NotFound):
        await hub.get().perform(end_room, Caller(world.room.id))


async def test_synchronous_code_is_heard_when_its_transaction_commits(world: World):
    alice = await world.peer("alice")
    await world.query(lambda: hub.perform_now(end_room, Caller(world.room.id), reason="by hand"))
    assert await alice.wait_closed() == 4003


async def test_what_was_due_is_heard_though_synchronous_code_is_refused(world: World, settings):
    settings.POSITION_CHECK_INTERVAL = 3600
    alice = await world.peer("alice")
    await alice.call("listen-metadata-change", keys=["k"])
    await alice.call("set-metadata", key="k", data=1, expires_in=1)
    await asyncio.sleep(1.05)
    with pytest.raises(BadRequest):
        await world.query(lambda: hub.perform_now(set_metadata_rules, Caller(world.room.id), rules=[{}]))
    await alice.until(lambda: values(alice, "k")[-1] == (2, None))


@operation("test-broken")
def broken(context: Any) -> Outcome:
    """Looks fine until it is stored."""
    context.work.add(Peer(session=context.session, peer_id=context.actor, joined_at=context.now))
    return Outcome({}, [Told("on-broadcast", json.dumps({"info": {"message": "never"}}))])


del METHODS["test-broken"]


@pytest.mark.matrix
async def test_i19_a_failed_transaction_tells_nobody_and_takes_no_number(world: World, monkeypatch):
    monkeypatch.setitem(METHODS, "test-broken", broken)
    alice, bob, carol = [await world.peer(user) for user in ("alice", "bob", "carol")]

    failing = await bob.begin("test-broken")
    beside = [await alice.begin("broadcast", info={"message": f"{count}"}) for count in range(5)]
    with pytest.raises(RpcError) as error:
        await failing
    await asyncio.gather(*beside)
    await carol.until(lambda: len(heard(carol)) == 5)

    assert error.value.code == 500
    assert heard(carol) == [str(count) for count in range(5)]
    journal = [event.seq for event in await world.stored(Event)]
    journal = sorted(journal + [message.seq for message in await world.stored(Message)])
    assert journal == list(range(1, len(journal) + 1))


async def test_i19_a_change_is_acknowledged_although_the_doorbell_fails(world: World, monkeypatch):
    async with two_hubs(monkeypatch, "BrokenLayer") as both:
        alice = await world.peer("alice", application=both.one)
        near = await world.peer("near", application=both.one)
        far = await world.peer("far", application=both.two)

        assert (await chat(alice, "hello"))["seq"] == 4
        await near.wait_for("on-broadcast")
        await far.wait_for("on-broadcast")
        await world.leave()


async def test_a_feed_is_not_kept_for_a_socket_that_went_while_the_layer_was_asked(world: World, monkeypatch):
    here = hub.get()
    never_started = _Line(InMemoryChannelLayer(), "1 of 1", "worker", here.feeds, here._heard, here._pass)
    monkeypatch.setattr(here._doorbell, "lines", [never_started])
    opening = asyncio.create_task(here.open_feed("x" * 24))
    await asyncio.sleep(0)
    assert "x" * 24 in here.feeds

    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)

    assert "x" * 24 not in here.feeds


async def test_a_search_beside_a_resume_takes_nothing_from_it(world: World, monkeypatch):
    alice, bob, carol, dora = [await world.peer(user) for user in ("alice", "bob", "carol", "dora")]
    await carol.call("listen-metadata-change", keys=["topic"])
    place = {name: (await carol.join("Carol"))[name] for name in ("session_id", "seq", "history")}
    await carol.drop()
    await world.settled()
    busy, resumed = Halt(), Halt()
    halts = iter([busy, resumed])
    monkeypatch.setattr(gate, "chronicle", lambda answers: next(halts, list)(answers))

    await alice.begin("broadcast", info={"message": "first"})
    await busy.reached()
    coming = asyncio.create_task(world.resume(carol, place))
    await alice.begin("broadcast", info={"message": "second"})
    await bob.begin("set-metadata", key="topic", data="tea")
    await asyncio.sleep(0.1)  # these go into one set
    busy.end()
    await resumed.reached()  # stored, and not answered
    searching = await dora.begin("find-peer")
    await asyncio.sleep(0.1)
    resumed.end()

    carol, answer = await coming
    assert answer["resumed"]
    assert len((await searching)["peers"]) == 4
    await carol.until(lambda: values(carol, "topic") == [(1, "tea")])
    assert heard(carol) == ["first", "second"]


class Halt:
    """Holds the thread that writes between a commit and its answers."""

    def __init__(self) -> None:
        self._reached, self._ended = threading.Event(), threading.Event()

    def __call__(self, answers: Iterable[Answer]) -> None:
        self._reached.set()
        self._ended.wait(PATIENCE)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, PATIENCE)

    def end(self) -> None:
        self._ended.set()


class BrokenOutbox(AsgiOutbox):
    """A socket that cannot be looked at."""

    @property
    def unsent(self) -> int:
        raise ZeroDivisionError


async def test_an_error_of_one_socket_does_not_end_the_look_at_the_others(world: World, settings):
    settings.LEASE_TTL, settings.MAX_UNSENT_SECONDS = 0.04, 0.3
    alice = await world.peer("alice")
    hears_nothing, given_up = asyncio.Event(), asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        await hears_nothing.wait()

    here = hub.get()
    here.connections = {
        "broken": hub.Connection(lambda code: None, BrokenOutbox(send, lambda: None), "", lambda: None),
        "deaf": hub.Connection(lambda code: None, AsgiOutbox(send, given_up.set), "", lambda: None),
        **here.connections,
    }
    here.connections["deaf"].outbox.put(framed("unheard"))
    await asyncio.wait_for(given_up.wait(), PATIENCE)
    before = here.ticked_at
    while here.ticked_at == before:
        await asyncio.sleep(0.005)
    await chat(alice, "still here")
    del here.connections["broken"], here.connections["deaf"]


class BrokenFeed(Feed):
    """A room in which nothing works."""

    def advance(self) -> None:
        raise ZeroDivisionError

    def compare(self, found: Any) -> None:
        raise ZeroDivisionError


async def test_an_error_of_one_room_keeps_no_other_from_its_news(world: World, monkeypatch):
    async with two_hubs(monkeypatch) as both:
        other = await world.new_room(title="Other")
        alice, bob = await world.peer("alice", application=both.one), await world.peer("bob", application=both.two)
        near = await world.peer("near", application=both.one)
        one = both.hubs[0]
        for each in both.hubs:
            broken = BrokenFeed(other.id, each._read)
            broken.order.session_id = "x" * 24
            others = dict(each.feeds)
            each.feeds.clear()
            each.feeds.update({other.id: broken, **others})
        stranger = Caller(other.id, peer_id="p", conn_id="c")
        calls = [one.perform(METHODS["get-metadata"], stranger), chat(alice, "first"), chat(alice, "second")]
        refused = asyncio.ensure_future(calls[0])
        await asyncio.gather(*calls[1:])
        await near.until(lambda: heard(near) == ["first", "second"])
        await bob.until(lambda: heard(bob) == ["first", "second"])
        one._doorbell.publish(other.id, Arrival("x" * 24, 1))
        both.layer._lose = 1
        await chat(alice, "of which nothing tells")
        await bob.until(lambda: heard(bob)[-1] == "of which nothing tells")
        refused.cancel()
        for each in both.hubs:
            del each.feeds[other.id]
        await world.leave()


# --- Two hubs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_i21_each_event_arrives_once_and_in_order_over_a_bad_layer(world: World, monkeypatch, seed: int):
    async with two_hubs(monkeypatch, seed=seed, **BAD) as both:
        peers = [await world.peer(f"peer{n}", application=(both.one, both.two)[n % 2]) for n in range(8)]
        for count in range(40):
            await asyncio.gather(*(chat(peer, f"{number}/{count}") for number, peer in enumerate(peers)))
        for peer in peers:
            await peer.until(lambda peer=peer: len(heard(peer)) == 280)

        sequence = [event.seq for event in await world.stored(Message)]
        assert len(sequence) == 320
        for number, peer in enumerate(peers):
            got = numbered(peer.events)
            assert got == sorted(set(got))
            assert set(heard(peer)) == {f"{n}/{c}" for n in range(8) for c in range(40) if n != number}
        assert both.layer.lost > 0
        await world.leave()


@pytest.mark.matrix
@pytest.mark.parametrize("seed", [1, 2])
async def test_i16_i17_listeners_converge_and_versions_only_rise(world: World, monkeypatch, seed: int):
    async with two_hubs(monkeypatch, seed=seed, **BAD) as both:
        peers = [await world.peer(f"peer{n}", application=(both.one, both.two)[n % 2]) for n in range(6)]
        for peer in peers:
            await peer.call("listen-metadata-change", keys=["k", "l"])

        async def write(number: int) -> None:
            for count in range(30):
                await peers[number].call("set-metadata", key="kl"[count % 2], data=f"{number}/{count}")

        await asyncio.gather(*(write(number) for number in range(4)))
        last = {key: await peers[0].call("get-metadata", key=key) for key in "kl"}
        for peer in peers:
            for key in "kl":
                end = [(last[key]["change_version"], last[key]["data"])]
                await peer.until(lambda peer=peer, key=key, end=end: values(peer, key)[-1:] == end)
                versions = [version for version, _ in values(peer, key)]
                assert versions == sorted(set(versions))
        assert last["k"]["change_version"] == last["l"]["change_version"] == 60
        await world.leave()


async def test_i18_who_joins_at_another_process_in_a_storm_misses_no_version(world: World, monkeypatch):
    async with two_hubs(monkeypatch, seed=4, **BAD) as both:
        writer = await world.peer("writer", application=both.one)
        over = asyncio.Event()

        async def storm() -> int:
            version = 0
            while not over.is_set():
                version = (await writer.call("set-metadata", key="k", data=version))["change_version"]
            return version

        storming = asyncio.create_task(storm())
        joiners = []
        for number in range(15):
            joiner = await world.peer(f"joiner{number}", application=both.two)
            await joiner.call("listen-metadata-change", keys=["k"])
            joiners.append(joiner)
        over.set()
        last = await storming
        for joiner in joiners:
            await joiner.until(lambda joiner=joiner: values(joiner, "k")[-1:] == [(last, last - 1)])
            versions = [version for version, _ in values(joiner, "k")]
            assert versions == list(range(versions[0], last + 1))
        await world.leave()


async def test_i17_a_last_change_arrives_although_nothing_told_of_it(world: World, monkeypatch):
    async with two_hubs(monkeypatch, lose=1) as both:
        alice = await world.peer("alice", "host", application=both.one)
        bob = await world.peer("bob", application=both.two)
        await bob.call("listen-metadata-change", keys=["k"])
        await alice.call("set-metadata", key="k", data="alone")
        await bob.wait_for("on-metadata-change")
        assert values(bob, "k") == [(1, "alone")]
        assert (await bob.call("ping"))["seq"] == 3
        await world.leave()


async def test_i02_an_end_that_nobody_told_of_is_noticed_and_final(world: World, monkeypatch):
    async with two_hubs(monkeypatch, lose=1) as both:
        alice = await world.peer("alice", "host", application=both.one)
        bob = await world.peer("bob", application=both.two)
        await bob.call("listen-metadata-change", keys=["k"])

        await alice.call("set-metadata", key="k", data="late")
        await chat(alice, "late too")
        await alice.call("end-room", reason="over")
        carol = await world.peer("carol", application=both.one)
        await chat(carol, "of the next session")

        assert await bob.wait_closed() == 4003
        assert bob.named("on-peer-leave-request") == [{"reason": "over", "room_end": True}]
        assert names(bob.events)[-1] == "on-peer-leave-request"
        assert "of the next session" not in heard(bob)
        assert [bool(session.ended_at) for session in await world.stored(Session)].count(True) == 1
        await world.leave()


@pytest.mark.parametrize("lose", [0, 1])
async def test_what_is_done_to_a_peer_reaches_its_socket_at_another_hub(world: World, monkeypatch, lose: int):
    async with two_hubs(monkeypatch, lose=lose) as both:
        alice = await world.peer("alice", "host", application=both.one)
        bob, carol = [await world.peer(user, application=both.two) for user in ("bob", "carol")]

        await alice.call("role-change-request", requested_for=carol.peer_id, role="viewer", force=True)
        await alice.call("peer-leave-request", requested_for=bob.peer_id, reason="bye")
        with pytest.raises(RpcError) as refusal:
            await chat(carol, "not any more")

        assert refusal.value.code == 403
        assert await bob.wait_closed() == 4003
        assert bob.named("on-peer-leave-request") == [
            {"requested_by": alice.peer_id, "reason": "bye", "room_end": False}
        ]
        assert not bob.named("on-peer-leave")
        assert carol.named("on-policy-change")[-1]["name"] == "viewer"
        await world.leave()


@pytest.mark.parametrize("lose", [0, 1])
async def test_i07_a_peer_taken_over_at_another_hub_has_one_socket(world: World, monkeypatch, lose: int):
    async with two_hubs(monkeypatch, lose=lose) as both:
        alice = await world.peer("alice", application=both.one)
        bob = await world.peer("bob", application=both.one)
        newer = await world.again(bob, application=both.two)
        await newer.wait_for("peer-list")

        assert await bob.wait_closed() == 4002
        await chat(alice, "which of you?")
        await newer.wait_for("on-broadcast")
        assert heard(bob) == []
        [row] = await world.stored(Peer, peer_id=bob.peer_id)
        assert row.state == "connected"
        await world.leave()


async def test_i06_coming_back_at_another_hub_loses_nothing(world: World, monkeypatch):
    async with two_hubs(monkeypatch, seed=7, **BAD) as both:
        alice = await world.peer("alice", application=both.one)
        bob = await world.peer("bob", application=both.two)
        await chat(alice, "before")
        place = (await bob.wait_for("on-broadcast"))["seq"]
        session_id = bob.named("peer-list")[0]["room"]["session_id"]
        await bob.drop()
        for count in range(20):
            await chat(alice, f"{count}")
        back, answer = await world.resume(bob, {"session_id": session_id, "seq": place}, application=both.one)
        await chat(alice, "after")
        await back.until(lambda: heard(back)[-1:] == ["after"])

        assert answer["resumed"]
        assert heard(back) == [*map(str, range(20)), "after"]
        assert not alice.named("on-peer-leave")
        assert len(alice.named("on-peer-join")) == 1
        await world.leave()


async def test_i03_a_session_lives_while_one_hub_has_a_peer(world: World, monkeypatch):
    async with two_hubs(monkeypatch) as both:
        alice = await world.peer("alice", application=both.one)
        bob = await world.peer("bob", application=both.two)
        await alice.call("set-metadata", key="k", data="kept")
        await alice.leave()
        await bob.wait_for("on-peer-leave")
        assert (await bob.call("get-metadata", key="k"))["data"] == "kept"

        carol = await world.peer("carol", application=both.one)
        await bob.leave()
        await carol.wait_for("on-peer-leave")
        assert (await carol.call("get-metadata", key="k"))["data"] == "kept"
        assert len(await world.stored(Session)) == 1
        await world.leave()


async def test_a_place_that_was_trimmed_ends_in_a_resync_of_the_hub(world: World, monkeypatch, settings):
    settings.JOURNAL_EVENTS = 8
    settings.JOURNAL_SECONDS = settings.KEPT_MESSAGES = settings.CLIENT_ID_SECONDS = 0
    settings.POSITION_CHECK_INTERVAL = 3600
    async with two_hubs(monkeypatch, lose=1) as both:
        alice = await world.peer("alice", application=both.one)
        bob = await world.peer("bob", application=both.two)
        await bob.call("listen-metadata-change", keys=["k"])
        await chat(bob, "here")
        place = (await bob.call("ping"))["seq"]
        session_id = bob.named("peer-list")[0]["room"]["session_id"]
        for count in range(130):
            await chat(alice, f"{count}")
        await alice.call("set-metadata", key="k", data="now")

        with pytest.raises((ConnectionError, RoomError)):
            await bob.call("get-metadata")
        assert await bob.wait_closed() == 4008
        back, answer = await world.resume(bob, {"session_id": session_id, "seq": place}, application=both.two)
        assert answer["resync"]
        await back.wait_for("on-metadata-change")
        assert values(back, "k") == [(1, "now")]
        await chat(alice, "and on")
        await world.leave()
