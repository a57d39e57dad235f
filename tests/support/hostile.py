"""A client at its full allowed rate, in a process of its own: ``python -m tests.support.hostile URL WAY SECONDS``.

Arguments are made from what each method declares, as long and as odd as it takes them and new each time, so that a new
method is tried by itself. It floods a little, says ``ready``, and goes on when it reads a line.
"""

import asyncio
import itertools
import json
import os
import sys
from typing import Any

import django
from django.conf import settings
from websockets.exceptions import ConnectionClosed

django.setup()

import rooms.operations  # noqa: E402, F401  fills METHODS
from rooms.operations.engine.gate import METHODS  # noqa: E402
from rooms.wire import parameters  # noqa: E402
from rooms.wire.parameters import Between, OneOf, Parameter, Size  # noqa: E402
from tests.support.server import RawPeer, RpcError  # noqa: E402

A_SECOND = 18
"""Frames: 10 are allowed, and with 8 refused the socket just stays open."""

WAYS = [*METHODS, "ping", "analytics", "no-such-method", "frames that are none", "sockets"]

TOKEN = "HOSTILE_TOKEN"
"""The variable of the environment that holds its token."""

NO_FRAMES: list[str | bytes] = [
    "[" * 60_000,
    '"' + "\\u0000" * 10_000,
    '{"method":1}',
    '{"id":' + "9" * 60_000 + "}",
    '{"method":"join","params":[' + "[]," * 20_000 + "[]]}",
    b"\x00" * 60_000,
]

# --- Arguments ----------------------------------------------------------------------------------

ODD = ["e\u0301", "\u0301", '"\\', "\U0001f468\u200d", "%_", "\u202e"]


class Worst:
    """Arguments of a method, the n-th time; every other time names of what there is, where it takes such."""

    def __init__(self, known: dict[str, list[Any]]) -> None:
        self._known = known
        self._fits: dict[str, float] = {}

    def frame(self, method: str, number: int) -> str:
        # Begun with what fitted last, for to make what does not is work that others would wait for.
        most = self._fits.get(method, 1.0)
        for share in (share for share in (1.0, 0.5, 0.25, 0.1, 0.02, 0.0) if share <= most):
            params = {each.name: self._value(each, number, share) for each in METHODS[method].parameters}
            params = {name: value for name, value in params.items() if value is not None}
            text = json.dumps({"method": method, "id": f"n{number}", "params": params}, ensure_ascii=False)
            if len(text.encode()) <= settings.MAX_FRAME_BYTES:
                self._fits[method] = share
                return text
        raise AssertionError(f"{method}: the least that it takes is no frame")

    def _value(self, parameter: Parameter, number: int, share: float) -> Any:
        if number % 2 and parameter.name in self._known:
            choices = self._known[parameter.name]
            return choices[number // 2 % len(choices)]
        if not parameter.required and number % 7 == 6:
            return None
        if parameter.fields:
            return {field.name: self._value(field, number, share) for field in parameter.fields}
        kind = parameter.kinds[0] if parameter.kinds else None
        if kind is bool:
            return number % 4 < 2
        if kind in (int, float):
            return self._number(parameter, number)
        if kind is list:
            return self._list(parameter, number, share)
        if kind is str:
            return self._text(parameter, number, share)
        return self._data(parameter, number, share)

    def _number(self, parameter: Parameter, number: int) -> int:
        bounds = [limit for limit in parameter.limits if isinstance(limit, Between)]
        return (bounds[0].least, bounds[0].most, 0, 1, 100)[number % 5] if bounds else 10**9

    def _list(self, parameter: Parameter, number: int, share: float) -> list[Any]:
        sizes = [parameters._number(limit.most) for limit in parameter.limits if isinstance(limit, Size)]
        assert parameter.item
        item, most = parameter.item, min(sizes)
        return [self._value(item, number * 1000 + 2 * place, share / 4) for place in range(max(1, int(most * share)))]

    def _text(self, parameter: Parameter, number: int, share: float) -> str:
        for limit in parameter.limits:
            if isinstance(limit, OneOf):
                return limit.choices[number % len(limit.choices)]
        most = self._most(parameter)
        text = f"{number}{ODD[number % len(ODD)] * most}"[: max(1, int(most * share))]
        in_bytes = any("byte" in str(limit) for limit in parameter.limits)
        return text.encode()[:most].decode(errors="ignore") if in_bytes else text

    def _data(self, parameter: Parameter, number: int, share: float) -> Any:
        room = max(8, int(self._most(parameter) * share) - 64)
        wide: list[Any] = [[number]] * min(600, room // 8)
        deep: Any = number
        for _ in range(30):
            deep = [deep]
        many = {str(each): number for each in range(min(600, room // 16))}
        return (wide, deep, f"{number}{'x' * room}", many)[number % 4]

    def _most(self, parameter: Parameter) -> int:
        sizes = [parameters._number(limit.most) for limit in parameter.limits if isinstance(limit, Size)]
        return min(sizes, default=1000)


# --- The client ---------------------------------------------------------------------------------


class Hostile:
    """Sends one kind of request for so long, and comes back whenever it is cut off."""

    def __init__(self, ws_url: str, token: str) -> None:
        self._ws_url, self._token = ws_url, token
        self._peer: RawPeer
        self._known: dict[str, list[Any]] = {}
        self._out = False

    async def prepare(self) -> None:
        """Make what methods can be asked about: messages, a poll with answers, a peer."""
        await self._come_back()
        peer = self._peer
        poll_id = (await peer.call("poll-info-set", title="?", type="quiz"))["poll_id"]
        options: list[dict[str, Any]] = [{"index": place, "text": "x" * 100} for place in range(1, 11)]
        asked: dict[str, Any] = {"type": "single-choice", "text": "?" * 500}
        questions = [{"question": asked | {"index": place}, "options": options} for place in range(1, 11)]
        await peer.call("poll-questions-set", poll_id=poll_id, questions=questions)
        await peer.call("poll-start", poll_id=poll_id)
        message = await peer.call("broadcast", info={"message": "x" * 4000, "type": "chat"})
        page: dict[str, Any] = await peer.call("find-peer")
        self._known = {
            "poll_id": [poll_id],
            "peer_id": [peer.peer_id],
            "requested_for": [peer.peer_id],
            "id": [message["message_id"]],
            "iterator": [page["iterator"]],
            "role": ["guest", "host", "viewer"],
            "person": [page["peers"][0]["person"]],
            "keys": [["default", "pinnedMessages"]],
        }

    async def flood(self, way: str, seconds: float) -> None:
        worst = Worst(self._known)
        loop = asyncio.get_running_loop()
        started = loop.time()
        for number in itertools.count():
            due = started + number / A_SECOND
            if due > started + seconds or self._out:
                return
            await asyncio.sleep(due - loop.time())  # its rate is what is tried
            try:
                await self._send(way, worst, number)
            except (ConnectionClosed, AssertionError, OSError):
                await self._come_back()

    async def _send(self, way: str, worst: Worst, number: int) -> None:
        if way == "sockets" and number % 4 == 0:
            await self._peer.drop()
            await self._come_back()
        elif way == "frames that are none":
            await self._peer.send(NO_FRAMES[number % len(NO_FRAMES)])
        elif way in METHODS:
            await self._peer.send(worst.frame(way, number))
        else:
            await self._peer.send({"method": way, "params": {"x": "y" * 60_000}, "id": number})
        self._peer.events.clear()
        if not self._peer.open:
            await self._come_back()

    async def _come_back(self) -> None:
        """Join with another peer id; a few tries, for it may be too fast, or have shut itself out."""
        for _ in range(8):
            self._peer = RawPeer(self._ws_url, self._token)
            try:
                await self._peer.connect()
                await self._peer.join("Mallory")
            except (ConnectionClosed, RpcError, OSError):
                await asyncio.sleep(0.5)
            else:
                return
        self._out = True

    async def close(self) -> None:
        try:
            await self._peer.leave()
        except ConnectionClosed:
            pass


async def main(ws_url: str, way: str, seconds: float) -> None:
    mallory = Hostile(ws_url, os.environ[TOKEN])
    await mallory.prepare()
    await mallory.flood(way, min(5, seconds / 4))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await mallory.flood(way, seconds)
    await mallory.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
