"""Servers with rooms that are alike on all of them, and what is asked in such a room."""

import asyncio
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from websockets.exceptions import ConnectionClosed

from tests.fuzz.values import JSON, Fact
from tests.support.processes import PATIENCE
from tests.support.server import Message, RawPeer, RpcError, RunningServer

UNLIMITED: dict[str, Any] = {"RATE_LIMIT": 0, "CONNECT_RATE": 0, "TOKEN_RATE": 0}
TELLING: dict[str, Any] = {"WEBHOOK_HTTP": "on", "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}

ROOMS = """
from rooms.models import Room, RoomCode, Template
from rooms.wire.roles import DEFAULT_TEMPLATE, PERMISSIONS
none = {{"permissions": dict.fromkeys(PERMISSIONS, False)}}
extra = {{"nobody": none, "full": {{**none, "maxPeerCount": -1}}}}
template, _ = Template.objects.get_or_create(name="fuzz", defaults={{"roles": {{**DEFAULT_TEMPLATE, **extra}}}})
numbers = range({first}, {first} + {count})
rooms = [Room(id=f"{{number:024x}}", name=f"room-{{number}}", template=template) for number in numbers]
Room.objects.bulk_create(rooms)
RoomCode.objects.bulk_create(
    RoomCode(room=room, role=role, code=f"{{role}}-{{int(room.id, 16)}}") for room in rooms for role in template.roles
)
"""
BATCH = 1000

COMPLAINT = re.compile(r"Traceback|^\S+ (?:ERROR|CRITICAL) ", re.MULTILINE)


class Deployments:
    """Several servers, started, with rooms of the same ids."""

    def __init__(self, servers: Sequence[RunningServer]) -> None:
        self.servers = servers
        self._rooms = self._make_rooms()
        self._read = {server.port: 0 for server in servers}

    def _make_rooms(self) -> Iterator[str]:
        for first in itertools.count(0, BATCH):
            for server in self.servers:
                server.manage("shell", "--no-imports", "-c", ROOMS.format(first=first, count=BATCH))
            yield from (f"{number:024x}" for number in range(first, first + BATCH))

    def room(self) -> str:
        """The id of a room that nobody has used. Its codes are ``role-number``, its number the id's."""
        return next(self._rooms)

    def stages(self, role: str) -> list["Stage"]:
        """A stage on each server, which take the same rooms one after the other."""
        taken = [self.room()]

        def rooms() -> Iterator[str]:
            for number in itertools.count():
                if number == len(taken):
                    taken.append(self.room())
                yield taken[number]

        return [Stage(server, rooms(), role) for server in self.servers]

    def check_logs(self) -> None:
        """Fails for an error that a server wrote down since the last time."""
        for server in self.servers:
            log = server.log()
            new, self._read[server.port] = log[self._read[server.port] :], len(log)
            found = COMPLAINT.search(new)
            assert not found, f"{server.server}:\n{new[max(found.start() - 500, 0) : found.start() + 6000]}"


class Answer(NamedTuple):
    """What a call got: a result, an error, or nothing but the end of the socket. Without what differs by server."""

    code: int
    body: JSON


class Caller(RawPeer):
    """Asks one thing after the other, and takes for the answer also an error that has no id."""

    unread: asyncio.Future[Message] | None = None

    async def ask(self, frame: Message | str | bytes, request_id: str | int | None = None) -> Message | None:
        """The reply to a frame; None if the socket was closed instead."""
        reply: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        if request_id is not None:
            self._calls[str(request_id)] = reply
        self.unread = reply
        try:
            await self.send(frame)
            async with asyncio.timeout(PATIENCE):
                return {"result": await reply}
        except RawError as error:
            return {"error": error.args[0]}
        except (ConnectionClosed, ConnectionResetError):
            await self._ended()
            return None

    def _receive(self, message: Message) -> None:
        if "error" in message and self.unread and not self.unread.done():
            self._calls.clear()
            self.unread.set_exception(RawError(message["error"]))
            self._changed.set()
        else:
            super()._receive(message)


class RawError(Exception):
    """An error as it came."""


QUESTIONS = [
    {
        "question": {"text": "One?", "type": "single-choice"},
        "options": [{"text": "a"}, {"text": "b"}],
        "answer": {"option": 1, "hidden": True},
    },
    {"question": {"text": "Many?", "type": "multiple-choice"}, "options": [{"text": "a"}, {"text": "b"}]},
    {"question": {"text": "Short?", "type": "short-answer"}},
    {"question": {"text": "Long?", "type": "long-answer", "once": True}},
]

MAX_REFUSALS = 90  # a socket is closed at its hundredth in ten seconds


class Stage:
    """A room of one server in which everything is that a call can be about, and a caller of some role in it."""

    def __init__(self, server: RunningServer, rooms: Iterator[str], role: str) -> None:
        self.server, self.role = server, role
        self._rooms = rooms
        self._peers: list[RawPeer] = []
        self.facts: dict[str, JSON] = {}
        self.caller: Caller
        self._ids = itertools.count(1)
        self._refusals = 0

    async def build(self) -> None:
        await self.close()
        self.room = next(self._rooms)
        self._refusals = 0
        host, other, _ = [
            await self._join(RawPeer, name, role)
            for name, role in (("host", "host"), ("other", "guest"), ("gone", "guest"))
        ]
        self.caller = await self._join(Caller, "caller", self.role)
        said = [
            await host.call("broadcast", info={"message": "hello"}, **to)
            for to in ({}, {"peer_id": "caller"}, {"roles": ["host"]})
        ]
        await host.call("set-metadata", key="topic", data={"tea": [1, 2.5, None]})
        await host.call("pin-message", id=said[0]["message_id"])
        await other.call("group-join", name="_handraise")
        await host.call("role-change-request", requested_for="caller", role="guest")
        offer = (await self.caller.wait_for("on-role-change-request"))["params"]["token"]
        await host.call("peer-leave-request", requested_for="gone")
        removed = (await host.call("peers-removed"))["removed"]
        for poll_id in ("draft", "running", "over"):
            await host.call("poll-info-set", poll_id=poll_id, title=poll_id, type="quiz")
            await host.call("poll-questions-set", poll_id=poll_id, questions=QUESTIONS)
            if poll_id != "draft":
                await host.call("poll-start", poll_id=poll_id)
                await other.call("poll-response", poll_id=poll_id, responses=[{"question": 1, "option": 2}])
        await host.call("poll-stop", poll_id="over")
        session = await self.caller.call("join", name="Caller")
        found = await host.call("find-peer", limit=1)
        self.facts = {
            "session": session["session_id"],
            "history": session["history"],
            "message": said[0]["message_id"],
            "private": said[1]["message_id"],
            "to roles": said[2]["message_id"],
            "own": said[1]["message_id"],
            "offer": offer,
            "iterator": found["iterator"],
            "person": found["peers"][0]["person"],
            "removed": removed[0]["person"] if removed else "",
        }
        self._told = len(self.caller.events)

    async def _join(self, kind: type[Any], name: str, role: str) -> Any:
        peer = kind(self.server.ws_url, self.server.sign(self.room, role, name), peer_id=name)
        self._peers.append(peer)
        await peer.connect()
        await peer.join(name.title())
        await peer.wait_for("session-info")
        return peer

    async def ask(self, method: str, params: JSON) -> Answer:
        """The answer to a call. The stage is made anew if the caller is no longer what it was."""
        request_id = f"r{next(self._ids)}"
        frame = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": filled(params, self.facts)}
        return await self.send(written(frame), request_id)

    async def send(self, frame: str | bytes, request_id: str | int | None = None) -> Answer:
        answer = await self.caller.ask(frame, request_id)
        shown = self._shown(answer)
        code = shown.code
        news = {event.get("method") for event in self.caller.events[self._told :]}
        self._told = len(self.caller.events)
        self._refusals += 400 <= code < 500
        if answer is None or code == 410 or news & {"on-policy-change", "on-peer-leave-request", "on-error"}:
            await self.build()
        elif self._refusals >= MAX_REFUSALS:
            self._refusals = 0
            await self.caller.close()
            await self.caller.connect()
            await self.caller.join("Caller")
            self._told = len(self.caller.events)
        return shown

    async def is_quiet(self) -> bool:
        """Whether nobody else's socket was closed by what the caller did."""
        return all(peer.open or peer.close_code == 4003 for peer in self._peers)

    async def close(self) -> None:
        """End the session, if it still is, so that nobody has to be waited for."""
        with suppress(ConnectionClosed, ConnectionResetError, RpcError):
            if self._peers:
                await self._peers[0].call("end-room")
        for peer in self._peers:
            with suppress(ConnectionClosed):
                await peer.close()
        self._peers.clear()

    def _shown(self, answer: Message | None) -> Answer:
        if answer is None:
            return Answer(self.caller.close_code or 0, "closed")
        if error := answer.get("error"):
            return Answer(error["code"], self._alike(error))
        return Answer(200, self._alike(answer["result"]))

    def _alike(self, value: JSON) -> JSON:
        names = {text: f"<{name}>" for name, text in self.facts.items() if text}
        return alike(value, names)


def filled(value: JSON, facts: Mapping[str, JSON]) -> JSON:
    """The value with what its facts stand for."""
    if isinstance(value, Fact):
        return facts[value.name]
    if isinstance(value, dict):
        return {name: filled(entry, facts) for name, entry in value.items()}
    if isinstance(value, list):
        return [filled(entry, facts) for entry in value]
    return value


def written(value: JSON) -> str:
    """JSON text, as short as it can be, or a long value would not fit into a frame."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


# Times, and what is random or counts for a whole database.
_DIFFERENT = re.compile(
    r"(timestamp|seq|.*_at|at|message_id|iterator|hash|person|response_id|duration|avg_time|session_id|token)"
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_ROOM_CODE = re.compile(r"[a-z]{3}-[a-z]{4}-[a-z]{3}")


def alike(value: JSON, names: Mapping[str, str]) -> JSON:
    """A JSON value as each server would give it: what it alone can know is left out."""
    if isinstance(value, dict):
        return {
            name: "…" if _DIFFERENT.fullmatch(name) and not isinstance(entry, dict | list) else alike(entry, names)
            for name, entry in value.items()
            if name != "expires_at"  # of a second, which may be over at one of them
        }
    if isinstance(value, list):
        return [alike(entry, names) for entry in value]
    if isinstance(value, str):
        for text, name in names.items():
            value = value.replace(text, name)
        return _ROOM_CODE.sub("<code>", _UUID.sub("<uuid>", value))
    return value
