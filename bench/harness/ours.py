"""hmsroom's own protocol: peers join with tokens signed here, and every message is acknowledged."""

import base64
import hmac
import http.client
import json
import secrets
import time
import urllib.parse
import uuid
from collections.abc import Callable, Sequence

from harness.places import HOST
from harness.protocols import FILLER, Frame, Protocol, Step, blank_marker, compact, peer_name

ACCESS_KEY = secrets.token_hex(12)
APP_SECRET = secrets.token_urlsafe(48)


def sign(claims: dict[str, object]) -> str:
    """A token (JWT, HS256) with these claims and those that every token has."""
    now = int(time.time())
    claims = {
        "access_key": ACCESS_KEY,
        "version": 2,
        "iat": now,
        "nbf": now,
        "exp": now + 86400,
        "jti": str(uuid.uuid4()),
        **claims,
    }
    signed = f"{_encode(compact({'alg': 'HS256', 'typ': 'JWT'}))}.{_encode(compact(claims))}"
    signature = hmac.digest(APP_SECRET.encode(), signed.encode(), "sha256")
    return f"{signed}.{_encode(signature)}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Hmsroom(Protocol):
    """JSON-RPC over one websocket; `make_rooms` returns the ids of new rooms by the names it is given."""

    echoes = False
    lists_present = True

    def __init__(self, ports: Sequence[int], make_rooms: Callable[[Sequence[str]], dict[str, str]]) -> None:
        super().__init__(ports)
        self._make_rooms = make_rooms
        self._rooms: dict[str, str] = {}
        self._endpoints: list[str] = []

    def prepare(self, peers: Sequence[tuple[int, str]]) -> float:
        names = {room for _, room in peers} - self._rooms.keys()
        self._rooms |= self._make_rooms(sorted(names))
        if not self._endpoints:
            token = self._token(*peers[0])
            self._endpoints = [_endpoint(port, token) for port in self.ports]
        return 0.0

    def path(self, index: int, room: str) -> str:
        endpoint = urllib.parse.urlsplit(self._endpoints[index % len(self._endpoints)])
        return f"{endpoint.path}?peer={uuid.uuid4()}&token={self._token(index, room)}"

    def join(self, index: int, room: str, *, observing: bool) -> list[Step]:
        steps = [
            Step(Frame(b""), b"on-policy-change"),
            Step(_request("join", {"name": peer_name(index, room), "data": ""}, "joined"), b'"joined"'),
        ]
        if observing:
            steps.append(Step(_request("listen-metadata-change", {"keys": ["topic"]}, "observed"), b'"observed"'))
        return steps

    def message(self, index: int, room: str, *, padding: int = 0) -> Frame:
        text = FILLER + "x" * padding + blank_marker("B")
        return _request("broadcast", {"info": {"message": text, "type": "chat"}}, blank_marker("A"))

    def metadata(self, index: int, room: str) -> Frame:
        return _request("set-metadata", {"key": "topic", "data": FILLER + blank_marker("M")}, blank_marker("A"))

    def _token(self, index: int, room: str) -> str:
        return sign({"type": "app", "room_id": self._rooms[room], "user_id": f"user-{index}", "role": "host"})


def _endpoint(port: int, token: str) -> str:
    """Where a server says its sockets are."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("GET", f"/init?peer_id={uuid.uuid4()}", headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"/init: {response.status} {content[:200]!r}")
    return str(json.loads(content)["endpoint"])


def _request(method: str, params: dict[str, object], request_id: str) -> Frame:
    return Frame(compact({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
