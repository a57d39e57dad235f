"""Everything at once: joins, leaves, messages, writes, cut connections and killed processes, all by chance.

Afterwards every client's view is the database's, and every acknowledged message reached each peer it was for exactly
once, in one order. A seed gives the same choices again, though not the same moments.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster import Cluster
from tests.faults.client import Client
from tests.server import RpcError
from tests.services import PostgresServer, RedisServer

CLIENTS = 10
KEYS = ["topic", "score"]
ROLES = ["host", "guest"]

PRESENT = (
    "{p.peer_id: p.state for p in Peer.objects.filter(session__room_id=room, session__ended_at=None)"
    ".exclude(state='left')}"
)
ENTRIES = (
    "{e.key: [e.change_version, json.loads(e.data)] for e in "
    "MetadataEntry.objects.filter(session__room_id=room, session__ended_at=None, key__in=['topic', 'score'])}"
)


class Chaos:
    """One room of one deployment, and all clients that were ever in it."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self.cluster, self.seed = cluster, seed
        self.room = cluster.room()
        self.chance = random.Random(seed)
        self.clients: list[Client] = []
        self.written: dict[str, list[tuple[str, int]]] = {key: [] for key in KEYS}

    def enter(self) -> Client:
        number = len(self.clients)
        client = Client(
            self.cluster.processes,
            self.room,
            f"client-{number}",
            role=ROLES[number % 2],
            keys=KEYS,
            seed=self.seed,
        )
        self.clients.append(client)
        return client

    @property
    def inside(self) -> list[Client]:
        return [client for client in self.clients if not client.over.is_set()]

    async def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        actors = [asyncio.create_task(self._act(number, end)) for number in range(CLIENTS)]
        killer = asyncio.create_task(self._kill(end))
        await asyncio.gather(*actors, killer)

    async def _act(self, number: int, end: float) -> None:
        chance = random.Random(f"{self.seed}/actor {number}")
        client = self.enter()
        said = 0
        while time.monotonic() < end:
            await asyncio.sleep(chance.random() / 5)
            what = chance.random()
            if what < 0.6:
                said += 1
                await client.say(f"{client.user}/{said}", **self._audience(chance))
            elif what < 0.85:
                await self._write(chance, client)
            elif what < 0.95:
                await client.cut()
            else:
                # Not before it has joined: who never came would have nothing to leave.
                await client.joined.wait()
                await client.leave()
                client = self.enter()

    def _audience(self, chance: random.Random) -> dict[str, object]:
        return {"roles": [chance.choice(ROLES)]} if chance.random() < 0.2 else {}

    async def _write(self, chance: random.Random, client: Client) -> None:
        key = chance.choice(KEYS)
        expected = {"if_change_version": client.values.get(key, (0, None))[0]} if chance.random() < 0.5 else {}
        try:
            entry = await client.call("set-metadata", key=key, data=chance.random(), **expected)
        except RpcError as error:
            assert error.code == 409, error
        else:
            self.written[key].append((client.session_id, entry["change_version"]))

    async def _kill(self, end: float) -> None:
        while time.monotonic() < end - 3:
            await asyncio.sleep(3 + 3 * self.chance.random())
            process = self.chance.choice(self.cluster.processes)
            await asyncio.to_thread(process.kill)
            await asyncio.sleep(self.chance.random())
            await asyncio.to_thread(process.start)

    async def settle(self) -> None:
        """Wait until everybody is back and has heard a last message."""
        for client in self.inside:
            await client.until(client.joined.is_set)
        speaker, *others = self.inside
        await speaker.say("the end")
        for client in others:
            await client.until(lambda client=client: client.heard()[-1:] == ["the end"])

    async def check(self) -> None:
        for client in self.clients:
            assert client.wrong == []
        await self._check_views()
        self._check_order()
        self._check_messages()

    async def _check_views(self) -> None:
        present = await self._all_present()
        entries = await self.cluster.query(ENTRIES, room=self.room)
        assert present == {client.peer_id: "connected" for client in self.inside}
        for client in self.inside:
            others = {peer_id: state for peer_id, state in present.items() if peer_id != client.peer_id}
            await client.until(lambda client=client, others=others: client.peers == others)
            held = {key: [version, data] for key, (version, data) in client.values.items() if version}
            assert held == entries
        for key, (version, _) in entries.items():
            session = self.inside[0].session_id
            acknowledged = [number for of, number in self.written[key] if of == session]
            assert len(acknowledged) == len(set(acknowledged))
            assert max(acknowledged, default=0) <= version

    async def _all_present(self) -> dict[str, str]:
        """Who is in the room, once nobody is left in it whose leave was lost with its process."""
        inside = {client.peer_id: "connected" for client in self.inside}
        end = time.monotonic() + 60
        while (present := await self.cluster.query(PRESENT, room=self.room)) != inside:
            assert time.monotonic() < end, (present, inside)
            await asyncio.sleep(1)
        return present

    def _check_order(self) -> None:
        """Each number is the same event for everybody who got it."""
        told: dict[tuple[str, int], object] = {}
        for client in self.clients:
            for place, message in client.numbers.items():
                known = told.setdefault(place, message)
                assert known == message, (client.user, place)

    def _check_messages(self) -> None:
        checked = 0
        for sender in self.clients:
            for message_id, answer in sender.acknowledged.items():
                for client in self.clients:
                    checked += self._check_message(sender, client, message_id, answer)
        assert checked > 100

    def _check_message(self, sender: Client, client: Client, message_id: str, answer: dict[str, object]) -> bool:
        session_id, seq = str(answer["session_id"]), int(str(answer["seq"]))
        got = [place for place, event in client.numbers.items() if event["params"].get("message_id") == message_id]
        if client is sender:
            assert got == []
            return False
        assert got in ([], [(session_id, seq)])
        was_there = any(of == session_id and start < seq <= end for of, (start, end) in client.stays)
        roles = answer.get("roles")
        meant = roles is None or client.role in roles  # type: ignore[operator]
        assert bool(got) == (was_there and meant), (client.user, client.stays, answer)
        return bool(got)


@contextmanager
def deployed(kind: str, postgres: PostgresServer, redis: RedisServer) -> Iterator[Cluster]:
    if kind == "postgres":
        cluster = Cluster(2, server="uvicorn", database_url=postgres.create_database(), redis_url=redis.url)
    else:
        cluster = Cluster(1, server=kind)
    with cluster:
        yield cluster


async def once(cluster: Cluster, seed: int, seconds: float) -> None:
    chaos = Chaos(cluster, seed)
    try:
        await chaos.run(seconds)
        await chaos.settle()
        await chaos.check()
    finally:
        await asyncio.gather(*(client.stop() for client in chaos.clients))


@pytest.mark.faults
@pytest.mark.parametrize(("kind", "seed"), [("daphne", 1), ("uvicorn", 2), ("postgres", 3)])
async def test_chaos_loses_nothing(kind: str, seed: int, postgres: PostgresServer, redis: RedisServer):
    with deployed(kind, postgres, redis) as cluster:
        await once(cluster, seed, 20)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
async def test_chaos_for_a_minute_loses_nothing(seed: int, postgres: PostgresServer, redis: RedisServer):
    with deployed(["daphne", "uvicorn", "postgres"][seed % 3], postgres, redis) as cluster:
        await once(cluster, 100 + seed, 60)
