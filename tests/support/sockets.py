"""A peer on the application itself, without a server: its frames pass the real consumer, hub and database."""

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from channels.testing import WebsocketCommunicator
from django.db import connection, models
from django.utils import timezone

from rooms.access import tokens
from rooms.creation.rooms import create_room
from rooms.delivery import hub
from rooms.models import Room, Worker
from rooms.operations.engine.calls import Caller
from rooms.operations.reaping import mark_lost
from rooms.process import lease
from rooms.process.lease import Lease
from rooms.process.reaper import Reaper
from rooms.routing import websocket_application
from tests.support.server import Message, RawPeer

T = TypeVar("T", bound=models.Model)

HOST = "127.0.0.1:8000"


class Refused(Exception):
    """The handshake was refused."""


class LocalPeer(RawPeer):
    """A RawPeer whose socket is a test communicator."""

    def __init__(
        self, token: str, *, peer_id: str | None = None, origin: str | None = None, application: Any = None
    ) -> None:
        super().__init__("", token, peer_id=peer_id, origin=origin)
        self.host = HOST
        self.answers_close = True
        self._application = application or websocket_application()
        self._communicator: WebsocketCommunicator
        self._code: int | None = None

    async def connect(self) -> None:
        headers = [(b"host", self.host.encode())]
        if self.origin is not None:
            headers.append((b"origin", self.origin.encode()))
        query = urlencode({"peer": self.peer_id, "token": self.token, **self.query})
        self._communicator = WebsocketCommunicator(self._application, f"/v2/ws?{query}", headers)
        self._code = None
        await self._communicator.send_input({"type": "websocket.connect"})
        answer = await self._communicator.output_queue.get()
        if answer["type"] != "websocket.accept":
            raise Refused(answer.get("code"))
        self._reader = asyncio.create_task(self._hear(self._communicator))

    @property
    def close_code(self) -> int | None:
        return self._code

    async def send(self, frame: Message | str | bytes) -> None:
        kind = "bytes" if isinstance(frame, bytes) else "text"
        data = json.dumps(frame) if isinstance(frame, dict) else frame
        await self._communicator.send_input({"type": "websocket.receive", kind: data})

    async def drop(self) -> None:
        await self._disconnect(1006)

    async def close(self) -> None:
        await self._disconnect(1001)

    async def _disconnect(self, code: int) -> None:
        if self.open:
            self._code = code
            await self._communicator.send_input({"type": "websocket.disconnect", "code": code})
        await self._ended()

    async def _hear(self, communicator: WebsocketCommunicator) -> None:
        application = communicator.future
        try:
            while True:
                heard = asyncio.ensure_future(communicator.output_queue.get())
                await asyncio.wait({heard, application}, return_when=asyncio.FIRST_COMPLETED)
                if not heard.done():
                    heard.cancel()
                    break
                message = heard.result()
                if message["type"] == "websocket.close":
                    self._code = message.get("code", 1000)
                    if not self.answers_close:
                        self._changed.set()
                        continue
                    await communicator.send_input({"type": "websocket.disconnect", "code": self._code})
                    break
                self._receive(json.loads(message["text"]))
            await application
        finally:
            self._fail(ConnectionResetError(f"closed with {self._code}"))
            asyncio.get_running_loop().call_soon(self._changed.set)


class World:
    """A database with one room in it, and the peers that a test lets in. Alice hosts, the others are guests."""

    def __init__(self) -> None:
        self.room: Room
        self.peers: list[LocalPeer] = []

    async def open(self) -> None:
        self.room = await self.new_room(title="Team", name="team")
        # No thread renews this process's lease here.
        await self.query(
            lambda: Worker.objects.create(id=lease.worker_id(), last_seen=timezone.now() + timedelta(hours=1))
        )

    async def query(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function that uses the database returns; it runs in a thread."""

        def run() -> Any:
            try:
                return function(*arguments)
            finally:
                connection.close()

        return await asyncio.to_thread(run)

    async def new_room(self, **fields: Any) -> Room:
        """A room with these fields, of the default template."""

        def make() -> Room:
            room = create_room(title=fields.pop("title", ""), name=fields.pop("name", ""))
            Room.objects.filter(id=room.id).update(**fields or {"enabled": True})
            return room

        room: Room = await self.query(make)
        return room

    def token(self, role: str = "guest", user: str = "bob", *, room: Room | None = None, lifetime: float = 3600) -> str:
        return tokens.sign((room or self.room).id, role, user, lifetime=lifetime)[0]

    def stranger(
        self,
        user: str = "bob",
        role: str = "guest",
        *,
        room: Room | None = None,
        peer_id: str | None = None,
        application: Any = None,
        lifetime: float = 3600,
    ) -> LocalPeer:
        """A peer that is not connected yet."""
        token = self.token(role, user, room=room, lifetime=lifetime)
        peer = LocalPeer(token, peer_id=peer_id or f"{user}-{uuid.uuid4()}", application=application)
        self.peers.append(peer)
        return peer

    async def peer(self, user: str = "bob", role: str = "guest", *, data: str = "", **options: Any) -> LocalPeer:
        """A peer that has joined and has got its first peer list."""
        peer = self.stranger(user, role, **options)
        await peer.connect()
        await peer.join(user.title(), data)
        await peer.wait_for("peer-list")
        return peer

    async def again(self, old: LocalPeer, *, application: Any = None, place: dict[str, str] | None = None) -> LocalPeer:
        """A new socket of a peer, connected; it has not joined. ``place`` is what its address says of one."""
        peer = self._once_more(old, application)
        peer.query |= place or {}
        await peer.connect()
        return peer

    async def resume(self, old: LocalPeer, place: Message, *, application: Any = None) -> tuple[LocalPeer, Message]:
        """A new socket of a peer that goes on from a place, and what it is told of that."""
        peer = self._once_more(old, application)
        return peer, await peer.resume(place)

    def _once_more(self, old: LocalPeer, application: Any) -> LocalPeer:
        peer = LocalPeer(old.token, peer_id=old.peer_id, application=application or old._application)
        self.peers.append(peer)
        return peer

    async def settled(self, room: Room | None = None) -> None:
        """Return when everything asked for in a room so far is done, also on closed sockets."""
        await hub.get().perform(mark_lost, Caller((room or self.room).id), conn_ids=[], gone_at=None, worker="")

    async def stored(self, model: type[T], **fields: Any) -> list[T]:
        """The rows that have these values, in the order of their keys."""
        return list(await self.query(lambda: list(model._default_manager.filter(**fields).order_by("pk"))))

    async def reap(self) -> None:
        """Remove those who have been away for too long, as the reaper does."""
        await self.query(Reaper(Lease()).run_once)

    async def leave(self) -> None:
        """Close all sockets."""
        for peer in self.peers:
            if peer._reader:
                await peer.close()

    async def close(self) -> None:
        await self.leave()
        await hub.close()


def names(events: list[Message]) -> list[str]:
    """What kinds of frames these are."""
    return [event.get("method", "error") for event in events]


def numbered(events: list[Message]) -> list[int]:
    """The numbers of the journalled ones."""
    return [event["seq"] for event in events if "seq" in event]


async def chat(peer: RawPeer, text: str, **to: Any) -> Message:
    """The answer to a chat message."""
    return await peer.call("broadcast", info={"message": text, "type": "chat"}, **to)


def heard(peer: RawPeer) -> list[str]:
    """The texts of the messages that a peer got, in order."""
    return [message["info"]["message"] for message in peer.named("on-broadcast")]


def values(peer: RawPeer, key: str) -> list[tuple[int, Any]]:
    """The versions and values of a metadata key that a peer was sent, in order."""
    told = [value for change in peer.named("on-metadata-change") for value in change["values"]]
    return [(value["change_version"], value["data"]) for value in told if value["key"] == key]
