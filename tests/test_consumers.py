"""Sockets in one process: joining, leaving, messages, metadata, coming back, and everything that is refused."""

import asyncio
import re
import threading
from collections.abc import Sequence
from typing import Annotated, Any

import pytest
from django.db import transaction

from rooms import consumers
from rooms.access import tokens
from rooms.delivery import hub
from rooms.delivery.membership import Membership
from rooms.models import Event, Message, MetadataEntry, Peer, Room, Session
from rooms.operations.engine import gate, memory
from rooms.operations.engine.calls import Answer, Call
from rooms.operations.engine.gate import METHODS, operation
from rooms.process import lease
from rooms.wire import frames
from rooms.wire.close_codes import RESTART, TOO_SLOW
from rooms.wire.parameters import Chars
from rooms.wire.results import Outcome
from tests.support.server import RpcError
from tests.support.sockets import World, chat, heard, names, numbered, values

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def unhurried(settings):
    settings.RATE_LIMIT = 0


async def refused(call: Any) -> int:
    """The code of the error that a call ends in."""
    with pytest.raises(RpcError) as error:
        await call
    return error.value.code


# --- Coming and going ---------------------------------------------------------------------------


async def test_a_join_is_answered_before_the_state_that_follows(world: World):
    alice = world.stranger("alice", "host")
    await alice.connect()
    await alice.wait_for("session-info")
    assert names(alice.events) == ["on-policy-change", "room-state", "session-info"]
    assert alice.named("on-policy-change")[0]["name"] == "host"
    assert alice.named("room-state")[0]["peer_count"] == 0

    before = len(alice.events)
    answer = await alice.join("Alice")
    await alice.wait_for("peer-list")

    [session] = await world.stored(Session)
    assert answer.pop("limits").items() >= {"used_keys": 0, "max_value_bytes": 16384, "resume_seconds": 60}.items()
    assert answer.pop("timestamp") == int(session.started_at.timestamp() * 1000)
    assert answer == {"session_id": session.id, "seq": 1, "history": lease.worker_id()}
    assert names(alice.events[before:])[:2] == ["peer-list", "session-info"]
    started_at = int(session.started_at.timestamp() * 1000)
    room = {"name": "Team", "title": "Team", "description": "", "locked": False, "slow_mode": 0, "history": 100}
    room |= {"session_id": session.id, "started_at": started_at}
    assert alice.named("peer-list") == [{"peers": {}, "room": room}]


@pytest.mark.matrix
async def test_who_joins_observing_keys_is_told_their_values_and_last_itself(world: World):
    alice = await world.peer("alice", "host")
    await alice.call("set-metadata", key="topic", data="hello")
    bob = world.stranger("bob")
    await bob.connect()
    answer = await bob.join("Bob", observe=["topic", "default", "topic"])
    await bob.wait_for("on-peer-update")

    assert answer["observed"] == ["default", "topic"]
    after = names(bob.events)[names(bob.events).index("peer-list") :]
    assert after == ["peer-list", "session-info", "on-metadata-change", "on-peer-update"]
    [told] = bob.named("on-metadata-change")
    assert [(entry["key"], entry["data"]) for entry in told["values"]] == [("default", None), ("topic", "hello")]
    assert bob.named("on-peer-update")[0]["peer_id"] == bob.peer_id
    await alice.call("set-metadata", key="topic", data="again")
    await bob.wait_for("on-metadata-change", after=len(bob.events) - 1)

    place = {name: answer[name] for name in ("session_id", "history")} | {"seq": (await bob.call("ping"))["seq"]}
    assert "observed" not in await bob.join("Bob", resume=place, observe=["other"])  # it observes what it did
    await alice.call("set-metadata", key="other", data=1)
    await alice.call("set-metadata", key="topic", data="once more")
    [change] = (await bob.wait_for("on-metadata-change", after=len(bob.events) - 1))["params"]["values"]
    assert change["key"] == "topic"
    assert await refused(bob.call("join", observe=[""])) == 400


@pytest.mark.matrix
async def test_others_hear_of_a_join_and_newcomers_of_everybody(world: World):
    alice = await world.peer("alice", "host", data='{"k":1}')
    bob = await world.peer("bob")
    await alice.wait_for("on-peer-join")

    [joined] = alice.named("on-peer-join")
    listed = bob.named("peer-list")[0]["peers"]
    assert listed.keys() == {alice.peer_id}
    [row] = await world.stored(Peer, peer_id=bob.peer_id)
    assert joined == {
        "peer_id": bob.peer_id,
        "person": row.person,
        "role": "guest",
        "joined_at": joined["joined_at"],
        "groups": [],
        "realtime": True,
        "state": "connected",
        "info": {"name": "Bob", "data": "", "user_id": "bob", "type": "regular"},
        "tracks": {},
    }
    assert listed[alice.peer_id]["info"] == {"name": "Alice", "data": '{"k":1}', "user_id": "alice", "type": "regular"}
    assert not bob.named("on-peer-join")


async def test_who_waited_at_the_door_is_told_the_rules_that_hold_when_it_comes_in(world: World):
    alice = await world.peer("alice", "host")
    bob, carol = world.stranger("bob"), world.stranger("carol")
    await bob.connect()
    await bob.wait_for("session-info")
    rules = [{"key": "pinnedMessages", "write": ["host"]}]
    await alice.call("set-metadata-rules", rules=rules)
    await carol.connect()
    for peer, times in ((bob, 2), (carol, 1)):
        await peer.join(peer.peer_id)
        await peer.call("ping")
        policies = peer.named("on-policy-change")
        assert len(policies) == times
        assert policies[-1]["plugins"] == {"metadata": {"rules": rules, "room_rules": 1}}
    await bob.call("leave")
    await alice.call("set-metadata-rules", rules=[])
    await bob.join("Bob")
    await bob.call("ping")
    assert bob.named("on-policy-change")[-1]["plugins"] == {}


async def test_a_preview_is_no_presence(world: World):
    alice = await world.peer("alice")
    bob = world.stranger("bob")
    await bob.connect()
    await bob.wait_for("room-state")

    assert bob.named("room-state")[0]["peers"].keys() == {alice.peer_id}
    assert await refused(chat(bob, "hello")) == 410
    await bob.close()
    await world.settled()
    assert [peer.peer_id for peer in await world.stored(Peer)] == [alice.peer_id]
    assert numbered(alice.events) == []


@pytest.mark.matrix
async def test_a_leave_is_told_once_and_at_once(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")

    await bob.leave()
    left = await alice.wait_for("on-peer-leave")
    await world.settled()
    await alice.call("ping")

    assert left["params"] == {"peer_id": bob.peer_id, "role": "guest", "reason": "client request"}
    assert numbered(alice.events) == [2, 3]


@pytest.mark.matrix
async def test_i04_the_last_leave_clears_the_session_for_those_who_come_next(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    await alice.call("set-metadata", key="topic", data="tea")
    await chat(bob, "hello")
    await alice.leave()
    await bob.leave()
    await world.settled()

    assert not await world.stored(MetadataEntry)
    assert not await world.stored(Event)
    [first] = await world.stored(Session)
    assert first.ended_at
    assert first.end_reason == "last peer left"
    carol = await world.peer("carol")
    entry = await carol.call("get-metadata", key="topic")
    assert entry == {"key": "topic", "data": None, "change_version": 0, "seq": 1}
    assert carol.named("peer-list")[0]["room"]["session_id"] != first.id


async def test_a_peer_that_left_is_not_let_in_by_its_next_socket_alone(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    await bob.leave()
    back = await world.again(bob)
    await back.wait_for("room-state")
    assert await refused(chat(back, "hello")) == 410
    assert [event["params"]["reason"] for event in back.events if event["method"] == "on-peer-leave-request"] == [
        "session expired"
    ]

    assert (await back.join("Bob")).keys() == {"session_id", "seq", "history", "timestamp", "limits"}
    await alice.wait_for("on-peer-join", after=len(alice.events) - 1)


@pytest.mark.parametrize("forgotten", [{"conn_id": "an older one"}, {"state": Peer.State.LEFT}])
async def test_a_socket_that_the_database_has_forgotten_is_closed_and_comes_back(world: World, forgotten: Any):
    bob = await world.peer("bob")
    # As in a copy from before this connection, which was put back.
    await world.query(lambda: Peer.objects.filter(peer_id=bob.peer_id).update(**forgotten))
    await world.query(memory._remembered.clear)

    assert await refused(chat(bob, "hello")) == 410
    assert await bob.wait_closed() == TOO_SLOW
    assert (await (await world.again(bob)).join("Bob")).keys() >= {"session_id", "seq", "history"}


@pytest.mark.parametrize("asks", ["the socket", "join"])
async def test_a_peer_that_came_while_its_process_was_declared_dead_comes_again(world: World, asks: str, monkeypatch):
    if asks == "the socket":
        bob = await world.peer("bob")
        await bob.drop()
        await world.settled()
    else:
        bob = world.stranger("bob")
        await bob.connect()
        await bob.wait_for("on-policy-change")
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Room.objects.select_for_update())
            held.set()
            release.wait(30)

    holding = asyncio.create_task(world.query(hold))
    await asyncio.to_thread(held.wait, 30)
    if asks == "the socket":
        bob = await world.again(bob)
        while not hub.get().connections:
            await asyncio.sleep(0.01)
    else:
        await bob.begin("join", name="Bob")
        await asyncio.sleep(0.1)
    # It takes its peers back under another lease, before this one is stored as its own.
    monkeypatch.setattr(lease.OWN, "id", "another")
    release.set()
    await holding

    assert await bob.wait_closed() == RESTART


async def test_a_peer_id_belongs_to_the_user_who_brought_it(world: World):
    bob = await world.peer("bob")
    mallory = world.stranger("mallory", peer_id=bob.peer_id)
    await mallory.connect()

    assert await mallory.wait_closed() == 4403
    assert mallory.named("on-error") == [{"code": 403, "message": "peer: this peer id belongs to another user or role"}]
    assert bob.open


# --- Losing and finding the connection ----------------------------------------------------------


@pytest.mark.matrix
@pytest.mark.parametrize("how", ["resume", "join and resume", "join", "socket alone"])
async def test_i06_coming_back_in_time_is_neither_leave_nor_join(world: World, how: str):
    alice = await world.peer("alice")
    bob = await world.peer("bob", "host", data='{"status":"away"}')
    place = await bob.call("set-metadata", key="topic", data="tea")
    [before] = await world.stored(Peer, peer_id=bob.peer_id)

    await bob.drop()
    await alice.wait_for("on-peer-state")
    place["session_id"] = bob.named("peer-list")[0]["room"]["session_id"]
    if how == "resume":
        back, answer = await world.resume(bob, place)
        assert answer["resumed"]
    else:
        back = await world.again(bob)
    if how == "join and resume":
        assert (await back.join("Bob", resume={name: place[name] for name in ("session_id", "seq")}))["resumed"]
    elif how == "join":
        assert (await back.join("Bob"))["resync"]
    elif how == "socket alone":
        await back.wait_for("peer-list")
    await chat(back, "here again")
    await alice.wait_for("on-broadcast")

    assert [state["state"] for state in alice.named("on-peer-state")] == ["reconnecting", "connected"]
    assert not alice.named("on-peer-leave")
    assert len(alice.named("on-peer-join")) == 1
    [after] = await world.stored(Peer, peer_id=bob.peer_id)
    kept = ("pk", "joined_at", "joined_seq", "role", "metadata", "name", "state")
    assert [getattr(after, field) for field in kept] == [getattr(before, field) for field in kept]
    carol = await world.peer("carol")
    assert carol.named("peer-list")[0]["peers"].keys() == {alice.peer_id, bob.peer_id}


@pytest.mark.matrix
async def test_i07_late_disconnect_of_an_old_socket_leaves_the_new_one_alone(world: World):
    alice = await world.peer("alice")
    bob = await world.peer("bob")
    newer = await world.again(bob)
    await newer.wait_for("peer-list")

    assert await bob.wait_closed() == 4002
    assert bob.named("on-error") == [{"code": 4002, "message": "opened in another tab"}]
    await world.settled()
    await chat(alice, "still there?")
    await newer.wait_for("on-broadcast")
    await chat(newer, "yes")
    await alice.wait_for("on-broadcast")
    [row] = await world.stored(Peer, peer_id=bob.peer_id)
    assert row.state == "connected"
    assert not alice.named("on-peer-leave") + alice.named("on-peer-state")
    assert heard(bob) == []


@pytest.mark.matrix
async def test_i07_of_many_sockets_for_one_peer_the_newest_stays(world: World):
    alice = await world.peer("alice")
    bob = await world.peer("bob")
    sockets = [bob, *[await world.again(bob) for _ in range(5)]]
    await sockets[-1].wait_for("peer-list")
    await asyncio.gather(*(socket.wait_closed() for socket in sockets[:-1]))
    await world.settled()

    assert [socket.open for socket in sockets] == [False] * 5 + [True]
    assert (await chat(sockets[-1], "one of me"))["message_id"]
    await alice.wait_for("on-broadcast")
    assert len(alice.named("on-peer-join")) == 1


@pytest.mark.matrix
async def test_i08_a_reload_of_the_only_peer_keeps_what_its_leave_clears(world: World):
    alice = await world.peer("alice", "host")
    await alice.call("set-metadata", data="kept")
    await alice.call("pin-message", id=(await chat(alice, "read this"))["message_id"])
    session_id = alice.named("peer-list")[0]["room"]["session_id"]
    await alice.close()

    back = await world.again(alice)
    assert (await back.join("Alice"))["session_id"] == session_id
    assert (await back.call("get-metadata"))["data"] == "Alice: read this"
    assert len((await back.call("get-metadata", key="pinnedMessages"))["data"]) == 1
    await back.leave()

    anew = await world.again(alice)
    assert (await anew.join("Alice"))["session_id"] != session_id
    assert (await anew.call("get-metadata"))["data"] is None
    assert [bool(session.ended_at) for session in await world.stored(Session)].count(True) == 1


@pytest.mark.matrix
async def test_after_the_grace_with_nobody_back_the_session_ends_once(world: World, settings):
    alice = await world.peer("alice")
    await alice.call("set-metadata", data="gone soon")
    await alice.drop()
    await world.settled()
    await world.reap()
    assert [session.ended_at for session in await world.stored(Session)] == [None]

    settings.PEER_GRACE = 0
    await asyncio.gather(*(world.reap() for _ in range(3)))

    [session] = await world.stored(Session)
    assert session.ended_at
    assert session.seq == 4  # join, write, connection lost, leave
    assert not await world.stored(MetadataEntry)
    assert [peer.leave_reason for peer in await world.stored(Peer)] == ["websocket closed"]


async def test_a_peer_that_timed_out_is_let_in_again_by_its_socket(world: World, settings):
    alice = await world.peer("alice")
    bob = await world.peer("bob", "host", data='{"k":1}')
    await bob.drop()
    await world.settled()
    settings.PEER_GRACE = 0
    await world.reap()
    await alice.wait_for("on-peer-leave")

    back = await world.again(bob)
    await back.wait_for("peer-list")
    await chat(back, "I was away")
    await alice.wait_for("on-broadcast")

    again = alice.named("on-peer-join")[-1]
    assert (again["peer_id"], again["role"], again["info"]["data"]) == (bob.peer_id, "host", '{"k":1}')
    assert len(alice.named("on-peer-leave")) == 1


async def test_a_socket_whose_session_is_over_is_told_so(world: World, settings):
    alice = await world.peer("alice")
    await alice.drop()
    await world.settled()
    settings.PEER_GRACE = 0
    await world.reap()

    back = await world.again(alice)
    await back.notify("track-update", tracks={})
    told = await back.wait_for("on-peer-leave-request")
    assert told["params"] == {"reason": "session expired", "room_end": False}


async def test_a_disabled_room_keeps_who_is_in_and_refuses_newcomers(world: World, settings):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    gone = await world.peer("gone")
    await gone.drop()
    await world.settled()
    settings.PEER_GRACE = 0
    await world.reap()
    settings.PEER_GRACE = 60

    await world.query(lambda: type(world.room).objects.update(enabled=False))
    await bob.drop()
    back = await world.again(bob)
    await back.wait_for("peer-list")
    await chat(back, "still in")
    await alice.wait_for("on-broadcast")

    for stranger in (world.stranger("carol"), world.stranger("gone", peer_id=gone.peer_id)):
        await stranger.connect()
        assert await stranger.wait_closed() == 4403
        assert stranger.named("on-error") == [{"code": 403, "message": "room not available"}]


# --- Messages -----------------------------------------------------------------------------------


@pytest.mark.matrix
async def test_a_message_reaches_everybody_but_its_sender(world: World):
    alice, bob, carol = [await world.peer(user) for user in ("alice", "bob", "carol")]

    answer = await chat(alice, "hello ✓")
    told = [await peer.wait_for("on-broadcast") for peer in (bob, carol)]
    await alice.call("ping")

    assert answer.keys() == {"message_id", "timestamp", "seq"}
    [row] = await world.stored(Peer, peer_id=alice.peer_id)
    assert told[0] == told[1]
    assert told[0] == {
        "method": "on-broadcast",
        "params": {
            "message_id": answer["message_id"],
            "timestamp": answer["timestamp"],
            "private": False,
            "info": {"message": "hello ✓", "type": "chat"},
            "peer": {
                "peer_id": alice.peer_id,
                "person": row.person,
                "role": "guest",
                "groups": [],
                "info": {"name": "Alice", "data": "", "user_id": "alice"},
            },
        },
        "seq": answer["seq"],
    }
    assert not alice.named("on-broadcast")


@pytest.mark.matrix
async def test_i23_direct_and_role_messages_reach_no_one_else(world: World):
    alice = await world.peer("alice", "host")
    hanna = await world.peer("hanna", "host")
    bob, carol = await world.peer("bob"), await world.peer("carol")

    await chat(alice, "for bob", peer_id=bob.peer_id)
    await chat(alice, "for hosts", roles=["host"])
    await chat(bob, "for hosts, from a guest", roles=["host"])
    await chat(alice, "for all")
    for peer in (hanna, bob, carol):
        await peer.wait_for(lambda event: event["params"].get("info", {}).get("message") == "for all")

    assert heard(alice) == ["for hosts, from a guest"]
    assert heard(hanna) == ["for hosts", "for hosts, from a guest", "for all"]
    assert heard(bob) == ["for bob", "for all"]
    assert heard(carol) == ["for all"]
    assert [message["private"] for message in bob.named("on-broadcast")] == [True, False]
    assert hanna.named("on-broadcast")[0]["roles"] == ["host"]


@pytest.mark.matrix
async def test_i23_a_replay_keeps_messages_from_those_they_were_not_for(world: World):
    alice = await world.peer("alice", "host")
    bob, carol = await world.peer("bob"), await world.peer("carol")
    place = await bob.call("ping")
    session_id = bob.named("peer-list")[0]["room"]["session_id"]
    await bob.drop()
    await alice.wait_for("on-peer-state")

    await chat(alice, "for hosts, before", roles=["host"])
    await chat(alice, "for guests, before", roles=["guest"])
    await chat(alice, "for carol", peer_id=carol.peer_id)
    await chat(alice, "for bob", peer_id=bob.peer_id)
    await alice.call("role-change-request", requested_for=bob.peer_id, role="host", force=True)
    await chat(alice, "for hosts, after", roles=["host"])
    await chat(alice, "for guests, after", roles=["guest"])
    back, answer = await world.resume(bob, {"session_id": session_id, "seq": place["seq"]})
    assert answer["resumed"]
    await chat(alice, "for all")
    await back.wait_for(lambda event: event["params"].get("info", {}).get("message") == "for all")

    assert heard(back) == ["for guests, before", "for bob", "for hosts, after", "for all"]


@pytest.mark.matrix
async def test_i23_a_change_of_role_counts_from_its_place_on(world: World):
    alice = await world.peer("alice", "host")
    bob = await world.peer("bob")

    await chat(alice, "for hosts, before", roles=["host"])
    await alice.call("role-change-request", requested_for=bob.peer_id, role="host", force=True)
    await chat(alice, "for hosts, now", roles=["host"])
    await alice.call("role-change-request", requested_for=bob.peer_id, role="viewer", force=True)
    await chat(alice, "for hosts, after", roles=["host"])
    await chat(alice, "for all")
    await bob.wait_for(lambda event: event["params"].get("info", {}).get("message") == "for all")

    assert heard(bob) == ["for hosts, now", "for all"]
    assert [policy["name"] for policy in bob.named("on-policy-change")] == ["guest", "host", "viewer"]


@pytest.mark.matrix
async def test_i24_a_repeated_message_is_one_message(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")

    first = await chat(alice, "once", client_id="c1")
    together = [await alice.begin("broadcast", info={"message": "twice"}, client_id="c2") for _ in range(2)]
    second, third = [await reply for reply in together]
    assert await chat(alice, "once", client_id="c1") == first
    await alice.drop()
    back = await world.again(alice)
    await back.join("Alice")
    assert await chat(back, "once", client_id="c1") == first
    await chat(back, "end")
    await bob.wait_for(lambda event: event["params"].get("info", {}).get("message") == "end")

    assert second == third
    assert heard(bob) == ["once", "twice", "end"]


@pytest.mark.matrix
async def test_i20_all_see_the_messages_of_many_senders_in_one_order(world: World):
    peers = [await world.peer(f"peer{number}") for number in range(10)]

    async def talk(number: int) -> None:
        replies = [
            await peers[number].begin("broadcast", info={"message": f"{number}/{count}"}) for count in range(100)
        ]
        await asyncio.gather(*replies)

    await asyncio.gather(*(talk(number) for number in range(10)))
    for peer in peers:
        await peer.until(lambda peer=peer: len(heard(peer)) == 900, timeout=60)

    order = [f"{message.seq}" for message in await world.stored(Message)]
    assert len(order) == 1000
    by_seq: dict[int, str] = {}
    for number, peer in enumerate(peers):
        got = [(e["seq"], e["params"]["info"]["message"]) for e in peer.events if e.get("method") == "on-broadcast"]
        assert [seq for seq, _ in got] == sorted({seq for seq, _ in got})
        assert {text for _, text in got} == {f"{n}/{c}" for n in range(10) for c in range(100) if n != number}
        for seq, text in got:
            assert by_seq.setdefault(seq, text) == text
    for number in range(10):
        mine = [text for _, text in sorted(by_seq.items()) if text.startswith(f"{number}/")]
        assert mine == [f"{number}/{count}" for count in range(100)]


@pytest.mark.parametrize(
    ("role", "params", "code"),
    [
        ("guest", {"info": {"message": ""}}, 400),
        ("guest", {"info": {"message": 7}}, 400),
        ("guest", {"info": {}}, 400),
        ("guest", {"info": "hello"}, 400),
        ("guest", {}, 400),
        ("guest", {"info": {"message": "x", "type": 5}}, 400),
        ("guest", {"info": {"message": "x"}, "roles": "host"}, 400),
        ("guest", {"info": {"message": "x"}, "roles": [1]}, 400),
        ("guest", {"info": {"message": "x" * 4001}}, 413),
        ("guest", {"info": {"message": "x"}, "peer_id": "nobody"}, 404),
        ("viewer", {"info": {"message": "x"}}, 403),
    ],
)
async def test_messages_that_are_refused_reach_nobody(world: World, role: str, params: dict[str, Any], code: int):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob", role)

    assert await refused(bob.call("broadcast", **params)) == code
    await chat(alice, "and on it goes")
    await bob.wait_for("on-broadcast")
    assert not alice.named("on-broadcast")


# --- Session metadata ---------------------------------------------------------------------------


@pytest.mark.matrix
@pytest.mark.parametrize(
    "value",
    [
        "text with ✓ and \U0001f600",
        "",
        0,
        -1.5e-7,
        9007199254740993,
        10**300,
        True,
        False,
        None,
        [],
        [1, [2, [3]]],
        {},
        {"z": 1, "a": {"y": [None, "\u2028"], "b": 2}, "": "empty key"},
    ],
)
async def test_any_json_value_is_stored_as_it_is(world: World, value: Any):
    alice = await world.peer("alice")
    bob = await world.peer("bob")
    await bob.call("listen-metadata-change", keys=["k"])

    answer = await alice.call("set-metadata", key="k", data=value)
    told = await bob.wait_for("on-metadata-change")
    read = await bob.call("get-metadata", key="k")

    entry = told["params"]["values"][0]
    assert entry == {key: answer[key] for key in entry}
    assert (entry["change_version"], entry["updated_by"]) == (1, alice.peer_id)
    for got in (answer, entry, read):
        assert repr(got["data"]) == repr(value)


@pytest.mark.matrix
async def test_i15_versions_rise_by_one_over_removal_too(world: World):
    alice = await world.peer("alice")
    await alice.call("listen-metadata-change", keys=["k"])
    for data in ("a", "b"):
        await alice.call("set-metadata", key="k", data=data)
    removed = await alice.call("set-metadata", key="k")
    await alice.call("set-metadata", key="k", data="c")
    await alice.until(lambda: len(values(alice, "k")) == 4)

    assert (removed["data"], removed["change_version"]) == (None, 3)
    assert values(alice, "k") == [(1, "a"), (2, "b"), (3, None), (4, "c")]


async def test_observing_shows_what_is_there_and_replaces_what_was_observed(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    await alice.call("set-metadata", key="a", data=1)
    await bob.call("listen-metadata-change", keys=["a", "never set"])
    await bob.until(lambda: bool(values(bob, "a")))
    await bob.call("listen-metadata-change", keys=["b"])
    await alice.call("set-metadata", key="a", data=2)
    await alice.call("set-metadata", key="b", data=3)
    await bob.until(lambda: bool(values(bob, "b")))
    await bob.call("listen-metadata-change", keys=["b", "a"])
    await bob.until(lambda: len(values(bob, "a")) == 2)

    assert values(bob, "a") == [(1, 1), (2, 2)]
    assert values(bob, "b") == [(1, 3)]
    assert values(bob, "never set") == []
    assert values(alice, "a") == []


@pytest.mark.matrix
async def test_asking_again_for_what_was_sent_sends_nothing_twice(world: World):
    alice = await world.peer("alice")
    for key in "abc":
        await alice.call("set-metadata", key=key, data=1)
    bob = await world.peer("bob")
    await bob.call("listen-metadata-change", keys=["a"])
    await bob.call("listen-metadata-change", keys=["a", "b"])
    await alice.call("set-metadata", key="a", data=2)
    await bob.call("listen-metadata-change", keys=["a", "b", "c"])
    await bob.drop()
    back = await world.again(bob)
    await back.call("listen-metadata-change", keys=["a", "b", "c"])
    last = await chat(alice, "last")
    await back.wait_for(lambda event: event.get("seq") == last["seq"])

    assert [values(bob, key) for key in "abc"] == [[(1, 1), (2, 2)], [(1, 1)], [(1, 1)]]
    assert [values(back, key) for key in "abc"] == [[(2, 2)], [(1, 1)], [(1, 1)]]


@pytest.mark.matrix
async def test_i22_a_value_that_was_lost_with_its_socket_comes_when_it_is_asked_for_after_a_resume(world: World):
    """What a listener is sent at first is no event of the journal, so a resume cannot bring it."""
    alice, bob = await world.peer("alice"), await world.peer("bob")
    await alice.call("listen-metadata-change", keys=["lost", "missed", "after"])
    for key in ("lost", "missed", "after"):
        await alice.call("set-metadata", key=key, data=1)
    place = await bob.call("ping")
    session_id = bob.named("peer-list")[0]["room"]["session_id"]
    await bob.call("listen-metadata-change", keys=["lost", "missed", "after"])
    await bob.drop()
    await alice.call("set-metadata", key="missed", data=2)

    back, answer = await world.resume(bob, {"session_id": session_id, "seq": place["seq"]})
    assert answer["resumed"]
    await alice.call("set-metadata", key="after", data=2)
    await back.call("listen-metadata-change", keys=["lost", "missed", "after"])
    last = await chat(alice, "last")
    await back.wait_for(lambda event: event.get("seq") == last["seq"])

    assert values(back, "lost") == [(1, 1)]
    assert values(back, "missed") == [(2, 2)]
    assert values(back, "after") == [(2, 2)]


@pytest.mark.matrix
async def test_observed_keys_are_told_again_after_a_reconnect(world: World):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    await alice.call("set-metadata", key="a", data=1)
    await bob.call("listen-metadata-change", keys=["a", "b", "c"])
    await bob.drop()
    await alice.call("set-metadata", key="a")
    await alice.call("set-metadata", key="b", data=2)

    back = await world.again(bob)
    await back.wait_for("on-metadata-change")
    await alice.call("set-metadata", key="c", data=3)
    await back.until(lambda: (1, 3) in values(back, "c"))

    assert values(back, "a") == [(2, None)]
    assert values(back, "b") == [(1, 2)]
    assert values(back, "c") == [(0, None), (1, 3)]


@pytest.mark.matrix
async def test_i14_of_writes_with_the_same_version_exactly_one_wins(world: World):
    peers = [await world.peer(f"peer{number}") for number in range(8)]

    async def write(number: int, version: int) -> bool:
        try:
            await peers[number].call("set-metadata", key="k", data=[number, version], if_change_version=version)
        except RpcError as error:
            assert (error.code, error.data["change_version"]) == (409, version + 1)
            return False
        return True

    for version in range(12):
        outcomes = await asyncio.gather(*(write(number, version) for number in range(8)))
        assert outcomes.count(True) == 1
        entry = await peers[0].call("get-metadata", key="k")
        assert (entry["change_version"], entry["data"]) == (version + 1, [outcomes.index(True), version])


@pytest.mark.matrix
async def test_different_keys_written_at_once_all_survive(world: World):
    peers = [await world.peer(f"peer{number}") for number in range(8)]

    for count in range(5):
        await asyncio.gather(*(peers[number].call("set-metadata", key=f"k{number}", data=count) for number in range(8)))

    for number in range(8):
        entry = await peers[0].call("get-metadata", key=f"k{number}")
        assert (entry["data"], entry["change_version"], entry["updated_by"]) == (4, 5, peers[number].peer_id)


@pytest.mark.matrix
async def test_i18_who_joins_in_a_storm_of_writes_misses_and_repeats_no_version(world: World):
    writer = await world.peer("writer")
    storm_over = asyncio.Event()

    async def storm() -> int:
        version = 0
        while not storm_over.is_set():
            version = (await writer.call("set-metadata", key="k", data=version))["change_version"]
        return version

    storming = asyncio.create_task(storm())
    joiners = []
    for number in range(30):
        joiner = await world.peer(f"joiner{number}")
        await joiner.call("listen-metadata-change", keys=["k"])
        joiners.append(joiner)
    storm_over.set()
    last = await storming

    for joiner in joiners:
        await joiner.until(lambda joiner=joiner: values(joiner, "k")[-1:] == [(last, last - 1)])
        versions = [version for version, _ in values(joiner, "k")]
        assert versions == list(range(versions[0], last + 1))


@pytest.mark.matrix
async def test_i16_a_reply_and_the_news_come_in_the_order_of_versions(world: World):
    peers = [await world.peer(f"peer{number}") for number in range(5)]
    order: dict[int, list[int]] = {}

    async def write(number: int) -> None:
        peer, seen = peers[number], order.setdefault(number, [])
        hear = peer._receive

        def receive(message: dict[str, Any]) -> None:
            told = message.get("params", {}).get("values") or [message.get("result", {})]
            seen.extend(value["change_version"] for value in told if "change_version" in value)
            hear(message)

        peer._receive = receive  # type: ignore[method-assign]
        await peer.call("listen-metadata-change", keys=["k"])
        for count in range(20):
            await peer.call("set-metadata", key="k", data=[number, count])

    await asyncio.gather(*(write(number) for number in range(5)))
    for number, peer in enumerate(peers):
        await peer.until(lambda peer=peer: values(peer, "k")[-1:] != [] and values(peer, "k")[-1][0] == 100)
        assert order[number] == sorted(order[number])
        told = [version for version, _ in values(peer, "k")]
        assert told == sorted(set(told))


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("set-metadata", {"key": "", "data": 1}, 400),
        ("set-metadata", {"key": 5, "data": 1}, 400),
        ("set-metadata", {"key": "k" * 129, "data": 1}, 400),
        ("set-metadata", {"data": "x" * 17000}, 413),
        ("set-metadata", {"data": 1, "if_change_version": "1"}, 400),
        ("set-metadata", {"data": 1, "if_change_version": 1.5}, 400),
        ("set-metadata", {"data": 1, "if_change_version": True}, 400),
        ("set-metadata", {"data": 1, "if_change_version": 3}, 409),
        ("get-metadata", {"key": ""}, 400),
        ("listen-metadata-change", {}, 400),
        ("listen-metadata-change", {"keys": "k"}, 400),
        ("listen-metadata-change", {"keys": [None]}, 400),
        ("listen-metadata-change", {"keys": [str(number) for number in range(300)]}, 413),
        ("peer-update", {"name": 5}, 400),
        ("peer-update", {"name": "x" * 101}, 400),
        ("peer-update", {"data": "x" * 5000}, 413),
    ],
)
async def test_what_cannot_be_stored_is_refused_and_changes_nothing(
    world: World, method: str, params: dict[str, Any], code: int
):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    await bob.call("listen-metadata-change", keys=["default"])
    before = await alice.call("ping")

    assert await refused(alice.call(method, **params)) == code
    assert (await alice.call("ping"))["seq"] == before["seq"]
    assert not await world.stored(MetadataEntry)


# --- Resuming -----------------------------------------------------------------------------------


@pytest.mark.matrix
async def test_i22_a_resume_yields_exactly_what_was_missed(world: World):
    alice = await world.peer("alice", "host")
    bob = await world.peer("bob")
    await bob.call("listen-metadata-change", keys=["k"])
    await chat(alice, "before")
    place = (await bob.wait_for("on-broadcast"))["seq"]
    session_id = bob.named("peer-list")[0]["room"]["session_id"]
    await bob.drop()
    await alice.wait_for("on-peer-state")

    carol = await world.peer("carol")
    await alice.call("set-metadata", key="k", data=1)
    await alice.call("set-metadata", key="not observed", data=1)
    await chat(alice, "missed")
    await carol.call("peer-update", name="Carola")
    await carol.leave()
    back, answer = await world.resume(bob, {"session_id": session_id, "seq": place})
    last = await chat(alice, "after")
    await back.wait_for(lambda event: event.get("seq") == last["seq"])

    assert answer["resumed"]
    assert answer["session_id"] == session_id
    journal = {event.seq: event.kind for event in await world.stored(Event)}
    journal |= {message.seq: "on-broadcast" for message in await world.stored(Message)}
    missed = {seq: kind for seq, kind in journal.items() if seq > place and kind != "on-peer-state"}
    hidden = [event.seq for event in await world.stored(Event, audience='{"key":"not observed"}')]
    assert numbered(back.events) == sorted(missed.keys() - set(hidden))
    assert "peer-list" not in names(back.events)
    assert heard(back) == ["missed", "after"]
    assert values(back, "k") == [(1, 1)]


@pytest.mark.matrix
async def test_a_resume_is_one_transaction_and_is_told_of_first(world: World, monkeypatch):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    place = {name: (await bob.join("Bob"))[name] for name in ("session_id", "seq", "history")}
    await bob.drop()
    await alice.wait_for("on-peer-state")
    missed = await chat(alice, "missed")
    await alice.call("role-change-request", requested_for=bob.peer_id, role="viewer", force=True)
    ran: list[str] = []

    def counted(calls: Sequence[Call], **options: Any) -> list[Answer]:
        ran.append(" ".join(call.operation.name for call in calls))
        return run(calls, **options)

    run = gate.run
    monkeypatch.setattr(gate, "run", counted)
    back, answer = await world.resume(bob, place)
    reached = (await back.call("ping"))["seq"]

    assert ran == ["connect"]
    assert answer.pop("timestamp") >= missed["timestamp"]
    assert answer == {**place, "resumed": True, "limits": answer["limits"]}
    # How many there are is told in its own time.
    assert [name for name in names(back.events) if name != "session-info"] == [
        "on-resume",
        "on-policy-change",
        "on-broadcast",
        "on-policy-change",
        "on-peer-update",
        "on-policy-change",
        "on-peer-update",
    ]
    assert reached == (await alice.call("ping"))["seq"]


async def test_a_socket_with_a_place_whose_peer_left_is_as_any_other_at_the_door(world: World):
    await world.peer("alice")
    bob = await world.peer("bob")
    place = {name: (await bob.join("Bob"))[name] for name in ("session_id", "seq", "history")}
    await bob.leave()
    back = await world.again(bob, place={name: str(value) for name, value in place.items()})
    assert (await back.call("ping"))["seq"] == 0
    await back.wait_for("on-policy-change")
    assert "on-resume" not in names(back.events)
    assert (await back.join("Bob", resume=place))["resync"]
    await back.wait_for("peer-list")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"session_id": "s"}, "seq: missing"),
        ({"seq": "1"}, "session_id: missing"),
        ({"history": "h"}, "session_id: missing"),
        ({"session_id": "s", "seq": "one"}, "seq: expected a whole number"),
        ({"session_id": "s", "seq": "1.5"}, "seq: expected a whole number"),
        ({"session_id": "s", "seq": "9" * 5000}, "seq: expected a whole number"),
        ({"session_id": "s", "seq": "9" * 16}, "seq: expected -9007199254740992 to 9007199254740992"),
        ({"session_id": "s" * 65, "seq": "1"}, "session_id: expected 0 to 64 characters"),
        ({"session_id": "s", "seq": "1", "history": "h" * 65}, "history: expected 0 to 64 characters"),
    ],
)
async def test_a_place_of_the_wrong_form_in_the_address_is_refused(world: World, place: dict[str, str], message: str):
    bob = await world.peer("bob")
    back = await world.again(bob, place=place)
    assert await back.wait_closed() == 4400
    assert back.named("on-error") == [{"code": 400, "message": message}]
    assert bob.open


@pytest.mark.matrix
async def test_i22_a_place_that_is_no_longer_kept_is_a_resync(world: World, settings):
    settings.JOURNAL_EVENTS, settings.JOURNAL_SECONDS = 8, 0
    alice, bob = await world.peer("alice"), await world.peer("bob")
    await bob.call("listen-metadata-change", keys=["k"])
    place = await bob.call("ping")
    session_id = bob.named("peer-list")[0]["room"]["session_id"]
    await bob.drop()
    await alice.wait_for("on-peer-state")
    for count in range(130):
        await chat(alice, f"{count}")
    await alice.call("set-metadata", key="k", data="now")

    back, answer = await world.resume(bob, {"session_id": session_id, "seq": place["seq"]})
    await back.wait_for("on-metadata-change")

    assert answer["resync"]
    assert "resumed" not in answer
    assert heard(back) == []
    assert back.named("peer-list")[0]["peers"].keys() == {alice.peer_id}
    assert values(back, "k") == [(1, "now")]


@pytest.mark.parametrize(
    ("session_id", "seq"), [("another", 2), (None, 0), (None, 10_000), (None, -1), (None, 1)], ids=str
)
async def test_i22_a_place_that_never_was_is_a_resync(world: World, session_id: str | None, seq: int):
    await world.peer("alice")
    bob = await world.peer("bob")
    own = bob.named("peer-list")[0]["room"]["session_id"]
    await bob.drop()

    back, answer = await world.resume(bob, {"session_id": session_id or own, "seq": seq})
    assert (answer["session_id"], answer["resync"]) == (own, True)
    await back.wait_for("peer-list")


async def test_a_resume_in_a_session_that_is_over_starts_a_new_one(world: World):
    alice = await world.peer("alice")
    session_id = alice.named("peer-list")[0]["room"]["session_id"]
    await alice.leave()

    back = await world.again(alice)
    answer = await back.join("Alice", resume={"session_id": session_id, "seq": 1})
    assert answer["resync"]
    assert answer["session_id"] != session_id


@pytest.mark.parametrize("resume", [{}, {"session_id": 1, "seq": 1}, {"session_id": "s", "seq": "1"}, {"seq": 1}, 5])
async def test_a_place_of_the_wrong_form_is_refused(world: World, resume: Any):
    alice = world.stranger("alice")
    await alice.connect()
    assert await refused(alice.join("Alice", resume=resume)) == 400
    assert (await alice.join("Alice"))["seq"] == 1


async def test_a_reply_to_a_ping_is_not_lost_when_a_join_follows(world: World):
    await world.peer("alice")
    bob = await world.peer("bob")
    await bob.drop()
    back = await world.again(bob)
    await back.wait_for("on-policy-change")
    pings = [await back.begin("ping") for _ in range(3)]
    await back.send("not JSON")
    await back.join("Bob")
    for ping in pings:
        assert "timestamp" in await ping
    assert [event["error"]["code"] for event in back.events if "error" in event] == [400]


# --- Frames -------------------------------------------------------------------------------------

BAD_FRAMES: list[Any] = [
    "",
    "{",
    "null",
    "[]",
    "5",
    '"text"',
    "{}",
    '{"method":5}',
    '{"method":"ping","params":[]}',
    '{"method":"ping","id":{}}',
    '{"method":"ping","id":true}',
    '{"method":"ping","id":1.5}',
    '{"method":"set-metadata","params":{"data":NaN},"id":"x"}',
    '{"method":"set-metadata","params":{"data":-Infinity},"id":"x"}',
    '{"method":"set-metadata","params":{"data":1e400},"id":"x"}',
    '{"method":"set-metadata","params":{"data":"\\u0000"},"id":"x"}',
    '{"method":"set-metadata","params":{"key":"\\u0000","data":1},"id":"x"}',
    '{"method":"set-metadata","params":{"data":{"\\u0000":1}},"id":"x"}',
    '{"method":"set-metadata","params":{"data":"\\ud800"},"id":"x"}',
    '{"method":"set-metadata","params":{"data":' + "[" * 40 + "]" * 40 + '},"id":"x"}',
    '{"method":"set-metadata","params":{"data":' + "[" * 30000 + "]" * 30000 + '},"id":"x"}',
    '{"method":"set-metadata","params":{"data":[' + "0," * 3000 + '0]},"id":"x"}',
    '{"method":"set-metadata","params":{"data":' + "9" * 400 + '},"id":"x"}',
    '{"method":"set-metadata","params":{"data":"' + "x" * 70000 + '"},"id":"x"}',
    '{"method":"join","params":{"name":"\\ud83d"},"id":"x"}',
    '{"method":"nope","id":"x"}',
    '{"method":"__class__","id":"x"}',
    '{"method":"' + "m" * 5000 + '","id":"x"}',
    '{"method":"connect","id":"x"}',
    '{"method":"reap","id":"x"}',
    b"\x00\x01",
    b"",
]


@pytest.mark.matrix
async def test_i29_no_frame_does_more_than_be_refused(world: World):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    await bob.call("listen-metadata-change", keys=["default"])
    codes = []
    for frame in BAD_FRAMES:
        before = len(alice.events)
        alice._calls["x"] = reply = asyncio.get_running_loop().create_future()
        await alice.send(frame)
        if isinstance(frame, str) and '"id":"x"' in frame and "error" not in frame:
            await asyncio.wait(
                {reply, asyncio.create_task(alice.until(lambda before=before: len(alice.events) > before))},
                return_when=asyncio.FIRST_COMPLETED,
            )
        else:
            await alice.until(lambda before=before: len(alice.events) > before)
        error = reply.exception() if reply.done() else None
        codes.append(error.code if isinstance(error, RpcError) else alice.events[before]["error"]["code"])

    assert set(codes) == {400, 404}
    assert codes.count(404) == 5
    await chat(alice, "still here")
    await bob.wait_for("on-broadcast")
    assert not await world.stored(MetadataEntry)
    assert not bob.named("on-metadata-change")


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":1,"a":2}', {"a": 2}),
        ('"\\\\u0000"', "\\u0000"),
        ('"\\ud83d\\ude00"', "😀"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1.0", 1.0),
        ("-0.0", -0.0),
        ("1E5", 100000.0),
        ('"\\u2028\\u0001\\b"', "\u2028\x01\b"),
        ("[" * 20 + "]" * 20, None),
    ],
)
async def test_i29_unusual_values_are_kept_alike_by_both_databases(world: World, text: str, value: Any):
    alice = await world.peer("alice")
    alice._calls["x"] = reply = asyncio.get_running_loop().create_future()
    await alice.send(f'{{"method":"set-metadata","params":{{"data":{text}}},"id":"x"}}')
    stored = (await reply)["data"]
    if value is not None:
        assert repr(stored) == repr(value)
    assert (await alice.call("get-metadata"))["data"] == stored


@pytest.mark.matrix
async def test_i33_no_payload_can_set_the_sender_or_the_role(world: World):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    forged = {"peer": {"peer_id": alice.peer_id}, "sender": alice.peer_id, "role": "host", "user_id": "alice"}

    await bob.call("broadcast", info={"message": "hi", "peer": forged["peer"]}, **forged)
    told = await alice.wait_for("on-broadcast")
    await bob.call("peer-update", name="Robert", peer_id=alice.peer_id, **{k: forged[k] for k in ("role", "user_id")})
    update = await alice.wait_for("on-peer-update")
    await bob.join("Bob", role="host", peer_id=alice.peer_id, user_id="alice")

    assert told["params"]["peer"]["peer_id"] == bob.peer_id
    assert (update["params"]["peer_id"], update["params"]["role"]) == (bob.peer_id, "guest")
    rows = await world.stored(Peer)
    assert {row.peer_id: (row.role, row.user_id) for row in rows} == {
        alice.peer_id: ("host", "alice"),
        bob.peer_id: ("guest", "bob"),
    }


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("end-room", {}),
        ("peer-leave-request", {"requested_for": "alice"}),
        ("role-change-request", {"requested_for": "bob", "role": "host", "force": True}),
        ("role-change", {"role": "host", "token": "forged"}),
        ("group-add", {"name": "_handraise", "peer_id": "alice"}),
    ],
)
async def test_i33_a_guest_may_not_act_as_a_host(world: World, method: str, params: dict[str, Any]):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    ids = {"alice": alice.peer_id, "bob": bob.peer_id}
    before = (await bob.call("ping"))["seq"]

    code = await refused(bob.call(method, **{name: ids.get(value, value) for name, value in params.items()}))

    assert code == 403
    assert (await alice.call("ping"))["seq"] == before
    assert alice.open
    assert bob.open


@pytest.mark.matrix
async def test_i33_a_role_that_was_taken_away_counts_no_more(world: World):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    # Both are under way together: what counts is what holds when the message is stored.
    await alice.call("role-change-request", requested_for=bob.peer_id, role="viewer", force=True)

    assert await refused(chat(bob, "once more")) == 403
    assert await refused(bob.call("set-metadata", data="x")) == 403
    await bob.drop()
    back = await world.again(bob)
    await back.join("Bob")
    assert await refused(chat(back, "and again")) == 403


@operation("test-bug")
def bug(context: Any) -> Outcome:
    raise ZeroDivisionError


@operation("test-nap")
def nap(context: Any, *, name: Annotated[str, Chars(1, 64)]) -> Outcome:
    NAPS[name].wait(30)
    return Outcome({"woken": True})


del METHODS["test-bug"], METHODS["test-nap"]

NAPS: dict[str, threading.Event] = {}


async def test_a_bug_closes_its_socket_alone_and_the_peer_may_return(world: World, monkeypatch):
    monkeypatch.setitem(METHODS, "test-bug", bug)
    alice, bob = await world.peer("alice"), await world.peer("bob")

    broken = await bob.begin("test-bug")
    beside = await alice.begin("broadcast", info={"message": "in the same set"})
    assert await refused(broken) == 500
    assert await bob.wait_closed() == 1011
    assert (await beside)["seq"]
    state = await alice.wait_for("on-peer-state")
    assert state["params"]["state"] == "reconnecting"
    back = await world.again(bob)
    await back.wait_for("peer-list")
    await chat(back, "here")
    await alice.wait_for("on-broadcast")


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "after another"])
@pytest.mark.parametrize(("module", "place"), [(frames, "parse"), (consumers, "bind"), (frames, "response")])
async def test_a15_a_bug_anywhere_leaves_no_peer_behind(
    world: World, monkeypatch, settings, module: Any, place: str, waits: bool
):
    monkeypatch.setitem(METHODS, "test-nap", nap)
    NAPS["a15"] = threading.Event()
    alice, bob = await world.peer("alice"), await world.peer("bob")
    sound = getattr(module, place)

    def fail(*arguments: Any, **options: Any) -> Any:
        if "break" in repr(arguments):
            raise ZeroDivisionError
        return sound(*arguments, **options)

    monkeypatch.setattr(module, place, fail)
    if waits:
        await bob.begin("test-nap", name="a15")
    await bob.notify("set-metadata", key="break", data=1)
    await bob.begin("set-metadata", key="break", data=2)
    await alice.call("ping")
    NAPS["a15"].set()

    assert await bob.wait_closed() == 1011
    state = await alice.wait_for("on-peer-state")
    assert (state["params"]["peer_id"], state["params"]["state"]) == (bob.peer_id, "reconnecting")
    assert (await chat(alice, "nothing happened"))["seq"]
    settings.PEER_GRACE = 0
    await world.reap()
    left = await alice.wait_for("on-peer-leave")
    assert left["params"]["reason"] == "websocket closed"
    await alice.leave()
    await world.settled()
    assert [bool(session.ended_at) for session in await world.stored(Session)] == [True]


async def test_a15_a_bug_in_a_greeting_closes_its_socket(world: World, monkeypatch):
    alice, bob = await world.peer("alice"), await world.peer("bob")
    await bob.drop()
    monkeypatch.setattr(Membership, "attach", None)
    back = await world.again(bob)
    assert await back.wait_closed() == 1011
    assert (await chat(alice, "nothing happened"))["seq"]


@pytest.mark.matrix
async def test_i27_a_slow_operation_delays_no_ping(world: World, monkeypatch):
    monkeypatch.setitem(METHODS, "test-nap", nap)
    NAPS["i27"] = threading.Event()
    alice, bob = await world.peer("alice"), await world.peer("bob")

    slow = await alice.begin("test-nap", name="i27")
    pings = [await peer.call("ping") for _ in range(20) for peer in (alice, bob)]
    assert len(pings) == 40
    assert not slow.done()
    NAPS["i27"].set()
    assert (await slow)["woken"]


async def test_requests_that_wait_are_bounded(world: World, monkeypatch):
    monkeypatch.setitem(METHODS, "test-nap", nap)
    NAPS["bounded"] = threading.Event()
    alice = await world.peer("alice")

    slow = await alice.begin("test-nap", name="bounded")
    waiting = [await alice.begin("get-metadata") for _ in range(80)]
    await alice.call("ping")
    refusals = [reply for reply in waiting if reply.done()]
    assert [await refused(reply) for reply in refusals] == [429] * 16
    NAPS["bounded"].set()
    await slow
    assert [(await reply)["change_version"] for reply in waiting if reply not in refusals] == [0] * 64


async def test_conflicts_close_no_socket(world: World, settings):
    settings.RATE_LIMIT = 0
    alice = await world.peer("alice")
    for _ in range(3):
        calls = [await alice.begin("set-metadata", key="k", data=1, if_change_version=7) for _ in range(50)]
        assert [await refused(call) for call in calls] == [409] * 50
    assert alice.open


async def test_i28_a_flood_is_refused_and_then_cut_off(world: World, settings):
    settings.RATE_LIMIT, settings.RATE_BURST = 10, 30
    alice, bob = await world.peer("alice"), await world.peer("bob")

    flood = [await bob.begin("broadcast", info={"message": str(count)}) for count in range(500)]
    assert await bob.wait_closed() == 4029
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    await world.settled()

    refusals = [outcome for outcome in outcomes if isinstance(outcome, RpcError)]
    assert {error.code for error in refusals} == {429}
    assert len(refusals) >= 100
    accepted = await world.stored(Message)
    assert 20 <= len(accepted) <= 60
    await alice.until(lambda: len(heard(alice)) == len(accepted))
    assert (await chat(alice, "calm"))["seq"]


CALLS = ["join", "get-metadata", "peer-update", "listen-metadata-change"]
OTHERS = ["ping", "leave", "analytics", "unknown"]


@pytest.mark.parametrize(("method", "passes"), [(name, 5) for name in CALLS] + [(name, 25) for name in OTHERS])
async def test_i28_every_kind_of_request_meets_the_limit(world: World, settings, method: str, passes: int):
    settings.RATE_LIMIT, settings.RATE_BURST = 0.001, 5
    alice = await world.peer("alice")
    together = [await alice.begin(method, name="Alice", keys=[]) for _ in range(passes + 15)]
    await outcome(alice.call("unknown"))  # answered after all of them; some are not answered at all
    errors = [error for reply in together if reply.done() and isinstance(error := reply.exception(), RpcError)]
    assert sum(error.code == 429 for error in errors) in (15, 16, 17)  # opening and joining counted


async def test_the_sockets_of_one_owner_share_one_limit_and_a_new_socket_brings_no_new_burst(world: World, settings):
    settings.RATE_LIMIT, settings.RATE_BURST = 0.001, 12
    first = await world.peer("bob")
    second = await world.peer("bob")  # 4 are used up
    for peer in (first, second, first, second):
        await peer.call("get-metadata")
    await first.close()
    third = await world.again(first)
    await third.join("Bob")
    assert [await outcome(peer.call("get-metadata")) for peer in (third, second, third)] == [None, None, 429]

    fourth = world.stranger("bob")
    await fourth.connect()
    assert await fourth.wait_closed() == 4029
    assert not fourth.named("on-error")  # which clients would take for the end
    alice = await world.peer("alice")
    assert await alice.call("get-metadata")


async def test_an_owner_has_so_many_sockets_at_once(world: World, settings):
    settings.MAX_PEERS_PER_OWNER = 2
    bobs = [world.stranger("bob") for _ in range(5)]
    for bob in bobs:
        await bob.connect()
    assert await bobs[4].wait_closed() == 4029
    await bobs[0].wait_for("on-policy-change")
    await bobs[0].close()
    again = world.stranger("bob")
    await again.connect()
    await again.wait_for("on-policy-change")


async def test_a_token_that_is_good_for_ever_keeps_its_socket(world: World):
    bob = await world.peer("bob", lifetime=1e18)
    assert (await chat(bob, "hello"))["seq"]


async def outcome(call: Any) -> int | None:
    """The code of the error that a call ends in; None if it succeeds."""
    try:
        await call
    except RpcError as error:
        return error.code
    return None


# --- Tokens and rooms ---------------------------------------------------------------------------


async def test_i32_a_token_that_expires_loses_its_connection(world: World):
    alice = await world.peer("alice")
    bob = await world.peer("bob", lifetime=-8.0)

    assert await bob.wait_closed() == 4001
    assert bob.named("on-error") == [{"code": 401, "message": "token: expired"}]
    state = await alice.wait_for("on-peer-state")
    assert state["params"]["state"] == "reconnecting"

    bob.token = world.token(user="bob")
    back = await world.again(bob)
    await back.join("Bob")
    await alice.until(lambda: len(alice.named("on-peer-state")) == 2)
    assert not alice.named("on-peer-leave")


async def test_i32_nothing_is_taken_from_a_socket_whose_token_expired(world: World):
    alice = await world.peer("alice")
    bob = await world.peer("bob", lifetime=-8.0)
    bob.answers_close = False
    await bob.until(lambda: bob.close_code is not None)
    assert bob.close_code == 4001

    await bob.begin("broadcast", info={"message": "after all"})
    await bob.begin("set-metadata", data="after all")
    await world.settled()
    await bob.drop()
    await alice.wait_for("on-peer-state")
    assert heard(alice) == []
    assert not await world.stored(MetadataEntry)


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
async def test_i32_a_bad_token_is_told_and_closed(world: World, token: str):
    alice = world.stranger("alice")
    alice.token = token
    await alice.connect()
    assert await alice.wait_closed() == 4401
    assert alice.named("on-error")[0]["code"] == 401


@pytest.mark.parametrize("version", ["9" * 5000 + ".0.0", "0." + "9" * 5000 + ".0", "0.0." + "9" * 5000, "٠.٩.٠"])
@pytest.mark.parametrize("name", ["user_agent_v2", "user_agent"])
async def test_no_version_that_a_client_names_is_an_error_of_ours(world: World, name: str, version: str):
    alice = world.stranger("alice")
    alice.query = {name: f"sdk_version:{version}"}
    await alice.connect()
    assert (await alice.join("Alice"))["seq"] == 1


@pytest.mark.matrix
async def test_i31_a_token_for_one_room_and_role_gives_nothing_in_another(world: World):
    other = await world.new_room(title="Other")
    carol = await world.peer("carol", "host", room=other)
    alice = await world.peer("alice", "host")
    bob = await world.peer("bob", room=other, peer_id=alice.peer_id)

    assert await refused(bob.call("end-room")) == 403
    assert await refused(chat(carol, "psst", peer_id="alice")) == 404
    await chat(carol, "only here")
    await bob.wait_for("on-broadcast")
    await carol.call("set-metadata", data="theirs")
    assert (await alice.call("get-metadata"))["data"] is None
    await alice.call("ping")
    assert numbered(alice.events) == []


@pytest.mark.matrix
async def test_i35_to_a_tokens_holder_unknown_closed_and_forbidden_rooms_look_alike(world: World):
    closed = await world.new_room(title="Closed", enabled=False)
    sockets = [
        world.stranger("bob", room=closed),
        world.stranger("bob", room=type(closed)(id="0" * 24)),
        world.stranger("bob", role="no such role"),
    ]
    seen = []
    for socket in sockets:
        await socket.connect()
        seen.append((await socket.wait_closed(), socket.events))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] == 4403


# --- Markup -------------------------------------------------------------------------------------


async def test_markup_travels_unchanged_and_names_lose_what_cannot_be_seen(world: World):
    markup = '<img src=x onerror=alert(1)> & "quotes" javascript:alert(1)'
    alice = await world.peer("alice")
    bob = world.stranger("bob")
    await bob.connect()
    await bob.join("<b>Bob</b>\u202e\u0007 \n x", data=markup)
    joined = await alice.wait_for("on-peer-join")
    await chat(bob, markup)
    told = await alice.wait_for("on-broadcast")
    await bob.call("set-metadata", data=markup)

    assert joined["params"]["info"]["name"] == "<b>Bob</b> x"
    assert joined["params"]["info"]["data"] == markup
    assert told["params"]["info"]["message"] == markup
    assert (await alice.call("get-metadata"))["data"] == markup


# --- Owners -------------------------------------------------------------------------------------


@pytest.mark.matrix
async def test_a_guest_with_the_hosts_user_id_and_peer_id_is_refused_and_the_host_notices_nothing(world: World):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    await chat(alice, "for Bob alone", peer_id=bob.peer_id)
    await bob.wait_for("on-broadcast")
    before = [len(peer.events) for peer in (alice, bob)]
    for peer, user in ((alice, "alice"), (bob, "bob")):
        for owner in ("", tokens.owner_by_secret("a secret that somebody else has")):
            role = "viewer" if not owner else "guest"
            token = tokens.sign(world.room.id, role, user, owner=owner)[0]
            thief = world.stranger(user, peer_id=peer.peer_id)
            thief.token = token
            await thief.connect()
            assert await thief.wait_closed() == 4403
            assert names(thief.events) == ["on-error"]
    await world.settled()
    await alice.call("ping")
    await bob.call("ping")
    assert (alice.open, bob.open) == (True, True)
    assert [len(peer.events) for peer in (alice, bob)] == before


@pytest.mark.matrix
async def test_who_is_removed_is_sent_away_with_every_socket_and_told_why_at_the_next(world: World):
    alice, bob = await world.peer("alice", "host"), await world.peer("bob")
    other, carol = await world.peer("bob"), await world.peer("carol")
    before = world.stranger("bob")  # at the door already
    await before.connect()
    await before.wait_for("room-state")

    await alice.call("peer-leave-request", requested_for=bob.peer_id, reason="enough")
    assert [await peer.wait_closed() for peer in (bob, other)] == [4003, 4003]
    removed = {
        "code": 403,
        "message": "removed from this session: enough",
        "data": {"removed": True, "reason": "enough"},
    }
    with pytest.raises(RpcError) as refusal:
        await before.join("Bob")
    assert (refusal.value.code, refusal.value.data) == (403, removed["data"])
    for peer_id in (bob.peer_id, other.peer_id, "another"):
        again = world.stranger("bob", peer_id=peer_id)
        await again.connect()
        assert await again.wait_closed() == 4403
        assert again.named("on-error") == [removed]
    [news] = alice.named("on-removed-change")
    assert [one["reason"] for one in news["removed"]] == ["enough"]
    assert not carol.named("on-removed-change")

    await alice.call("peer-let-in", person=news["removed"][0]["person"])
    await world.peer("bob")
    assert alice.named("on-removed-change")[-1] == {"removed": []}


async def test_no_frame_and_no_line_of_the_log_holds_an_owner(world: World, caplog):
    secret = "a secret of the client"
    owner = tokens.owner_by_secret(secret)
    with caplog.at_level("DEBUG"):
        alice = await world.peer("alice", "host")
        bobs = []
        for number in range(2):
            bob = world.stranger("bob", peer_id=f"bob-{number}")
            bob.token = tokens.sign(world.room.id, "guest", "bob", owner=owner)[0]
            await bob.connect()
            await bob.join("Bob")
            await bob.wait_for("peer-list")
            bobs.append(bob)
        bob = bobs[0]
        await chat(bob, "hello")
        await bob.call("group-join", name="_handraise")
        await bob.call("peer-update", data="{}")
        await alice.call("get-peer", peer_id=bob.peer_id)
        await alice.call("find-peer")
        await alice.call("poll-info-set", poll_id="p", title="Lunch", anonymous=True)
        soup = {"question": {"text": "Soup?", "type": "single-choice"}, "options": [{"text": "yes"}]}
        await alice.call("poll-questions-set", poll_id="p", questions=[soup])
        await alice.call("poll-start", poll_id="p")
        await bob.call("poll-response", poll_id="p", responses=[{"question": 1, "option": 1}])
        replies = [await alice.call("poll-responses", poll_id="p"), await alice.call("poll-result", poll_id="p")]
        await alice.call("role-change-request", requested_for=bob.peer_id, role="viewer", force=True)
        await alice.call("role-change-request", requested_for=bob.peer_id, role="guest")
        door = world.stranger("carol")
        await door.connect()
        await door.wait_for("room-state")
        thief = world.stranger("bob", peer_id=bob.peer_id)
        await thief.connect()
        await thief.wait_closed()
        await bobs[1].drop()
        await alice.wait_for("on-peer-state")
        await alice.call("peer-leave-request", requested_for=bob.peer_id, reason="enough")
        await bob.wait_closed()
        replies.append(await alice.call("peers-removed"))
        await world.settled()
    said = [str(peer.events) for peer in world.peers] + [str(replies), caplog.text]
    assert not [text for text in said if owner in text or secret in text or owner.removeprefix("code:") in text]
    persons = {row.person for row in await world.stored(Peer, user_id="bob")}
    assert len(persons) == 1
    assert persons < set(re.findall(r"[\w-]{22}", said[0]))
