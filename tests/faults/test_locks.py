"""A lock that goes from hand to hand over two processes, also when its holders are cut, killed or stand still."""

import asyncio
import signal
from collections.abc import Sequence

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.cluster import Cluster, again, leave_all
from tests.support.server import Message, RawPeer, RpcError, RunningServer
from tests.support.sockets import values

pytestmark = [pytest.mark.postgres, pytest.mark.faults]

PEERS = 50
WAIT_MS = 60_000


async def queue_up(peers: Sequence[RawPeer]) -> "list[asyncio.Future[Message]]":
    """What each is answered that asks for the lock, one after the other."""
    asked = []
    for peer in peers:
        asked.append(await peer.begin("lock", name="deck", wait_ms=WAIT_MS))
        # A call after it is answered, so it has its place, and holds up nothing.
        await peer.call("get-metadata")
    return asked


async def note(peer: RawPeer, held: Message) -> None:
    """Write down under the lock whose turn it is."""
    step = {"op": "add", "path": "/-", "value": peer.peer_id}
    change = {"key": "turns", "patch": [step]}
    await peer.call("update-metadata", changes=[change], if_lock={"name": "deck", "token": held["token"]})


async def take_turn(peer: RawPeer, asked: "asyncio.Future[Message]") -> Message:
    held = await asked
    assert held["holder"] == peer.peer_id
    await note(peer, held)
    await peer.call("unlock", name="deck", token=held["token"])
    return held


async def take_turns(peers: Sequence[RawPeer], asked: "Sequence[asyncio.Future[Message]]") -> None:
    held = await asyncio.gather(*(take_turn(peer, wait) for peer, wait in zip(peers, asked, strict=True)))
    tokens = [one["token"] for one in held]
    assert tokens == sorted(set(tokens))


async def watch(cluster: Cluster, room: str) -> list[RawPeer]:
    """Somebody at each process who holds nothing and sees everything."""
    watchers = [await cluster.peer(room, f"watcher-{n}", "host", at=at) for n, at in enumerate(cluster.processes)]
    for watcher in watchers:
        await watcher.call("listen-metadata-change", keys=["turns"])
    rules = [{"key": "turns", "lock": "deck"}]
    await watchers[0].call("set-metadata-rules", rules=rules)
    held = await watchers[0].call("lock", name="deck")
    change = {"key": "turns", "data": []}
    await watchers[0].call("update-metadata", changes=[change], if_lock={"name": "deck", "token": held["token"]})
    await watchers[0].call("unlock", name="deck", token=held["token"])
    return watchers


async def saw(watchers: Sequence[RawPeer], holders: Sequence[RawPeer], turns: Sequence[RawPeer]) -> None:
    """Everybody saw the lock go to these, one after the other, and these take their turns."""
    wanted = [holder.peer_id for holder in holders]
    written = [peer.peer_id for peer in turns]
    for watcher in watchers:
        await watcher.until(lambda watcher=watcher: watcher.named("on-lock-change")[-1]["holder"] is None)
        changes = watcher.named("on-lock-change")[2:]  # after those of the beginning
        assert [change["holder"] for change in changes] == [*wanted, None]
        tokens = [change["token"] for change in changes[:-1]]
        assert tokens == sorted(set(tokens))
        assert values(watcher, "turns")[-1] == (len(written) + 1, written)


async def test_fifty_peers_go_through_one_lock_in_their_order_also_when_some_are_cut(pair: Cluster):
    room = pair.room()
    watchers = await watch(pair, room)
    peers = await pair.peers(room, PEERS)
    asked = await queue_up(peers)
    # One that holds it and comes back no more, and others that wait.
    lost = [peers[0], peers[7], peers[8], peers[30]]
    first = await asked[0]
    for peer in lost:
        await peer.drop()
    await watchers[0].until(lambda: len(watchers[0].named("on-peer-state")) == len(lost))
    # And one that waits and comes back, with another number to its wait but at its old place.
    await peers[20].drop()
    back = await again(peers[20], at=pair.last)
    await back.join("Back")
    await asyncio.gather(*asked[7:9], asked[20], asked[30], return_exceptions=True)
    asked[20] = (await queue_up([back]))[0]
    others = [*peers[:20], back, *peers[21:]]

    turns = [peer for peer in others if peer not in lost]
    await take_turns(turns, [wait for peer, wait in zip(others, asked, strict=True) if peer not in lost])

    await saw(watchers, [peers[0], *turns], turns)
    assert first["token"] < watchers[0].named("on-lock-change")[3]["token"]
    assert watchers[0].named("on-lock-change")[3]["reason"] == "left"
    await leave_all([*watchers, *turns])


async def test_the_lock_goes_on_when_the_process_of_its_holder_is_killed(pair: Cluster):
    room = pair.room()
    doomed, survivor = pair.processes
    _, watcher = await watch(pair, room)
    peers = await pair.peers(room, PEERS)
    asked = await queue_up(peers)
    await asked[0]

    await asyncio.to_thread(doomed.kill)
    await asyncio.gather(*asked[2::2], return_exceptions=True)
    staying = peers[1::2]
    assert {peer.ws_url for peer in staying} == {survivor.ws_url}
    await take_turns(staying, asked[1::2])

    await saw([watcher], [peers[0], *staying], staying)
    await leave_all([watcher, *staying])


async def frozen_until(process: RunningServer, watcher: RawPeer, gone: Sequence[RawPeer]) -> None:
    """Return when a process has stood still for so long that these of its peers are gone."""
    process.signal(signal.SIGSTOP)
    wanted = {peer.peer_id for peer in gone}
    await watcher.until(lambda: wanted <= {left["peer_id"] for left in watcher.named("on-peer-leave")})


async def test_what_a_holder_writes_that_stood_still_past_the_grace_is_refused(pair: Cluster):
    room = pair.room()
    frozen, awake = pair.processes
    stopped, watcher = await watch(pair, room)
    peers = await pair.peers(room, PEERS)
    asked = await queue_up(peers)
    old = await asked[0]
    holder, staying = peers[0], peers[1::2]
    under_the_old = {"changes": [{"key": "turns", "data": "mine"}], "if_lock": {"name": "deck", "token": old["token"]}}

    try:
        await frozen_until(frozen, watcher, peers[::2])
        # It lies before the process when that wakes up.
        late = await holder.begin("update-metadata", **under_the_old)
        new = await asked[1]
        await note(peers[1], new)
    finally:
        frozen.signal(signal.SIGCONT)
    [refusal] = await asyncio.gather(late, return_exceptions=True)
    assert isinstance(refusal, RpcError | ConnectionClosed)
    # With a new socket it is in the session again, and has lost the lock all the same.
    back = await again(holder, at=awake)
    await back.join("Back")
    for token in (old["token"], new["token"]):
        under = {**under_the_old, "if_lock": {"name": "deck", "token": token}}
        with pytest.raises(RpcError) as refused:
            await back.call("update-metadata", **under)
        stands = {name: new[name] for name in ("name", "holder", "token")}
        assert (refused.value.code, refused.value.data) == (409, stands)

    await peers[1].call("unlock", name="deck", token=new["token"])
    await take_turns(staying[1:], asked[3::2])
    await saw([watcher], [peers[0], *staying], staying)
    await asyncio.gather(*asked[2::2], return_exceptions=True)
    await leave_all([watcher, back, *staying])
    await stopped.close()
