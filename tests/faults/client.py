"""A client that comes back and resumes, and keeps a record of everything it was told."""

import asyncio
import random
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.support.history import History
from tests.support.processes import PATIENCE
from tests.support.server import Message, RawPeer, RpcError, RunningServer

LOST = (OSError, WebSocketException, InvalidHandshake, TimeoutError)
FINAL = {4002, 4003}


class Socket(RawPeer):
    """Hands each message on in the order of arrival, replies included, and writes calls into the client's record."""

    def __init__(self, client: "Client", ws_url: str, token: str) -> None:
        super().__init__(ws_url, token, peer_id=client.peer_id)
        self._client = client
        self.join_id = ""
        self.welcome: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def _receive(self, message: Message) -> None:
        self._client.take(self, message)
        super()._receive(message)

    async def call(self, method: str, /, **params: Any) -> Message:
        record = self._client.record
        number = record.invoke(self.peer_id, method, params)
        try:
            result = await super().call(method, **params)
        except RpcError as error:
            # Only a client's own mistake is known to have changed nothing.
            told = {"code": error.code, "message": error.message, "data": error.data}
            record.end(number, "fail" if error.code < 500 else "info", told, session=self._client.session_id)
            raise
        except LOST:
            record.end(number, "info")
            raise
        record.end(number, "ok", result, session=self._client.session_id)
        return result


class Client:
    """See the module. ``record`` is what several clients write together.

    ``makes_up`` is how often the place that it comes back with is none, of a session, history or number that there
    never was. It names its place with the socket, or with the join.
    """

    def __init__(
        self,
        processes: Sequence[RunningServer],
        room_id: str,
        user: str,
        *,
        role: str = "guest",
        keys: Sequence[str] = (),
        seed: int = 0,
        makes_up: float = 0,
        record: History | None = None,
    ) -> None:
        self.processes = processes
        self.room_id = room_id
        self.user = user
        self.token_role = self.role = role
        self.makes_up = makes_up
        self.record = record or History()
        self.keys = list(keys)
        self.peer_id = f"{user}-{uuid.uuid4()}"
        self.session_id = self.history = ""
        self.seq = 0
        self._greeted = role
        self.numbers: dict[tuple[str, int], Message] = {}
        self.peers: dict[str, str] = {}
        self.values: dict[str, tuple[int, Any]] = {}
        self.wrong: list[str] = []
        self.acknowledged = 0
        self.resumed = self.resynced = self.made_up = self.connections = 0
        self.socket: Socket | None = None
        self.joined = asyncio.Event()
        self.over = asyncio.Event()
        self._chance = random.Random(f"{seed}/{user}")
        self._heard_join = False
        self._listens = False
        self._whole = False  # whether the state has come to which what is missed can be added
        self._task = asyncio.create_task(self._live())

    # --- The connection

    async def _live(self) -> None:
        while not self.over.is_set():
            process = self._chance.choice(self.processes)
            token = process.sign(self.room_id, self.token_role, self.user)
            socket = self.socket = Socket(self, process.ws_url, token)
            self._heard_join = False
            try:
                answer = await self._enter_with(socket)
                self._listens = self._listens and bool(answer.get("resumed"))
                if self.keys and not self._listens:
                    await socket.call("listen-metadata-change", keys=self.keys)
                    self._listens = True
                self.joined.set()
                await socket.wait_closed(timeout=3600)
            except (*LOST, RpcError):
                pass
            finally:
                self.joined.clear()
                if socket._socket:
                    with suppress(*LOST):
                        await socket.drop()
            if socket._socket and socket.close_code in FINAL:
                self.over.set()
            if not self.over.is_set():
                await asyncio.sleep(0.1 + self._chance.random() / 2)

    async def _enter_with(self, socket: Socket) -> Message:
        """What the server says of the place on a new socket, or else the answer to a join."""
        place, made_up = self._place() if self._chance.random() < 0.5 else ({}, {})
        socket.query |= {name: str(value) for name, value in place.items()}
        await socket.connect()
        self.connections += 1
        if place:
            socket._calls["welcome"] = socket.welcome  # which fails with the socket
        welcome = await asyncio.wait_for(socket.welcome, PATIENCE) if place else {}
        if welcome.get("method") != "on-resume":
            return await self._join(socket)
        answer: Message = welcome["params"]
        self._check(answer, place, made_up)
        return answer

    def _place(self) -> tuple[Message, Message]:
        """A place to resume from, and what of it is made up."""
        if not self._whole:
            return {}, {}
        place = {"session_id": self.session_id, "seq": self.seq, "history": self.history}
        made_up = self._make_up(place) if self._chance.random() < self.makes_up else {}
        return place | made_up, made_up

    def _check(self, answer: Message, place: Message, made_up: Message) -> None:
        self.made_up += bool(made_up)
        if made_up and answer.get("resumed"):
            self.wrong.append(f"resumed from {place}: {answer}")

    async def _join(self, socket: Socket, *, resumes: bool = True) -> Message:
        """The answer to a join. What arrives before it comes again."""
        place, made_up = self._place() if resumes else ({}, {})
        resume = {"resume": place} if place else {}
        self._heard_join = False
        socket.join_id = str(next(socket._ids))
        reply = asyncio.get_running_loop().create_future()
        socket._calls[socket.join_id] = reply
        await socket.send({"id": socket.join_id, "method": "join", "params": {"name": self.user, "data": "", **resume}})
        answer: Message = await asyncio.wait_for(reply, PATIENCE)
        self._check(answer, place, made_up)
        return answer

    def _make_up(self, place: Message) -> Message:
        """What makes a place one that there never was."""
        what = self._chance.choice(list(place))
        return {what: place["seq"] + 10**6 if what == "seq" else uuid.uuid4().hex}

    async def join_again(self) -> None:
        """On the socket that has joined already."""
        await self.joined.wait()
        assert self.socket
        with suppress(*LOST):
            await self._join(self.socket, resumes=self._chance.random() < 0.5)

    async def cut(self) -> None:
        """Break the connection; it will come back."""
        if self.socket and self.socket._socket:
            await self.socket.drop()

    async def leave(self) -> None:
        self.over.set()
        if self.socket and self.socket.open:
            with suppress(*LOST):
                await self.socket.notify("leave")
                await self.socket.close()
        await self.stop()

    async def pause(self) -> None:
        """Break the connection and stay away."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def go_on(self) -> None:
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        self.over.set()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # --- What is told

    def take(self, socket: Socket, message: Message) -> None:
        if socket is not self.socket:
            return
        is_first = not socket.welcome.done() and "method" in message
        if is_first:
            socket.welcome.set_result(message)
        if message.get("id") == socket.join_id and "result" in message:
            self._enter(message["result"])
        elif message.get("method") == "on-resume":
            if not is_first:
                self.wrong.append(f"not the first: {message}")
            self._greeted = ""
            self._enter(message["params"])
        elif message.get("method") == "on-policy-change" and not self._greeted:
            # The role of now; of an earlier one tell events that follow.
            self._greeted = message["params"]["name"]
            if not self._whole:
                self._hold_role(self._greeted)
        elif not self._heard_join:
            # Of a socket over which nobody has joined: all of it comes again, but for the role.
            if message.get("method") == "on-policy-change" and "seq" not in message:
                self._greeted = message["params"]["name"]
        elif "method" in message:
            self.record.told(self.peer_id, self.session_id, message)
            if "seq" in message:
                self._advance(message)
            self._apply(message["method"], message["params"])
            self._learn_role(message)
        elif "seq" in message.get("result", {}):
            self.seq = max(self.seq, message["result"]["seq"])

    def _enter(self, answer: Message) -> None:
        self._heard_join = True
        self.history = answer["history"]
        if answer.get("resumed"):
            self.resumed += 1
            if answer["session_id"] != self.session_id:
                self.wrong.append(f"resumed in another session: {answer}")
            return
        self.resynced += bool(answer.get("resync"))
        self.session_id, self.seq = answer["session_id"], answer["seq"]
        # What a database has forgotten is numbered anew.
        self.numbers = {
            (of, n): told for (of, n), told in self.numbers.items() if of != self.session_id or n <= self.seq
        }
        self.peers, self.values = {}, {}
        self._whole = False
        self.record.enter(self.peer_id, self.session_id, self.seq)
        if self._greeted:
            self._hold_role(self._greeted)

    def _learn_role(self, message: Message) -> None:
        method, params = message["method"], message["params"]
        if method == "on-policy-change":
            self._hold_role(params["name"])
        elif method == "on-peer-update" and params["peer_id"] == self.peer_id and "seq" not in message:
            told = params["role"]
            if told != self.role:
                self.wrong.append(f"has the role {self.role}, and is told {params}")

    def _hold_role(self, role: str) -> None:
        self.role = role
        self.record.hold(self.peer_id, self.session_id, self.seq, role)

    def _advance(self, message: Message) -> None:
        place = self.session_id, message["seq"]
        if message["seq"] <= self.seq:
            self.wrong.append(f"{message['seq']} after {self.seq}: {message}")
        if place in self.numbers:
            self.wrong.append(f"twice: {message}")
        self.numbers[place] = message
        self.seq = max(self.seq, message["seq"])

    def _apply(self, method: str, params: Message) -> None:
        if method == "peer-list":
            self.peers = {peer_id: peer["state"] for peer_id, peer in params["peers"].items()}
            self._whole = True
        elif method == "on-peer-join":
            if params["peer_id"] in self.peers:
                self.wrong.append(f"joined twice: {params}")
            self.peers[params["peer_id"]] = params["state"]
        elif method == "on-peer-state":
            if params["peer_id"] not in self.peers:
                self.wrong.append(f"state of a stranger: {params}")
            self.peers[params["peer_id"]] = params["state"]
        elif method == "on-peer-leave":
            if self.peers.pop(params["peer_id"], None) is None:
                self.wrong.append(f"a stranger left: {params}")
        elif method == "session-info":
            self.history = params["history"]
        elif method == "on-metadata-change":
            for value in params["values"]:
                held = self.values.get(value["key"], (-1, None))
                if value["change_version"] < held[0]:
                    self.wrong.append(f"version went back from {held}: {value}")
                self.values[value["key"]] = value["change_version"], value["data"]

    # --- What is asked

    async def call(self, method: str, **params: Any) -> Message:
        """The result, asked for again as often as the connection is lost. Raises RpcError."""
        while True:
            await self.joined.wait()
            assert self.socket
            try:
                return await self.socket.call(method, **params)
            except LOST:
                await asyncio.sleep(0.05)
            except RpcError as error:
                if error.code not in (410, 429, 503):
                    raise
                await asyncio.sleep(0.05)

    async def say(self, text: str, **to: Any) -> Message:
        """Send a message that counts once, however often it is repeated."""
        client_id = str(uuid.uuid4())
        answer = await self.call("broadcast", info={"message": text, "type": "chat"}, client_id=client_id, **to)
        self.acknowledged += 1
        return answer

    def heard(self) -> list[str]:
        """The texts of all messages, in order."""
        told = [self.numbers[place] for place in sorted(self.numbers)]
        return [message["params"]["info"]["message"] for message in told if message["method"] == "on-broadcast"]

    async def until(self, condition: Any, *, timeout: float = PATIENCE) -> None:
        """Wait for a condition about this client."""
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{self.user}: still not true in {timeout} s; {self.peers} {self.values}") from None
