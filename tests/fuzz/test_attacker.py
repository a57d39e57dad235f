"""An attacker who knows everything that a room shows, and the codes of lower roles, is nobody else.

Whatever it was ever sent it tries as every parameter of every method, and as every field of an address. After that the
others are as they were, and nothing that it got holds a secret of theirs. A new method, parameter or field is covered
by itself.
"""

import asyncio
import itertools
import json
import re
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from websockets.exceptions import ConnectionClosed

import rooms.operations  # noqa: F401, fills METHODS
from rooms.operations.engine.calls import Operation
from rooms.operations.engine.gate import METHODS
from rooms.wire.parameters import Parameter
from rooms.wire.roles import DEFAULT_TEMPLATE, parse_role
from tests.fuzz.bystanders import BackEnd, Clerk
from tests.fuzz.deployments import QUESTIONS, Deployments
from tests.support.server import APP_SECRET, Message, RawPeer, RunningServer

JSON = Any

MAKE_ROOM = """
import json
from rooms.creation.rooms import create_room
room = create_room(title="Team")
print(json.dumps([room.id, {code.role: code.code for code in room.codes.all()}]))
"""

# What hosts alone may read; into the second anybody may put something.
RULES = [
    {"key": "private", "write": ["host"], "read": ["host"]},
    {"key": "dropbox", "write": ["host", "guest", "viewer"], "read": ["host"]},
]
DEFAULT_ROLES = {name: parse_role(name, wire) for name, wire in DEFAULT_TEMPLATE.items()}
KINDS = ["viewer", "guest", "removed", "demoted"]
MAX_CALLS = 60  # of one socket, before its refusals would close it


def secret(name: str) -> str:
    """A text that occurs nowhere else."""
    return f"secret-{name}-{secrets.token_hex(8)}"


class Room:
    """A room with a host, two guests and a viewer in it, who hold things that are nobody's business."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        printed = server.manage("shell", "--no-imports", "-c", MAKE_ROOM)
        self.id, self.codes = json.loads(printed.splitlines()[-1])
        self.said: set[str] = set()
        self.hidden: set[str] = set()
        self.planted: dict[str, str] = {"app secret": APP_SECRET}
        self.victims: list[RawPeer] = []
        self.before: JSON = None  # the state when the attack began

    async def open(self) -> None:
        self.host = await self._enter("host", "Hanna", code=self.codes["host"])
        self.bob = await self._enter("bob", "Bob", code=self.codes["guest"])
        # Of a back end, with a user id that everybody is shown.
        self.ana = await self._enter("ana", "Ana", token=self.server.sign(self.id, "guest", "ana-by-user-id"))
        self.vera = await self._enter("vera", "Vera", code=self.codes["viewer"])
        # They are somebody by now, and hold something: a hand, metadata, keys.
        await self.bob.call("group-join", name="_handraise")
        await self.bob.call("peer-update", data="working on it")
        await self.ana.call("listen-metadata-change", keys=["topic", "pinnedMessages"])
        await self.host.call("set-metadata", key="topic", data="tea")
        await self.host.call("set-metadata-rules", rules=RULES)
        await self.polls()
        await self.whisper("before")
        self.planted["host's code"] = self.codes["host"]

    async def _enter(self, user: str, name: str, *, code: str = "", token: str = "") -> RawPeer:
        if code:
            kept = secret(f"of-{user}")
            self.planted[f"{user}'s secret"] = kept
            token = self.post("/v2/token", {"code": code, "user_id": f"{user}-id", "secret": kept})["token"]
        self.planted[f"{user}'s token"] = token
        peer = RawPeer(self.server.ws_url, token, peer_id=f"{user}-{uuid.uuid4()}")
        self.victims.append(peer)
        await peer.connect()
        await peer.join(name)
        await peer.wait_for("peer-list")
        return peer

    def post(self, path: str, body: JSON) -> JSON:
        return json.loads(self.server.request("POST", path, json.dumps(body)).body)

    async def polls(self) -> None:
        """A draft; a quiz whose answers are hidden; a vote without names whose answers are the host's alone."""
        self.planted["draft's title"], self.planted["draft's question"] = secret("title"), secret("question")
        self.planted["right answer"], self.planted["anonymous vote"] = secret("answer"), secret("vote")
        short = {"question": {"text": "Word?", "type": "short-answer"}}
        hidden = {**short, "answer": {"hidden": True, "text": self.planted["right answer"]}}
        drafted = {"question": {"text": self.planted["draft's question"], "type": "short-answer"}}
        polls: list[tuple[str, str, JSON, Message]] = [
            ("draft", self.planted["draft's title"], [drafted], {}),
            ("quiz", "Quiz", [*QUESTIONS, hidden], {"type": "quiz"}),
            ("vote", "Vote", [short], {"anonymous": True, "responses": ["host"]}),
        ]
        for poll_id, title, questions, options in polls:
            await self.host.call("poll-info-set", poll_id=poll_id, title=title, **options)
            await self.host.call("poll-questions-set", poll_id=poll_id, questions=questions)
            if poll_id != "draft":
                await self.host.call("poll-start", poll_id=poll_id)
        vote = [{"question": 1, "text": self.planted["anonymous vote"]}]
        await self.bob.call("poll-response", poll_id="vote", responses=vote)
        await self.ana.call("poll-response", poll_id="quiz", responses=[{"question": 1, "option": 2}])

    async def whisper(self, when: str) -> None:
        """Words between the host, Bob and Ana, said while the attacker is in the room or before."""
        whispers: list[tuple[str, RawPeer, Message]] = [
            ("to bob", self.host, {"peer_id": self.bob.peer_id}),
            ("to the host", self.bob, {"peer_id": self.host.peer_id}),
            ("to hosts", self.ana, {"roles": ["host"]}),
        ]
        for name, sender, to in whispers:
            text = self.planted[f"words {name} {when}"] = secret("words")
            self.said.add(text)
            answer = await sender.call("broadcast", info={"message": text}, **to)
            self.planted[f"id of words {name} {when}"] = answer["message_id"]
        await self.hide(when)
        await self.say(self.ana, f"hello {when}")
        request = {"requested_for": self.bob.peer_id, "role": "host"}
        asked = len(self.bob.events)
        await self.host.call("role-change-request", **request)
        offer = await self.bob.wait_for("on-role-change-request", after=asked)
        self.planted[f"bob's offer {when}"] = offer["params"]["token"]

    async def hide(self, when: str) -> None:
        """Values that hosts alone may read."""
        for rule in RULES:
            value = self.planted[f"value of {rule['key']} {when}"] = secret("value")
            self.hidden.add(value)
            await self.host.call("update-metadata", changes=[{"key": rule["key"], "data": {"n": [value]}}])

    async def lend_role(self, peer_id: str) -> None:
        """Make somebody a host for a moment, in which a value changes."""
        request = {"requested_for": peer_id, "force": True}
        await self.host.call("role-change-request", role="host", **request)
        await self.hide("while a host")
        await self.host.call("role-change-request", role="viewer", **request)

    async def say(self, peer: RawPeer, text: str, **to: Any) -> Message:
        self.said.add(text)
        return await peer.call("broadcast", info={"message": text}, **to)

    def internals(self) -> Iterator[tuple[str, str]]:
        """What the database alone knows of the victims."""
        ids = ", ".join(f"'{peer.peer_id}'" for peer in self.victims)
        for peer_id, owner, conn_id in self.server.select(
            f"SELECT peer_id, owner, conn_id FROM rooms_peer WHERE peer_id IN ({ids})"
        ):
            yield f"owner of {peer_id}", owner
            yield f"connection of {peer_id}", conn_id

    async def state(self) -> JSON:
        """Everything that belongs to the victims, as the host and the database see it."""
        peers = [await self.host.call("get-peer", peer_id=peer.peer_id) for peer in self.victims]
        answers = [await self.host.call("poll-responses", poll_id=poll_id) for poll_id in ("vote", "quiz")]
        polls = await self.host.call("poll-list")
        ids = {peer.peer_id for peer in self.victims}
        votes = [
            [one for one in answer["responses"] if one["peer"]["peerid"] in ids or poll_id == "vote"]
            for poll_id, answer in zip(("vote", "quiz"), answers, strict=True)
        ]
        rows = self.server.select(
            "SELECT peer_id, owner, conn_id, role, joined_role, state, observed FROM rooms_peer"
            f" WHERE peer_id IN ({', '.join(repr(peer_id) for peer_id in sorted(ids))}) ORDER BY peer_id"
        )
        given = self.server.select(
            "SELECT person, given_role, removed_at FROM rooms_person WHERE session_id IN"
            f" (SELECT id FROM rooms_session WHERE room_id = '{self.id}') ORDER BY person"
        )
        room = self.server.select(f"SELECT enabled, title FROM rooms_room WHERE id = '{self.id}'")
        drafts = await self.host.call("poll-questions-get", poll_id="draft")
        for one in itertools.chain(peers, answers, [polls, drafts]):
            one.pop("seq", None)
        return {
            "peers": peers,
            "votes": [votes[0][:1], votes[1]],
            "polls": polls,
            "drafts": drafts,
            "rows": [str(row) for row in rows],
            "given": [str(row) for row in given],
            "room": [str(row) for row in room],
            "open": [peer.open for peer in self.victims],
        }

    def check_words(self) -> None:
        """Fails for a message or a change in a victim's name that the victim did not make."""
        ids = {peer.peer_id for peer in self.victims}
        persons = {peer["person"] for peer in self.before["peers"]}
        for peer in self.victims:
            for message in peer.named("on-broadcast"):
                author = message.get("peer", {})
                if author.get("peer_id") in ids or author.get("person") in persons:
                    assert message["info"]["message"] in self.said, f"said in another's name: {message}"
            for change in peer.named("on-metadata-change"):
                for value in change["values"]:
                    assert value.get("updated_by") not in ids or value["key"] in ("topic",), f"set: {value}"
                    if value["key"] == "topic" and value.get("updated_by") in ids:
                        assert value["data"] == "tea", f"set in another's name: {value}"


class Attacker:
    """What it got, and what it may use. All that it was sent is in ``heard``, as it came."""

    def __init__(self, room: Room, code: str) -> None:
        self.room, self.code = room, code
        self.secret = f"kept-by-the-attacker-{secrets.token_hex(8)}"
        self.heard: list[str] = []
        self.tokens: list[str] = []
        self.not_to_repeat: set[str] = set()
        self.peer_id = f"mallory-{uuid.uuid4()}"

    # --- What it knows

    def known(self) -> list[JSON]:
        """Every text and every number that it was ever sent, but for what is part of it and too long to be a name."""
        found: dict[JSON, None] = {}
        for text in self.heard:
            with suppress(ValueError):
                found |= dict.fromkeys(leaves(json.loads(text)))
        own = {*self.tokens, self.secret, *self.not_to_repeat}
        texts = [value for value in found if isinstance(value, str) and value not in own]
        # Of numbers of one length, a few.
        numbers = sorted(value for value in found if not isinstance(value, str))
        lengths = itertools.groupby(numbers, lambda number: len(str(number)))
        return [*texts, *(number for _, group in lengths for number in [*group][-6:])]

    # --- HTTP

    async def get(self, method: str, path: str, body: JSON = None, **headers: str) -> JSON:
        text = None if body is None else json.dumps(body)
        # In a thread: a test that did not read its sockets meanwhile would lose them.
        answer = await asyncio.to_thread(self.room.server.request, method, path, text, **headers)
        assert answer.status < 500, f"{method} {path} {body}: {answer}"
        text = answer.body.decode()
        self.heard += [text, str(answer.headers)]
        return json.loads(text) if text.startswith("{") else {}

    async def token(self, **fields: str) -> str:
        answer = await self.get("POST", "/v2/token", {"code": self.code, **fields})
        got: str = answer.get("token", "")
        if got:
            self.tokens.append(got)
        return got

    def may(self, permission: str) -> bool:
        """Whether the role that it came with has a permission in the default template."""
        return permission in DEFAULT_ROLES[claims(self.tokens[0])["role"]].permissions

    # --- Sockets

    async def socket(self, token: str, peer_id: str, place: Mapping[str, Any] | None = None) -> "Ear | None":
        """A socket, or None if it is refused."""
        ear = Ear(self, self.room.server.ws_url, token, peer_id=peer_id)
        ear.query |= {name: str(value) for name, value in (place or {}).items()}
        await ear.connect()
        first = ear.told("on-policy-change", "on-error")
        await ear.until(lambda: bool(first()) or not ear.open)
        if first()[:1] == ["on-policy-change"]:
            return ear
        await ear.close()
        return None

    async def enter(self, token: str, peer_id: str, **params: Any) -> "Ear | None":
        ear = await self.socket(token, peer_id)
        if ear is None:
            return None
        with suppress(ConnectionClosed, ConnectionResetError, AttackRefused):
            await ear.ask("join", {"name": "Mallory", **params})
        return ear


class AttackRefused(Exception):
    """The server said no."""


class Ear(RawPeer):
    """A socket of the attacker that keeps everything it hears."""

    def __init__(self, attacker: Attacker, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._attacker = attacker

    def _receive(self, message: Message) -> None:
        self._attacker.heard.append(json.dumps(message, ensure_ascii=False))
        super()._receive(message)

    def told(self, *kinds: str) -> Any:
        return lambda: [event["method"] for event in self.events if event.get("method") in kinds]

    async def ask(self, method: str, params: JSON) -> bool:
        """Whether the server did it. What is no answer to a request, such as one that cannot be read, is none."""
        [done] = await self.ask_all([(method, params)])
        return done

    async def ask_all(self, calls: Sequence[tuple[str, JSON]]) -> list[bool]:
        replies = []
        with suppress(ConnectionClosed):  # some calls end it
            for method, params in calls:
                replies.append(await self.begin(method, **params))
        answers = await asyncio.gather(*replies, return_exceptions=True)
        return [isinstance(answer, dict) for answer in answers]


# The same in every room: what media there could be, how Prebuilt looks, which permissions there are, why not.
VOCABULARY = {"jsonrpc", "method", "publishParams", "subscribeParams", "permissions", "screens", "typography", "error"}


def leaves(value: JSON) -> Iterator[JSON]:
    """The texts and numbers in a JSON value, and the keys that are more than words."""
    if isinstance(value, dict):
        for name, entry in value.items():
            if name in VOCABULARY:
                continue
            if not name.replace("_", "").isalpha():
                yield name
            yield from leaves(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from leaves(entry)
    elif (isinstance(value, str) and 0 < len(value) < 2000) or type(value) is int:
        yield value


def attempts(method: str, operation: Operation, known: Sequence[JSON]) -> Iterator[tuple[str, JSON]]:
    """The method with each thing that is known as each of its parameters, and what goes well with it as the others."""
    base = {parameter.name: likely(parameter, known) for parameter in operation.parameters}
    least = {parameter.name: base[parameter.name] for parameter in operation.parameters if parameter.required}
    yield method, least
    for parameter in operation.parameters:
        for filled in fillings(parameter, known):
            yield method, {**least, parameter.name: filled}


def fillings(parameter: Parameter, known: Sequence[JSON]) -> Iterator[JSON]:
    kinds = parameter.kinds
    if parameter.fields:
        base = {field.name: likely(field, known) for field in parameter.fields}
        for field in parameter.fields:
            yield from ({**base, field.name: filled} for filled in fillings(field, known))
    elif parameter.item:
        yield from ([filled] for filled in fillings(parameter.item, known))
        if parameter.item.kinds == (str,):
            yield [value for value in known if isinstance(value, str) and len(value) <= 100][:50]
    elif bool in kinds:
        yield from (True, False)
    else:
        yield from (value for value in known if not kinds or type(value) in kinds)


def likely(parameter: Parameter, known: Sequence[JSON]) -> JSON:
    """A value that could do harm: others' ids where ids are wanted."""
    name = parameter.name
    for wanted, value in {
        "poll_id": "vote",
        "role": "host",
        "force": True,
        "resume": None,
        "key": "topic",
        "name": "_handraise",
    }.items():
        if name == wanted:
            return value
    if parameter.fields:
        return {field.name: likely(field, known) for field in parameter.fields if field.required}
    if parameter.item:
        return [likely(parameter.item, known)]
    for value in known:
        if isinstance(value, str) and name in ("peer_id", "requested_for") and value.startswith("bob-"):
            return value
    return {int: 1, float: 1.0, bool: True}.get(parameter.kinds[0] if parameter.kinds else str, "text")


async def look_around(attacker: Attacker, token: str) -> None:
    """See everything that is shown at the door and inside."""
    door = await attacker.socket(token, f"door-{uuid.uuid4()}")
    await attacker.get("GET", "/init?peer_id=x", Authorization=f"Bearer {token}")
    await attacker.get("GET", "/v2/layouts/ui", Authorization=f"Bearer {token}")
    await attacker.get("GET", f"/r/{attacker.code}/")
    if door:
        await door.close()


async def try_tokens(attacker: Attacker, known: Sequence[JSON]) -> None:
    """Ask for tokens in others' names, with all that is known as code, as user id and as secret."""
    texts = [value for value in known if isinstance(value, str)]
    for value in texts:
        if value != attacker.code:
            answer = await attacker.get("POST", "/v2/token", {"code": value})
            assert "token" not in answer or claims(answer["token"])["role"] in allowed(attacker), f"code {value}"
        await attacker.token(user_id=value[:128])
        await attacker.token(user_id=value[:128], secret=value[:128].ljust(16, "0"))
    # And by its own hand.
    own = claims(attacker.tokens[0])
    for value in texts:
        forged = jwt.encode({**own, "role": "host"}, value.ljust(32, "0"), algorithm="HS256")
        await attacker.get("GET", "/init?peer_id=x", Authorization=f"Bearer {forged}")
    forged = jwt.encode({**own, "role": "host"}, "", algorithm="none")
    refused = await attacker.get("GET", "/init?peer_id=x", Authorization=f"Bearer {forged}")
    assert refused["code"] == 401


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def allowed(attacker: Attacker) -> set[str]:
    """Roles whose codes it has in any case."""
    return {role for role, code in attacker.room.codes.items() if code == attacker.code}


async def try_to_be_others(attacker: Attacker, known: Sequence[JSON], tokens: Sequence[str]) -> None:
    """Open sockets under others' peer ids, and resume from every place, under theirs and its own."""
    room = attacker.room
    victims = [peer.peer_id for peer in room.victims]
    for token in tokens:
        for peer_id in victims:
            refused = await attacker.get("GET", f"/init?peer_id={quote(peer_id)}", Authorization=f"Bearer {token}")
            assert refused.get("code") in (401, 403), f"/init as {peer_id}: {refused}"
            assert await attacker.socket(token, peer_id) is None, f"a socket as {peer_id} by {claims(token)}"
    numbers = sorted({value for value in known if isinstance(value, int) and 0 < value < 10_000} | {0, 1})
    sessions = [value for value in known if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{24}", value)]
    histories = [value for value in known if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8,32}", value)]
    for token in tokens[:2]:
        for seq in numbers[:40]:
            for session in sessions[:2]:
                place = {"session_id": session, "seq": seq, "history": histories[seq % len(histories)]}
                if ear := await attacker.socket(token, attacker.peer_id, place):
                    await ear.close()
                if ear := await attacker.enter(token, attacker.peer_id, resume={**place}):
                    for history in histories[:3]:
                        await ear.ask("join", {"resume": {**place, "history": history}})
                    await ear.close()


async def try_everything(attacker: Attacker, known: Sequence[JSON], token: str) -> None:
    """Each method with all that is known as each of its parameters."""
    for method, operation in METHODS.items():
        calls = list(attempts(method, operation, known))
        if operation.requires and not attacker.may(operation.requires):
            calls = calls[::5]  # all for the same answer
        for first in range(0, len(calls), MAX_CALLS):
            ear = await attacker.enter(token, attacker.peer_id)
            if ear is None:
                return  # it is not let in at all
            await ear.ask_all(calls[first : first + MAX_CALLS])
            await ear.close()


async def attack(attacker: Attacker) -> None:
    known = attacker.known()
    token = attacker.tokens[0]
    await try_tokens(attacker, known)
    others = attacker.tokens[1:]
    step = max(1, len(others) // 12)
    named = [
        one
        for one in others
        if any(claims(one)["user_id"] == name for name in ("host-id", "bob-id", "vera-id", "ana-by-user-id"))
    ]
    await try_to_be_others(attacker, known, [token, *named, *others[::step]])
    # As somebody new to the room, but for what the room remembers of its owner.
    ear = await attacker.enter(token, attacker.peer_id)
    if ear:
        await ear.leave()
    attacker.peer_id = f"mallory-{uuid.uuid4()}"
    await try_everything(attacker, known, token)


async def scenario(server: RunningServer, kind: str) -> None:
    room = Room(server)
    back_end, clerk = BackEnd(server), Clerk(server)
    await back_end.begin(room.id)
    await room.open()
    await clerk.begin()
    code = room.codes["viewer" if kind == "viewer" else "guest"]
    attacker = Attacker(room, code)
    token = await attacker.token(user_id="mallory", secret=attacker.secret)
    await look_around(attacker, token)
    ear = await attacker.enter(token, attacker.peer_id)
    assert ear
    await ear.wait_for("peer-list")
    own = await room.host.call("get-peer", peer_id=attacker.peer_id)
    for key in ("topic", "pinnedMessages", "default"):
        await ear.ask("listen-metadata-change", {"keys": [key]})
    # Words for the attacker alone may not go further by its doing; it knows their id.
    own_words = secret("to-mallory")
    attacker.not_to_repeat.add(own_words)
    await room.say(room.host, own_words, peer_id=attacker.peer_id)
    await ear.wait_for("on-broadcast")
    if kind == "viewer":
        room.planted["guests' code"] = room.codes["guest"]
    if kind == "demoted":
        await room.lend_role(attacker.peer_id)
        for name in [name for name in room.planted if name.startswith("value of ")]:
            del room.planted[name]  # which it could read then
    for method, operation in METHODS.items():
        if not operation.requires and method not in ("leave", "join"):
            await ear.ask_all(list(attempts(method, operation, ["text"]))[:1])
    for poll_id in ("draft", "quiz", "vote"):
        for method in METHODS:
            if method.startswith("poll-") and not METHODS[method].requires:
                await ear.ask(method, {"poll_id": poll_id})
    await ear.ask("listen-metadata-change", {"keys": ["topic", *(rule["key"] for rule in RULES)]})
    await room.whisper("during")
    await ear.close()
    if kind == "demoted":
        await room.lend_role(attacker.peer_id)  # of which it must learn nothing when it comes back
    if kind == "removed":
        again = await attacker.enter(token, attacker.peer_id)
        assert again
        await room.host.call("peer-leave-request", requested_for=attacker.peer_id)
        await again.wait_closed()
    await room.whisper("away")
    for name, text in room.internals():
        room.planted[name] = text
    heard = {peer.peer_id: len(peer.events) for peer in room.victims}
    room.before = await room.state()

    await attack(attacker)

    await clerk.look(room.host.named("session-info")[-1]["session_id"])
    await back_end.end()
    await clerk.end()
    assert await room.state() == room.before
    room.check_words()
    for name, text in room.planted.items():
        assert text, name
        found = next((one for one in attacker.heard if text in one), None)
        assert found is None, f"{kind} was sent {name}: {found[:2000]}"
    # Both hear of the keys, and of who is there.
    assert any('"key":"private"' in one for one in back_end.heard)
    assert any("/live/" in one[:80] and "Hanna" in one for one in clerk.heard)
    for one in (*back_end.heard, *clerk.heard, server.log()):
        assert not [text for text in room.hidden if text in one], one[:2000]
    for peer in room.victims:
        news = peer.events[heard[peer.peer_id] :]
        about = [event["params"] for event in news if event.get("method") == "on-metadata-change"]
        assert own_words not in json.dumps(about), "what was said in private is pinned"
        kinds = {event.get("method") for event in news}
        assert not kinds & {"on-error", "on-peer-leave-request", "on-policy-change", "on-role-change-request"}, kinds
        if kind == "removed":
            came = [event["params"] for event in news if event.get("method") in ("on-peer-join", "on-peer-state")]
            assert own["person"] not in json.dumps(came), "who was removed is back"
        if kind in ("removed", "demoted"):
            did = [event["params"] for event in news if event.get("method") == "on-broadcast"]
            assert own["person"] not in json.dumps(did), "who may not say anything did"
            values = [value for change in about for value in change["values"]]
            assert not [value for value in values if value.get("updated_by") == attacker.peer_id], (
                "who may not write did"
            )
    for peer in room.victims:
        await peer.leave()


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_acts_as_reads_or_resumes_another(deployments: Deployments, kind: str) -> None:
    asyncio.run(scenario(deployments.servers[0], kind))
    deployments.check_logs()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.soak
def test_nobody_acts_as_reads_or_resumes_another_elsewhere(deployments: Deployments, kind: str) -> None:
    for server in deployments.servers[1:]:
        asyncio.run(scenario(server, kind))
    deployments.check_logs()
