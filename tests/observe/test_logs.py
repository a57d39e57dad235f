"""What the log says, and what it never says, of real servers."""

import asyncio
import json
import logging
import re
import sys
import time
import uuid
from collections.abc import Callable

import pytest
from websockets.exceptions import InvalidStatus

from rooms.observe.logs import MAX_VALUE, Bounded, BugsOnly, LineFormatter, describe, hide_tokens
from tests.support.server import RawPeer, RpcError, RunningServer

SERVERS = ["daphne", "uvicorn"]
SECRETS = ["a very private remark", "a value that nobody else reads", "Alice Secretname"]


class ServerByHand(RunningServer):
    """The server as somebody starts it who has not read how: with access logs and all that it says."""

    def command(self) -> list[str]:
        if self.server == "uvicorn":
            options = ["--host", "127.0.0.1", "--port", str(self.port), "--access-log", "--log-level", "debug"]
        else:
            options = ["-b", "127.0.0.1", "-p", str(self.port), "-v", "2", "--access-log", "-"]
        return [sys.executable, "-m", self.server, *options, "hmsroom.asgi:application"]


def lines(log: str, message: str) -> list[dict[str, str]]:
    """The contexts of the lines with that message."""
    found = re.findall(rf"^\S+ \S+ \w+ [\w.]+ {message}((?: \w+=(?:\"(?:[^\"\\]|\\.)*\"|\S+))*)$", log, re.MULTILINE)
    return [dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', rest)) for rest in found]


async def misbehave(server: RunningServer) -> list[str]:
    """Do all that might make a server print a token, in vain and not; the tokens that were used."""
    room = server.room("tea")
    good, expired = server.sign(room), server.sign(room, exp=1)
    forged, foreign = good[:-6] + "AAAAAA", server.sign("0" * 24)
    alice = await server.peer(good, SECRETS[0])
    await alice.call("broadcast", info={"message": SECRETS[1], "type": "chat"})
    await alice.call("set-metadata", key="topic", data=SECRETS[2])
    for bad in ("{", '{"method": 5}', '{"method": "nope", "id": 1}', b"\x00"):
        await alice.send(bad)
    with pytest.raises(RpcError):
        await alice.call("broadcast", info={"message": "x" * 5000, "type": "chat"})
    for token in (expired, forged, foreign, f"{good}.{good}", "token=" + good):
        peer = RawPeer(server.ws_url, token)
        await peer.connect()
        await peer.wait_closed()
    for origin, path in (("https://evil.example", "/v2/ws"), (None, "/v2/nothing")):
        with pytest.raises(InvalidStatus):
            await RawPeer(server.ws_url.replace("/v2/ws", path), good, origin=origin).connect()
    for token in (good, expired, forged, foreign):
        await asyncio.to_thread(server.request, "GET", "/init?peer_id=a", Authorization=f"Bearer {token}")
        await asyncio.to_thread(server.request, "POST", "/v2/token", json.dumps({"code": token}))
        if not isinstance(server, ServerByHand):  # daphne's access log shows queries; clients put no token there
            await asyncio.to_thread(server.request, "GET", f"/nowhere?token={token}")
    await alice.drop()
    return [good, expired, forged, foreign]


@pytest.mark.faults
@pytest.mark.parametrize("start", [RunningServer, ServerByHand])
@pytest.mark.parametrize("kind", SERVERS)
async def test_i32_no_token_and_nothing_that_anybody_said_is_ever_logged(kind, start):
    with start(server=kind, LOG_LEVEL="DEBUG") as server:
        tokens = await misbehave(server)
        server.terminate()
        log = server.log()

    assert "a socket is refused" in log and "a handshake is refused" in log
    for token in tokens:
        assert token.split(".")[1] not in log and token.split(".")[2] not in log
    assert not [text for text in SECRETS if text in log]


@pytest.mark.faults
@pytest.mark.parametrize("kind", SERVERS)
async def test_the_log_tells_who_came_and_went(kind):
    with RunningServer(server=kind, PEER_GRACE=3, REAPER_INTERVAL=0.1) as server:
        room = server.room("tea")
        alice = await server.peer(server.sign(room, "host", "alice"))
        bob = await server.peer(server.sign(room, "guest", "bob"), "Bob")
        carol = await server.peer(server.sign(room, "guest", "carol"), "Carol")
        await alice.call("role-change-request", role="viewer", requested_for=bob.peer_id, force=True)
        await carol.drop()
        back = RawPeer(server.ws_url, carol.token, peer_id=carol.peer_id)
        await back.connect()
        await back.join("Carol")
        await bob.drop()
        await alice.wait_for("on-peer-leave")
        await back.leave()
        session = alice.named("peer-list")[0]["room"]["session_id"]
        await alice.call("end-room", reason="a private reason")
        log = server.log()

    place = {"room": room, "session": session}
    assert lines(log, "a session began") == [place]
    assert [line["peer"] for line in lines(log, "a peer joined")] == [alice.peer_id, bob.peer_id, carol.peer_id]
    assert all(line["room"] == room and line["conn"] for line in lines(log, "a peer joined"))
    roles = {"before": "guest", "now": "viewer", "by": alice.peer_id}
    assert lines(log, "a peer has another role") == [{**place, "peer": bob.peer_id, **roles}]
    assert [line["peer"] for line in lines(log, "a peer lost its connection")] == [carol.peer_id, bob.peer_id]
    assert [line["peer"] for line in lines(log, "a peer is back")] == [carol.peer_id]
    assert lines(log, "a peer left") == [
        {**place, "peer": bob.peer_id, "why": '"websocket closed"'},
        {**place, "peer": carol.peer_id, "why": '"client request"'},
    ]
    assert lines(log, "a session ended") == [{**place, "by": alice.peer_id}]
    assert "a private reason" not in log


@pytest.mark.faults
async def test_refusals_are_logged_with_what_they_belong_to():
    with RunningServer(RATE_LIMIT=0.01, RATE_BURST=3) as server:
        room = server.room("tea")
        viewer = await server.peer(server.sign(room, "viewer", "vera"))
        for _ in ("not allowed", "too fast, which fills no log"):
            with pytest.raises(RpcError):
                await viewer.call("broadcast", info={"message": "hello", "type": "chat"})
        other = RawPeer(server.ws_url, server.sign(room, user="bob"), peer_id=viewer.peer_id)
        await other.connect()
        await other.wait_closed()
        log = server.log()

    [refused] = lines(log, "a request is refused")
    assert (refused["room"], refused["peer"], refused["method"]) == (room, viewer.peer_id, "broadcast")
    assert (refused["code"], refused["id"]) == ("403", "2")  # 1 was the join
    [socket] = lines(log, "a socket is refused")
    assert (socket["code"], socket["room"], socket["peer"]) == ("403", room, viewer.peer_id)


@pytest.mark.faults
async def test_a_request_carries_its_id_into_log_and_answer():
    with RunningServer() as server:
        given = server.request("GET", "/healthz", X_Request_ID="from-the-proxy")
        made = server.request("GET", "/healthz", X_Request_ID="two words")

    assert given.headers["X-Request-ID"] == "from-the-proxy"
    assert re.fullmatch(r"[0-9a-f]{16}", made.headers["X-Request-ID"])


# --- Lines --------------------------------------------------------------------------------------


def line(message: str, **context: object) -> str:
    record = logging.LogRecord("rooms.test", logging.INFO, "", 0, message, None, None)
    record.context = context
    return LineFormatter().format(record).split(" ", 2)[2]


def test_a_line_ends_with_its_context():
    assert line("a peer joined", room="5f", number=3) == "INFO rooms.test a peer joined room=5f number=3"


def test_no_value_can_pass_for_another_or_for_a_line():
    forged = 'x room=other\n2026-01-01 00:00:00 ERROR rooms nothing "quoted"'

    written = line("a peer joined", peer=forged)

    assert written.count("\n") == 0
    assert json.loads(written.partition("peer=")[2]) == forged


def test_room_codes_are_hidden():
    assert hide_tokens("Forbidden: /r/abc-defg-hij/") == "Forbidden: /r/[code]/"


@pytest.mark.parametrize(
    "text", ["token={}", "/v2/ws?peer=a&token={}&x=1", "%3Ftoken%3D{}", "Authorization: Bearer {}", "{}"]
)
def test_tokens_are_hidden_wherever_they_stand(text):
    token = f"eyJh{uuid.uuid4().hex}.eyJi{uuid.uuid4().hex}.c2ln{uuid.uuid4().hex}"
    hidden = hide_tokens(text.format(token))
    assert not any(part in hidden for part in token.split("."))


@pytest.mark.parametrize(
    "text",
    ["token: expired", "token: not valid yet", "token: role is missing", "token: no Authorization: Bearer",
     "token: longer than 4096 characters", "tokens are signed", "peer=eyJohn"],
)  # fmt: skip
def test_reasons_stay_readable(text):
    assert hide_tokens(text) == text
    assert line("a socket is refused", why=text).endswith(f"why={json.dumps(text)}")


@pytest.mark.parametrize(
    "text",
    ["token=short", '{"token": "short"}', "{'token': 'short'}", '"authorization": "Bearer short"',
     "authorization=short", "token: eyJhbGciOiJIUzI1NiJ9", "x-eyJhbGciOiJIUzI1NiJ9.eyJz", "token%3Dshort",
     "token: " + "a1" * 20],
)  # fmt: skip
def test_what_is_given_as_a_token_is_hidden_whatever_it_is(text):
    assert not re.search("short|bGciOi|a1a1", hide_tokens(text))


@pytest.mark.parametrize(
    "text",
    ["eyJ-", "eyJa.b.", "token:", "token ", "token: ", "authorization: bearer ", "/r/", "token=eyJ", " :", "%3D"],
)
def test_hiding_tokens_costs_no_more_than_the_text_is_long(text):
    """Twice the text takes twice as long; what goes back over it again and again would take four times."""
    short, long = (steps(hide_tokens, text * (size // len(text))) for size in (20_000, 40_000))
    assert long < 3 * short


def steps(function: Callable[[str], object], text: str) -> float:
    """The processor's time that a call takes at its best; no other process counts."""
    taken = []
    for _ in range(5):
        before = time.thread_time()
        function(text)
        taken.append(time.thread_time() - before)
    return min(taken) + 0.002


def test_an_error_is_described_on_one_line():
    assert describe(ValueError("first\nsecond")) == "ValueError: first"


@pytest.mark.parametrize(("status", "passes"), [(500, True), (503, False), (404, False)])
def test_of_refused_pages_only_bugs_are_logged(status, passes):
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "x", None, None)
    record.status_code = status
    assert BugsOnly().filter(record) is passes


# --- What strangers may write -------------------------------------------------------------------


def record(message: str, *, name: str = "rooms.door", line: int = 1, **more: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.WARNING, "door.py", line, message, None, None)
    vars(made).update(more)
    return made


def test_each_kind_of_line_is_written_so_often_a_minute_and_says_what_was_left_out():
    now = 0.0
    bounded = Bounded(lambda: now)

    written = [bounded.filter(record("refused", kind="host")) for _ in range(1000)]
    assert written == [True] * 60 + [False] * 940
    assert bounded.filter(record("refused", kind="origin"))
    assert bounded.filter(record("another", line=2))

    now = 61.0
    next_one = record("refused", kind="host", context={"why": "x"})
    assert bounded.filter(next_one)
    assert next_one.context == {"why": "x", "left_out": 940}  # type: ignore[attr-defined]


def test_who_came_and_went_is_always_written():
    bounded = Bounded()
    assert all(bounded.filter(record("a peer joined", name="rooms.presence")) for _ in range(1000))


def test_what_others_sent_is_cut():
    assert len(line("refused", why="x" * 60_000)) < MAX_VALUE + 60
    long = record("%s")
    long.args = ("x" * 60_000,)
    assert Bounded().filter(long)
    assert len(long.getMessage()) < 5000


def test_a_strangers_mistake_has_no_traceback():
    try:
        raise ValueError
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    bad_host = record("Invalid HTTP_HOST " + "x" * 7000, name="django.security.DisallowedHost", exc_info=info)
    bug = record("an endpoint failed", exc_info=info)
    bounded = Bounded()
    assert bounded.filter(bad_host) and bounded.filter(bug)
    assert (bad_host.exc_info, bug.exc_info) == (None, info)
    assert len(bad_host.getMessage()) <= MAX_VALUE + 1
