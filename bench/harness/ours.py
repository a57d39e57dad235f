"""hmsroom's own protocol, as static/rooms/hms.js speaks it: peers join with tokens that are signed here."""

import base64
import hmac
import http.client
import json
import secrets
import time
import urllib.parse
import uuid
from collections.abc import Callable, Mapping, Sequence

from harness.places import HOST
from harness.protocols import FILLER, Frame, Protocol, Step, blank_marker, compact, peer_name

ACCESS_KEY = secrets.token_hex(12)
AGENT = "sdk:hmsroom"
APP_SECRET = secrets.token_urlsafe(48)


def sign(own: Mapping[str, object]) -> str:
    """A token (JWT, HS256) with these claims and those that every token has."""
    now = int(time.time())
    claims: dict[str, object] = {
        "access_key": ACCESS_KEY,
        "version": 2,
        "iat": now,
        "nbf": now,
        "exp": now + 86400,
        "jti": str(uuid.uuid4()),
        **own,
    }
    signed = f"{_encode(compact({'alg': 'HS256', 'typ': 'JWT'}))}.{_encode(compact(claims))}"
    signature = hmac.digest(APP_SECRET.encode(), signed.encode(), "sha256")
    return f"{signed}.{_encode(signature)}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Hmsroom(Protocol):
    """JSON-RPC over one websocket; `make_rooms` returns the ids of new rooms by the names it is given.

    Before each socket its peer asks `/init`. Every message has a client id and is acknowledged. Who comes observes the
    key `default`. Those who come back, to rooms in `places`, name their place in the socket's address.
    """

    echoes = False
    lists_present = True

    def __init__(self, ports: Sequence[int], make_rooms: Callable[[Sequence[str]], dict[str, str]]) -> None:
        super().__init__(ports)
        self._make_rooms = make_rooms
        self._rooms: dict[str, str] = {}
        self._endpoints: list[str] = []
        self._peer_ids: dict[tuple[int, str], str] = {}
        self._tokens: dict[tuple[int, str], str] = {}
        self.places: dict[str, str] = {}

    def prepare(self, peers: Sequence[tuple[int, str]]) -> float:
        if names := {room for _, room in peers} - self._rooms.keys():
            self._rooms |= self._make_rooms(sorted(names))
        if not self._endpoints:
            token = self._token(*peers[0])
            self._endpoints = [_endpoint(port, token) for port in self.ports]
        return 0.0

    def asks(self, index: int, room: str) -> list[bytes]:
        query = urllib.parse.urlencode({"peer_id": self._peer_id(index, room), "user_agent_v2": AGENT})
        return [self.request(index, "GET", f"/init?{query}", {"Authorization": f"Bearer {self._token(index, room)}"})]

    def path(self, index: int, room: str) -> str:
        endpoint = urllib.parse.urlsplit(self._endpoints[index % len(self._endpoints)])
        peer = {"peer": self._peer_id(index, room), "token": self._token(index, room), "user_agent_v2": AGENT}
        return f"{endpoint.path}?{urllib.parse.urlencode(peer)}{self.places.get(room, '')}"

    def join(self, index: int, room: str, *, observing: Sequence[str] = ()) -> list[Step]:
        if room in self.places:
            return [Step(Frame(b""), b'"on-resume"')]
        # The state that follows the answer ends with the peer itself.
        return [self._join(index, room, observe=["default", *observing]), Step(Frame(b""), b'"on-peer-update"')]

    def _join(self, index: int, room: str, **more: object) -> Step:
        return _step("join", {"name": f"p{index:05d}", "data": "", **more}, "joined")

    def message(self, index: int, room: str, *, padding: int = 0) -> Frame:
        info = {"message": FILLER + "x" * padding + blank_marker("B"), "type": "chat"}
        return _request("broadcast", {"info": info, "client_id": _client_id()}, blank_marker("A"))

    def metadata(self, index: int, room: str) -> Frame:
        return _request("set-metadata", {"key": "topic", "data": FILLER + blank_marker("M")}, blank_marker("A"))

    def update(self, keys: Sequence[str]) -> Frame:
        """A change of these keys at once. It is followed by the first value."""
        values = [FILLER + blank_marker(kind) for kind in "M".ljust(len(keys), "C")]
        changes = [{"key": key, "data": value} for key, value in zip(keys, values, strict=True)]
        return _request("update-metadata", {"change_id": _client_id(), "changes": changes}, blank_marker("A"))

    def ping(self) -> Frame:
        return _request("ping", {"timestamp": int(time.monotonic() * 1000)}, blank_marker("A"))

    def keep_places(self, answers: Mapping[str, Sequence[str]]) -> None:
        """Let who joins these rooms from now on come back to the newest place in these answers to joins."""
        for room, texts in answers.items():
            place = max((json.loads(text)["result"] for text in texts), key=lambda result: int(result["seq"]))
            named = {name: place[name] for name in ("session_id", "seq", "history")}
            self.places[room] = f"&{urllib.parse.urlencode(named)}"

    def journal_reads(self) -> int | None:
        """How often the server has read the journal since it started; None if it does not count: counting_manage.py."""
        return _counted(self.ports[0], "journal_reads_total")

    def _peer_id(self, index: int, room: str) -> str:
        """As long as a UUID; where others learn of it, one that the generator finds in what they are told."""
        if (index, room) not in self._peer_ids:
            name = peer_name(index, room)
            self._peer_ids[index, room] = name + str(uuid.uuid4())[len(name) :]
        return self._peer_ids[index, room]

    def _token(self, index: int, room: str) -> str:
        if (index, room) not in self._tokens:
            claims = {"type": "app", "room_id": self._rooms[room], "user_id": f"user-{index}", "role": "host"}
            self._tokens[index, room] = sign(claims)
        return self._tokens[index, room]


def _endpoint(port: int, token: str) -> str:
    """Where a server says its sockets are."""
    content = _get(port, f"/init?peer_id={uuid.uuid4()}", {"Authorization": f"Bearer {token}"})
    return str(json.loads(content)["endpoint"])


def _counted(port: int, name: str) -> int | None:
    """What a counter of a server has come to, None if it has none of that name."""
    lines = (line.split() for line in _get(port, "/metrics", {}).splitlines())
    return next((int(float(value)) for counter, value, *_ in lines if counter == name), None)


def _get(port: int, path: str, headers: Mapping[str, str]) -> str:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("GET", path, headers=dict(headers))
    response = connection.getresponse()
    content = response.read().decode()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status} {content[:200]}")
    return content


class WithoutInit(Hmsroom):
    """Knows where the sockets are."""

    def asks(self, index: int, room: str) -> list[bytes]:
        return []


class Bare(Hmsroom):
    """No more than it takes: no client ids, nothing observed that is not meant to be."""

    def join(self, index: int, room: str, *, observing: Sequence[str] = ()) -> list[Step]:
        steps = [self._join(index, room)]
        if observing:
            steps.append(_step("listen-metadata-change", {"keys": observing}, "observed"))
        return steps

    def message(self, index: int, room: str, *, padding: int = 0) -> Frame:
        text = FILLER + "x" * padding + blank_marker("B")
        return _request("broadcast", {"info": {"message": text, "type": "chat"}}, blank_marker("A"))


def _client_id() -> str:
    """A new one for each message, as long as a UUID."""
    return f"{blank_marker('C')}-hms-room"


def _step(method: str, params: Mapping[str, object], name: str) -> Step:
    """Ask, and wait for the answer."""
    return Step(_request(method, params, name), f'"id":"{name}"'.encode())


def _request(method: str, params: Mapping[str, object], request_id: str) -> Frame:
    return Frame(compact({"method": method, "params": params, "id": request_id, "jsonrpc": "2.0"}))
