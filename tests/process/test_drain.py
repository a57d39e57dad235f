"""Taking a process out of service: on both servers, with real sockets."""

import asyncio
import signal
from contextlib import ExitStack

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.processes import PATIENCE
from tests.support.server import RawPeer, RunningServer

pytestmark = pytest.mark.faults

SERVERS = ["daphne", "uvicorn"]


async def guests(server: RunningServer, room: str, number: int) -> list[RawPeer]:
    return [await server.peer(server.sign(room, user=f"user-{n}"), f"Guest {n}") for n in range(number)]


def states(server: RunningServer) -> list[str]:
    """The states of all peers, as the database has them."""
    return [str(state) for (state,) in server.select("SELECT state FROM rooms_peer")]


@pytest.mark.parametrize("kind", SERVERS)
async def test_i12_a_drained_process_closes_its_sockets_one_after_the_other_and_removes_nobody(kind):
    with RunningServer(server=kind, DRAIN_SECONDS=2, HEARTBEAT_INTERVAL=4) as server:
        peers = await guests(server, server.room("tea"), 8)

        server.signal(signal.SIGUSR1)

        closed = []
        for peer in peers:
            assert await peer.wait_closed() == 1012
            closed.append(asyncio.get_running_loop().time())
        assert closed[-1] - closed[0] > 0.5  # spread, not at once
        assert not any(peer.named("on-peer-leave") for peer in peers)
        assert server.is_running()
        # Those who do not come back are found by the process that held them.
        async with asyncio.timeout(PATIENCE):
            while set(states(server)) != {"reconnecting"}:
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_process_that_drains_takes_no_newcomers_and_says_so(kind):
    with RunningServer(server=kind, DRAIN_SECONDS=0.1) as server:
        token = server.sign(server.room("tea"))
        [peer] = await guests(server, server.room("tea"), 1)
        server.signal(signal.SIGUSR1)
        await peer.wait_closed()

        ready = server.request("GET", "/readyz")
        init = server.request("GET", "/init?peer_id=a", Authorization=f"Bearer {token}")
        with pytest.raises(InvalidStatus) as refused:
            await RawPeer(server.ws_url, token).connect()

        assert (ready.status, ready.json()) == (503, {"database": True, "lease": True, "open": False})
        assert (init.status, init.json()) == (503, {"code": 503, "message": "the server restarts, try again"})
        assert refused.value.response.status_code == {"daphne": 403, "uvicorn": 503}[kind]
        assert server.request("GET", "/healthz").status == 200
        assert server.request("GET", "/").status == 200


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_process_without_a_socket_can_be_drained(kind):
    with RunningServer(server=kind) as server:
        server.signal(signal.SIGUSR1)

        while server.request("GET", "/readyz").status == 200:
            await asyncio.sleep(0.02)
        assert server.terminate() in (0, -signal.SIGTERM)


@pytest.mark.parametrize("kind", SERVERS)
async def test_i12_sigterm_closes_with_1012_and_removes_nobody(kind):
    with RunningServer(server=kind) as server:
        peers = await guests(server, server.room("tea"), 50)
        quiet = RawPeer(server.ws_url, server.sign(server.room("tea"), user="quiet"))
        await quiet.connect()

        server.signal(signal.SIGTERM)

        assert {await peer.wait_closed() for peer in [*peers, quiet]} == {1012}
        assert await asyncio.to_thread(server.wait) in (0, -signal.SIGTERM)
        assert not any(peer.named("on-peer-leave") for peer in peers)
        assert states(server) == ["connected"] * 50  # they come back, to this one or another: no news for anybody
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("kind", SERVERS)
async def test_i11_peers_of_a_stopped_server_come_back_to_it(kind):
    with RunningServer(server=kind) as server:
        alice, bob = await guests(server, server.room("tea"), 2)
        await alice.call("set-metadata", key="topic", data="tea")
        joined = await alice.join()
        place = {name: joined[name] for name in ("session_id", "seq", "history")}

        await asyncio.to_thread(server.restart)
        back = RawPeer(server.ws_url, alice.token, peer_id=alice.peer_id)
        joined = await back.resume(place)

        assert joined["resumed"] is True
        assert (await back.call("get-metadata", key="topic"))["data"] == "tea"
        assert not back.named("on-peer-state")  # of herself there is nothing to tell, and bob may be back in a moment
        away = (await back.wait_for("on-peer-state"))["params"]
        assert (away["peer_id"], away["state"]) == (bob.peer_id, "reconnecting")
        assert not back.named("on-peer-leave")
        await back.leave()


async def test_others_need_not_wait_for_the_lease_of_a_stopped_process(postgres, redis):
    database = postgres.create_database()
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(
                RunningServer(server="uvicorn", database_url=database, redis_url=redis.url, PEER_GRACE=600)
            )
            for _ in range(2)
        )
        room = first.room("tea")
        alice = await first.peer(first.sign(room, user="alice"))
        bob = await second.peer(second.sign(room, user="bob"), "Bob")

        # In threads, for the sockets must go on answering pings.
        assert await asyncio.to_thread(first.terminate) in (0, -signal.SIGTERM)

        assert await alice.wait_closed() == 1012
        gone = await bob.wait_for("on-peer-state")
        assert (gone["params"]["peer_id"], gone["params"]["state"]) == (alice.peer_id, "reconnecting")
        assert second.select("SELECT COUNT(*) FROM rooms_worker WHERE dead_at IS NULL") == [(1,)]

        back = RawPeer(second.ws_url, alice.token, peer_id=alice.peer_id)
        await back.connect()
        await back.join()
        await bob.wait_for(lambda event: event.get("params", {}).get("state") == "connected")
        assert not bob.named("on-peer-leave") and not bob.named("on-peer-join")
