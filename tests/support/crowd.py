"""Peers by the thousand: one process reads for all of them, and each is told of all the others.

They read frames, RFC 6455 §5.2, by hand and look only at answers and at the kinds of events that they are made for.
"""

import asyncio
import base64
import itertools
import json
import os
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.support.server import Message

PATIENCE = 300  # seconds

_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA


class CrowdPeer(asyncio.Protocol):
    """One socket of one peer; ``heard`` are the texts of messages, ``told`` how often each event of ``kinds`` came.

    ``place`` is what it resumes from with the socket, ``resumed`` what it is told of that.
    """

    def __init__(
        self, ws_url: str, token: str, peer_id: str, *, kinds: tuple[str, ...] = (), place: Message | None = None
    ) -> None:
        self.ws_url, self.token, self.peer_id, self.kinds = ws_url, token, peer_id, kinds
        self.place = place or {}
        self.resumed: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.heard: list[str] = []
        self.told = dict.fromkeys(kinds, 0)
        self.close_code: int | None = None
        self.closed = asyncio.Event()
        self.changed = asyncio.Event()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._read = bytearray()
        self._ids = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Message]] = {}
        self._transport: asyncio.Transport

    async def connect(self) -> None:
        url = urlsplit(self.ws_url)
        assert url.hostname and url.port
        await asyncio.get_running_loop().create_connection(lambda: self, url.hostname, url.port)
        query = urlencode({"peer": self.peer_id, "token": self.token, **self.place})
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {url.path}?{query} HTTP/1.1", f"Host: {url.netloc}", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", ""]
        self._transport.write("\r\n".join(lines).encode())
        await asyncio.wait_for(self._opened, PATIENCE)

    async def call(self, method: str, /, **params: Any) -> Message:
        number = next(self._ids)
        answer = self._calls[number] = asyncio.get_running_loop().create_future()
        self._write(_TEXT, json.dumps({"id": number, "method": method, "params": params}).encode())
        return await asyncio.wait_for(answer, PATIENCE)

    async def hears(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while text not in self.heard:
                self.changed.clear()
                await self.changed.wait()

    def cut(self) -> None:
        self._transport.abort()

    def _write(self, opcode: int, payload: bytes) -> None:
        # Masked with zeros, which change nothing.
        size = len(payload)
        head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2)
        self._transport.write(head + b"\0\0\0\0" + payload)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.close_code = self.close_code or 1006
        self.closed.set()
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError(f"closed with {self.close_code}"))

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._opened.done():
            head, found, rest = self._read.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head[:20]:
                self._opened.set_exception(ConnectionRefusedError(head[:60].decode()))
                return
            self._read = rest
            self._opened.set_result(None)
        self._split()

    def _split(self) -> None:
        read, at = bytes(self._read), 0
        while len(read) >= at + 2:
            size, start = read[at + 1], at + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size, start = int.from_bytes(read[start : start + width]), start + width
            if len(read) < start + size:
                break
            self._take(read[at] & 0xF, read[start : start + size])
            at = start + size
        self._read = bytearray(read[at:])

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._write(_PONG, payload)
        elif opcode == _CLOSE:
            self.close_code = int.from_bytes(payload[:2]) or 1005
        elif payload.startswith(b'{"jsonrpc"'):
            self._answer(json.loads(payload))
        elif b'"on-resume"' in payload[:64]:
            self.resumed.set_result(json.loads(payload)["params"])
        elif b'"on-broadcast"' in payload[:64]:
            self.heard.append(json.loads(payload)["params"]["info"]["message"])
            self.changed.set()
        else:
            for kind in self.kinds:
                self.told[kind] += kind.encode() in payload[:64]

    def _answer(self, message: Message) -> None:
        answer = self._calls.pop(message["id"])
        if "error" in message:
            answer.set_exception(AssertionError(message["error"]))
        elif not answer.done():
            answer.set_result(message["result"])
