"""The real server as a subprocess, and a peer that speaks its wire protocol."""

import asyncio
import functools
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import jwt
import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.processes import PATIENCE, WebProgram, is_serving

ROOT = Path(__file__).resolve().parents[2]
ACCESS_KEY = "access-key-of-the-test-server"
APP_SECRET = "app secret of the test server, long enough to sign with"

Message = dict[str, Any]

PREPARE = """
from django.core.management import call_command
from rooms.creation.rooms import create_room
call_command("migrate", interactive=False, verbosity=0)
create_room(name="tea")
"""


class RunningServer(WebProgram):
    """`manage.py serve` on a free port with a data folder of its own.

    Its database of SQLite is there already, unless it is to be ``new``.
    Further keywords are settings by the name of their environment variable: `PEER_GRACE=0.5`.
    Several servers on one PostgreSQL accept each other's tokens.
    """

    def __init__(
        self,
        *,
        server: str = "daphne",
        database_url: str = "",
        redis_url: str = "",
        new: bool = False,
        **settings: object,
    ) -> None:
        super().__init__()
        self.server = server
        self._prepared = not (database_url or new)
        self._settings = {
            "HMSROOM_DEV": "1",
            "SECRET_KEY": "django key of the test server, long enough to sign with",
            "ACCESS_KEY": ACCESS_KEY,
            "APP_SECRET": APP_SECRET,
            "DATA_DIR": str(self.directory / "var"),
        }
        if database_url:
            self._settings["DATABASE_URL"] = database_url
        if redis_url:
            self._settings["REDIS_URL"] = redis_url
        self._settings |= {name: str(value) for name, value in settings.items()}
        self._rooms: dict[str, str] = {}
        (self.directory / "var").mkdir(mode=0o700)

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v2/ws"

    @property
    def database(self) -> Path:
        """The database file, if it is SQLite that is used."""
        return Path(self._settings["DATA_DIR"]) / "db.sqlite3"

    def start(self) -> None:
        if self._prepared and not self.database.exists():
            self.database.write_bytes(prepared_database())
        super().start()

    def command(self) -> list[str]:
        how = ["--server", self.server, *(["--no-migrate"] if self._prepared else [])]
        return [sys.executable, "manage.py", "serve", "--port", str(self.port), *how]

    def environment(self) -> dict[str, str]:
        return super().environment() | {"PYTHONUNBUFFERED": "1"} | self._settings

    def working_directory(self) -> Path:
        return ROOT

    def is_ready(self) -> bool:
        return is_serving(self.port)

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows that an SQL statement reads from its database."""
        if url := self._settings.get("DATABASE_URL"):
            with psycopg.connect(url, autocommit=True) as postgres:
                return postgres.execute(statement.encode()).fetchall()
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as sqlite:
            return sqlite.execute(statement).fetchall()

    def write(self, statement: str) -> None:
        """Run an SQL statement that changes its database."""
        if url := self._settings.get("DATABASE_URL"):
            with psycopg.connect(url, autocommit=True) as postgres:
                postgres.execute(statement.encode())
        else:
            with closing(sqlite3.connect(self.database, timeout=20)) as sqlite, sqlite:
                sqlite.execute(statement)

    def close_rooms(self) -> None:
        """Close all rooms to newcomers, as an administrator does."""
        with closing(sqlite3.connect(self.database)) as sqlite, sqlite:
            sqlite.execute("UPDATE rooms_room SET enabled = 0")

    def back_up(self) -> Path:
        """A copy of its database of SQLite, made as the documentation says."""
        copy = self.directory / f"{uuid.uuid4()}.sqlite3"
        with closing(sqlite3.connect(self.database)) as sqlite:
            sqlite.execute("VACUUM INTO ?", [str(copy)])
        return copy

    def put_back(self, copy: Path) -> None:
        """Replace the database by a copy of it; the server does not run."""
        for suffix in ("-wal", "-shm"):
            self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)
        shutil.copy(copy, self.database)

    def manage(self, *arguments: str) -> str:
        """What a management command prints, run beside the server in its environment."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def token(self, room: str, role: str = "guest", user: str = "alice", *, create: bool = True) -> str:
        """A token made by the management command, which takes about a second."""
        arguments = ["token", "--room", room, "--role", role, "--user", user]
        return self.manage(*arguments, *(["--create"] if create else []))

    def room(self, name: str) -> str:
        """The id of the room of that name, which is made if need be. In a prepared database "tea" is there."""
        if name not in self._rooms:
            found = self.select("SELECT name, id FROM rooms_room")
            self._rooms |= {room: str(room_id) for room, room_id in found}
        if name not in self._rooms:
            claims = jwt.decode(self.token(name), options={"verify_signature": False})
            self._rooms[name] = claims["room_id"]
        return self._rooms[name]

    def make_rooms(self, names: Iterable[str]) -> None:
        """Make several at once, for a command takes a second."""
        code = f"from rooms.creation.rooms import create_room\nfor name in {list(names)}: create_room(name=name)"
        self.manage("shell", "--no-imports", "-c", code)

    def sign(
        self, room_id: str, role: str = "guest", user: str = "alice", *, secret: str = "", **claims: object
    ) -> str:
        """A token signed here, for a room that exists; claims replace the usual ones, and None leaves one out.

        ``secret`` is that of another access key, which the claims name.
        """
        now = int(time.time())
        usual = {
            "access_key": self._settings["ACCESS_KEY"],
            "type": "app",
            "version": 2,
            "room_id": room_id,
            "role": role,
            "user_id": user,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "jti": str(uuid.uuid4()),
        }
        kept = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(kept, secret or self._settings["APP_SECRET"], algorithm="HS256")

    async def peer(self, token: str, name: str = "Alice", *, peer_id: str | None = None) -> "RawPeer":
        """A peer that has joined."""
        peer = RawPeer(self.ws_url, token, peer_id=peer_id)
        await peer.connect()
        await peer.join(name)
        return peer


@functools.cache
def prepared_database() -> bytes:
    """A database file of SQLite with the tables and a room: to make them takes half of a server's first start."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"], "HMSROOM_DEV": "1", "DATA_DIR": folder}
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", PREPARE]
        subprocess.run(command, env=environment, cwd=ROOT, check=True)
        return (Path(folder) / "db.sqlite3").read_bytes()


class RpcError(Exception):
    """The server's error reply to a call."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(code, message, data)
        self.code = code
        self.message = message
        self.data = data


class RawPeer:
    """One socket of one peer. `events` holds all that arrived beside the replies to its calls, in order."""

    def __init__(self, ws_url: str, token: str, *, peer_id: str | None = None, origin: str | None = None) -> None:
        self.ws_url = ws_url
        self.token = token
        self.peer_id = peer_id or str(uuid.uuid4())
        self.origin = origin
        self.query: dict[str, str] = {}  # further query parameters, such as user_agent_v2
        self.events: list[Message] = []
        self._ids = itertools.count(1)
        self._calls: dict[str, asyncio.Future[Message]] = {}
        self._changed = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Open a socket, again if the last one is closed. Raises InvalidStatus when the server refuses it."""
        query = urlencode({"peer": self.peer_id, "token": self.token, **self.query})
        self._socket = await connect(
            f"{self.ws_url}?{query}",
            origin=self.origin,  # type: ignore[arg-type]
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=PATIENCE,
            max_size=None,
        )
        self._reader = asyncio.create_task(self._read(self._socket))

    @property
    def socket(self) -> ClientConnection:
        assert self._socket, "not connected"
        return self._socket

    @property
    def open(self) -> bool:
        """Whether more may arrive: false when everything up to the socket's end has been read."""
        return self._reader is not None and not self._reader.done()

    @property
    def close_code(self) -> int | None:
        """The code the socket was closed with; None while it is open."""
        return self.socket.close_code

    async def resume(self, place: Message) -> Message:
        """Open a socket that goes on from a place, and return what the server says of that."""
        self.query |= {name: str(place[name]) for name in ("session_id", "seq", "history") if name in place}
        await self.connect()
        params: Message = (await self.wait_for("on-resume"))["params"]
        return params

    async def join(self, name: str = "Alice", data: str = "", **params: Any) -> Message:
        return await self.call("join", name=name, data=data, **params)

    async def call(self, method: str, /, **params: Any) -> Message:
        """The result of a call. Raises RpcError, or ConnectionClosed when the socket went before the reply."""
        return await (await self.begin(method, **params))

    async def begin(self, method: str, /, **params: Any) -> asyncio.Future[Message]:
        """Send a call and return what will be its result, so that several can be under way."""
        request_id = str(next(self._ids))
        reply = asyncio.get_running_loop().create_future()
        self._calls[request_id] = reply
        await self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return asyncio.ensure_future(asyncio.wait_for(reply, PATIENCE))

    async def notify(self, method: str, /, **params: Any) -> None:
        await self.send({"method": method, "params": params})

    async def send(self, frame: Message | str | bytes) -> None:
        """Send any frame: a message as JSON, text and bytes as they are."""
        await self.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    def named(self, method: str) -> list[Message]:
        """The params of every notification of that name so far."""
        return [event["params"] for event in self.events if event.get("method") == method]

    async def wait_for(
        self, wanted: str | Callable[[Message], bool], *, after: int = 0, timeout: float = PATIENCE
    ) -> Message:
        """The first event from place `after` on that has this method, or that the function accepts."""
        accepts = wanted if callable(wanted) else lambda event: event.get("method") == wanted
        place = after
        try:
            async with asyncio.timeout(timeout):
                while True:
                    while place < len(self.events):
                        if accepts(self.events[place]):
                            return self.events[place]
                        place += 1
                    assert self.open, f"closed with {self.close_code} before {wanted}: {self.events}"
                    await self._change()
        except TimeoutError:
            raise AssertionError(f"no {wanted} in {timeout} s, but {self.events[after:]}") from None

    async def until(self, condition: Callable[[], bool], *, timeout: float = PATIENCE) -> None:
        """Return when the condition holds; it is asked again whenever something arrives."""
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await self._change()
        except TimeoutError:
            raise AssertionError(f"still not true in {timeout} s; events: {self.events}") from None

    async def wait_closed(self, *, timeout: float = PATIENCE) -> int | None:
        """The close code, when the socket is closed."""
        async with asyncio.timeout(timeout):
            await self._ended()
        return self.close_code

    async def leave(self) -> None:
        """Leave the room, wait until the server has it, and close."""
        try:
            await self.call("leave")
        except ConnectionClosed:
            pass  # it was sent away
        except RpcError as refusal:
            if refusal.code != 410:  # it may have been sent away
                raise
        await self.close()

    async def drop(self) -> None:
        """Cut the connection without a close frame, as a broken network does."""
        self.socket.transport.abort()
        await self._ended()

    async def close(self) -> None:
        """Close the socket as a closed tab does, without leaving."""
        await self.socket.close(1001)
        await self._ended()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _ended(self) -> None:
        if self._reader:
            await asyncio.shield(self._reader)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                self._receive(json.loads(frame))
        except ConnectionClosed as closed:
            self._fail(closed)
        else:
            self._fail(ConnectionResetError(f"closed with {socket.close_code}"))
        finally:
            asyncio.get_running_loop().call_soon(self._changed.set)  # when the reader is done

    def _receive(self, message: Message) -> None:
        reply = self._calls.pop(str(message.get("id")), None)
        if reply is None:
            self.events.append(message)
        elif reply.cancelled():
            pass  # nobody waits for it any more
        elif "error" in message:
            error = message["error"]
            reply.set_exception(RpcError(error["code"], error["message"], error.get("data")))
        else:
            reply.set_result(message["result"])
        self._changed.set()

    def _fail(self, error: Exception) -> None:
        for reply in self._calls.values():
            if not reply.done():
                reply.set_exception(error)
        self._calls.clear()
