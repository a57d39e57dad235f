"""A lock that goes from peer to peer."""

import asyncio
import itertools
import json
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from harness.ours import Hmsroom
from harness.places import HOST

NAME = "stage"
PATIENCE_MS = 60_000


class Peer:
    """A peer in a room that asks and is answered."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._ids = socket, itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def come(cls, protocol: Hmsroom, index: int, room: str) -> "Peer":
        address = f"{HOST}:{protocol.port(index)}"
        url = f"ws://{address}{protocol.path(index, room)}"
        socket = await connect(url, origin=f"http://{address}", compression=None)  # type: ignore[arg-type]
        peer = cls(socket)
        await peer.ask("join", {"name": f"p{index}", "data": ""})
        return peer

    def ask(self, method: str, params: dict[str, Any]) -> asyncio.Future[dict[str, Any]]:
        """Send a request; its result."""
        request_id = str(next(self._ids))
        self._waiting[request_id] = answer = asyncio.get_running_loop().create_future()
        request = {"method": method, "params": params, "id": request_id, "jsonrpc": "2.0"}
        self._sending = asyncio.create_task(self._socket.send(json.dumps(request)))
        return answer

    async def _read(self) -> None:
        async for text in self._socket:
            frame = json.loads(text)
            if answer := self._waiting.pop(frame.get("id", ""), None):
                answer.set_result(frame["result"])

    async def go(self) -> None:
        self._reading.cancel()
        await self._socket.close()


async def hand_over(protocol: Hmsroom, room: str, *, peers: int, times: int) -> list[float]:
    """Seconds from one's unlock until the next, of so many who wait in line, is answered that it holds the lock."""
    everybody = [await Peer.come(protocol, index, room) for index in range(peers)]
    wanted = {"name": NAME, "wait_ms": PATIENCE_MS}
    held = await everybody[0].ask("lock", wanted)
    line = [(peer, peer.ask("lock", wanted)) for peer in everybody[1:]]
    await everybody[-1].ask("ping", {"timestamp": 0})
    holder, taken = everybody[0], []
    for _ in range(times):
        following, answer = line.pop(0)
        start = time.perf_counter()
        freed = holder.ask("unlock", {"name": NAME, "token": held["token"]})
        held = await answer
        taken.append(time.perf_counter() - start)
        await freed
        line.append((holder, holder.ask("lock", wanted)))
        holder = following
    for peer in everybody:
        await peer.go()
    return taken
