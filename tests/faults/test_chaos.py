"""Everything at once: joins, leaves, messages, writes, cut connections and killed processes, all by chance.

Some clients also take each other for somebody else, come with the role of before, join again on the same socket, and
name places that there never were. Afterwards every client's view is the database's, and the history of all that was
asked, answered and told has no anomaly. A seed gives the same choices again, though not the same moments.
"""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.faults.client import LOST, Client
from tests.support.cluster import Cluster
from tests.support.history import History, anomalies
from tests.support.processes import PATIENCE
from tests.support.server import RawPeer, RpcError, RunningServer
from tests.support.services import PostgresServer, RedisServer

CLIENTS = 10
KEYS = ["topic", "score"]
ROLES = ["host", "guest"]

PRESENT = (
    "{p.peer_id: [p.state, p.role] for p in Peer.objects.filter(session__room_id=room, session__ended_at=None)"
    ".exclude(state='left')}"
)
ENTRIES = (
    "{e.key: [e.change_version, json.loads(e.data or 'null')] for e in "
    "MetadataEntry.objects.filter(session__room_id=room, session__ended_at=None, key__in=['topic', 'score'])}"
)
CODES = "{c.role: c.code for c in RoomCode.objects.filter(room_id=room)}"


class Chaos:
    """One room of one deployment, and all clients that were ever in it."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self.cluster, self.seed = cluster, seed
        self.room = cluster.room()
        self.chance = random.Random(seed)
        self.clients: list[Client] = []
        self.record = History()
        self.refused = 0
        self.codes: dict[str, str] = {}

    def enter(self) -> Client:
        number = len(self.clients)
        client = Client(
            self.cluster.processes,
            self.room,
            f"client-{number}",
            role=ROLES[number % 2],
            keys=KEYS,
            seed=self.seed,
            makes_up=0.2,
            record=self.record,
        )
        self.clients.append(client)
        return client

    @property
    def inside(self) -> list[Client]:
        return [client for client in self.clients if not client.over.is_set()]

    async def run(self, seconds: float) -> None:
        self.codes = await self.cluster.query(CODES, room=self.room)
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
            if what < 0.45:
                said += 1
                await self._say(chance, client, f"{client.user}/{said}")
            elif what < 0.65:
                await self._write(chance, client)
            elif what < 0.7:
                await client.call("get-metadata", key=chance.choice(KEYS))
            elif what < 0.78:
                await client.cut()
            elif what < 0.82:
                await client.join_again()
            elif what < 0.86:
                await self._give_role(chance, client)
            elif what < 0.95:
                await self._pretend(chance, client)
            else:
                # Not before it has joined: who never came would have nothing to leave.
                await client.joined.wait()
                await client.leave()
                client = self.enter()

    async def _say(self, chance: random.Random, client: Client, text: str) -> None:
        """To everybody, to a role, or to one peer, who may have left meanwhile."""
        kind = chance.random()
        whom = chance.choice(self.inside)
        if kind < 0.1 and whom is not client:
            try:
                await client.say(text, peer_id=whom.peer_id)
            except RpcError as error:
                assert error.code == 404, error
        else:
            await client.say(text, **{"roles": [chance.choice(ROLES)]} if kind < 0.3 else {})

    async def _give_role(self, chance: random.Random, client: Client) -> None:
        whom = chance.choice(self.inside)
        try:
            await client.call("role-change-request", requested_for=whom.peer_id, role=chance.choice(ROLES), force=True)
        except RpcError as error:
            assert error.code in (403, 404), error  # of a role that may not, or whom is not inside any more

    async def _pretend(self, chance: random.Random, client: Client) -> None:
        """Open a socket of a peer that is present, with a token of another owner or of another role."""
        await client.joined.wait()
        process = chance.choice(self.cluster.processes)
        other_role = ROLES[1 - ROLES.index(client.token_role)]
        try:
            token = chance.choice(
                [
                    process.sign(self.room, client.token_role, "somebody else"),
                    process.sign(self.room, other_role, client.user),
                    await asyncio.to_thread(self._token_by_code, process, client),
                ]
            )
            pretender = RawPeer(process.ws_url, token, peer_id=client.peer_id)
            await pretender.connect()
        except (*LOST, HTTPException):
            return  # the process was killed
        await pretender.wait_closed()
        if pretender.events:
            [refusal] = pretender.events
            assert (refusal["method"], refusal["params"]["code"]) == ("on-error", 403), refusal
            assert refusal["params"]["message"].startswith("peer:"), refusal
            self.refused += 1

    def _token_by_code(self, process: RunningServer, client: Client) -> str:
        wanted = {"code": self.codes[client.token_role], "user_id": client.user, "secret": "of somebody else"}
        answer = process.request("POST", "/v2/token", json.dumps(wanted))
        assert answer.status == 200, answer
        token: str = answer.json()["token"]
        return token

    async def _write(self, chance: random.Random, client: Client) -> None:
        key = chance.choice(KEYS)
        # Always another value: one that stands already would change nothing, and its answer be no change's.
        data = {"data": chance.random()}
        expected = {"if_change_version": client.values.get(key, (0, None))[0]} if chance.random() < 0.5 else {}
        try:
            await client.call("set-metadata", key=key, **data, **expected)
        except RpcError as error:
            assert error.code == 409, error

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
        assert [str(anomaly) for anomaly in anomalies(self.record)] == []
        assert sum(entry.name == "on-broadcast" for entry in self.record.entries) > 100
        for client in self.clients:
            assert client.wrong == []
        assert self.refused
        assert sum(client.resumed for client in self.clients)
        assert sum(client.made_up for client in self.clients)
        await self._check_views()

    async def _check_views(self) -> None:
        found = await self._all_present()
        present = {peer_id: state for peer_id, (state, _) in found.items()}
        entries = await self.cluster.query(ENTRIES, room=self.room)
        for client in self.inside:
            assert client.role == found[client.peer_id][1]
            others = {peer_id: state for peer_id, state in present.items() if peer_id != client.peer_id}
            await client.until(lambda client=client, others=others: client.peers == others)
            held = {key: [version, data] for key, (version, data) in client.values.items() if version}
            assert held == entries

    async def _all_present(self) -> dict[str, tuple[str, str]]:
        """Who is in the room, with state and role, once nobody is left in it whose leave was lost with its process."""
        inside = {client.peer_id: "connected" for client in self.inside}
        end = time.monotonic() + PATIENCE
        while True:
            found: dict[str, tuple[str, str]] = await self.cluster.query(PRESENT, room=self.room)
            if {peer_id: state for peer_id, (state, _) in found.items()} == inside:
                return found
            assert time.monotonic() < end, (found, inside)
            await asyncio.sleep(1)


@contextmanager
def deployed(kind: str, postgres: PostgresServer, redis: RedisServer) -> Iterator[Cluster]:
    if kind == "postgres":
        cluster = Cluster(2, server="uvicorn", database_url=postgres.create_database(), redis_url=redis.url)
    else:
        cluster = Cluster(1, server=kind)
    with cluster:
        yield cluster


async def once(cluster: Cluster, seed: int, seconds: float, kept: Path) -> None:
    chaos = Chaos(cluster, seed)
    try:
        await chaos.run(seconds)
        await chaos.settle()
        await chaos.check()
    except BaseException as error:
        chaos.record.save(kept)
        error.add_note(f"python -m tests.support.history {kept}")
        raise
    finally:
        await asyncio.gather(*(client.stop() for client in chaos.clients))


@pytest.mark.faults
@pytest.mark.parametrize(("kind", "seed"), [("daphne", 1), ("uvicorn", 2), ("postgres", 3)])
async def test_chaos_loses_nothing(kind: str, seed: int, postgres: PostgresServer, redis: RedisServer, tmp_path: Path):
    with deployed(kind, postgres, redis) as cluster:
        await once(cluster, seed, 12, tmp_path / "history.jsonl")


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
async def test_chaos_for_a_minute_loses_nothing(
    seed: int, postgres: PostgresServer, redis: RedisServer, tmp_path: Path
):
    with deployed(["daphne", "uvicorn", "postgres"][seed % 3], postgres, redis) as cluster:
        await once(cluster, 100 + seed, 60, tmp_path / "history.jsonl")
