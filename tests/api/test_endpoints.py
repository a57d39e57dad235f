"""The HTTP endpoints of clients: /init, /v2/token and /v2/layouts/ui."""

import json
import uuid
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client

from rooms.access import tokens
from rooms.api import http
from rooms.creation.rooms import create_room
from rooms.delivery.hub import perform_now
from rooms.models import Peer, Room, RoomCode
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.gate import METHODS
from rooms.urls import urlpatterns
from rooms.wire.rates import Buckets

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Room:
    return create_room(title="Team")


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    monkeypatch.setattr(http, "_addresses", Buckets(0, 0))


def init(client: Client, token: str, peer_id: str = "p1", **headers: str) -> Any:
    sent = {"host": "testserver", "authorization": f"Bearer {token}", **headers}
    return client.get("/init", {"peer_id": peer_id}, headers=sent)


def token(room_id: str, role: str = "guest", user: str = "alice") -> str:
    return tokens.sign(room_id, role, user)[0]


def enter(room: Room, peer_id: str = "p1", user: str = "alice") -> None:
    caller = Caller(room.id, peer_id, f"user:{user}", user, "guest", conn_id="c", worker="w")
    perform_now(METHODS["join"], caller, name="Alice")


# --- /init --------------------------------------------------------------------------------------


def test_init_says_where_the_socket_is(client, room: Room):
    answer = init(client, token(room.id))

    assert answer.status_code == 200
    assert answer.json() == {
        "endpoint": "ws://testserver/v2/ws",
        "config": {"enabledFlags": ["nonWebRTCDisableOffer"]},
    }
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("setting", "headers", "endpoint"),
    [
        ({"PUBLIC_URL": "https://rooms.example"}, {}, "wss://rooms.example/v2/ws"),
        ({"TRUSTED_PROXIES": [ip_network("127.0.0.1")]}, {"x-forwarded-proto": "https"}, "wss://testserver/v2/ws"),
        ({}, {"x-forwarded-proto": "https"}, "ws://testserver/v2/ws"),
    ],
)
def test_the_endpoint_is_what_the_client_can_reach(client, room: Room, settings, setting, headers, endpoint: str):
    for name, value in setting.items():
        setattr(settings, name, value)
    assert init(client, token(room.id), **headers).json()["endpoint"] == endpoint


@pytest.mark.parametrize("path", ["/init", "/v2/token", "/v2/layouts/ui"])
def test_a_preflight_is_answered(client, path: str):
    answer = client.options(
        path,
        headers={
            "origin": "http://localhost:1",
            "access-control-request-method": "GET",
            "access-control-request-headers": "authorization",
        },
    )
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "authorization" in answer["Access-Control-Allow-Headers"]
    assert "OPTIONS" in answer["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c"])
def test_init_without_a_good_token_is_401_that_a_page_can_read(client, authorization: str | None):
    headers = {} if authorization is None else {"authorization": authorization}
    answer = client.get("/init", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == 401
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_i35_init_refuses_unknown_closed_and_forbidden_rooms_alike(client, room: Room):
    closed = create_room(title="Closed")
    Room.objects.filter(id=closed.id).update(enabled=False)
    answers = [
        init(client, token("0" * 24)),
        init(client, token(closed.id)),
        init(client, token(room.id, role="no such role")),
        init(client, token("no id at all ✓")),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert [answer.json() for answer in answers] == [{"code": 403, "message": "room not available"}] * 4
    assert {answer["Access-Control-Allow-Origin"] for answer in answers} == {"*"}


def test_i31_a_page_of_a_foreign_origin_is_refused_so_that_it_can_read_it(client, room: Room):
    answer = init(client, token(room.id), origin="https://evil.example")
    assert answer.status_code == 403
    assert answer.json()["message"].startswith("origin: https://evil.example")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert init(client, token(room.id), origin="http://testserver").status_code == 200


def test_a_peer_id_in_use_is_for_its_owner_alone(client, room: Room):
    enter(room)
    assert init(client, token(room.id, user="alice")).status_code == 200
    answer = init(client, token(room.id, user="mallory"))
    assert answer.status_code == 403
    assert answer.json()["message"] == "peer: this peer id belongs to another user or role"
    assert init(client, token(room.id, user="mallory"), peer_id="p2").status_code == 200


def test_nobody_can_be_called_as_a_client_is_that_has_chosen_no_peer_id(client, room: Room):
    for peer_id in ("-", ".", "0", "?", "x"):
        enter(room, peer_id, "eve")
    answer = client.get("/init", headers={"host": "testserver", "authorization": f"Bearer {token(room.id)}"})
    assert answer.status_code == 200


def test_who_is_in_comes_back_although_the_room_was_closed_or_filled(client, room: Room):
    enter(room)
    Room.objects.filter(id=room.id).update(size=1)
    assert init(client, token(room.id, user="bob"), peer_id="p2").json()["message"] == "the room is full"
    assert init(client, token(room.id)).status_code == 200

    Room.objects.filter(id=room.id).update(enabled=False)
    assert init(client, token(room.id)).status_code == 200
    Peer.objects.update(state="left", leave_reason="websocket closed")
    assert init(client, token(room.id)).status_code == 403


@pytest.mark.parametrize("peer_id", ["", "x" * 1000, "\x00", "💥", "../.."])
def test_no_peer_id_breaks_init(client, room: Room, peer_id: str):
    assert init(client, token(room.id), peer_id=peer_id).status_code in (200, 400)


@pytest.mark.parametrize(("path", "method"), [("/init", "post"), ("/v2/token", "get"), ("/v2/layouts/ui", "delete")])
def test_other_methods_are_refused(client, path: str, method: str):
    answer = getattr(client, method)(path)
    assert answer.status_code == 405
    assert answer.json()["code"] == 405


# --- Codes --------------------------------------------------------------------------------------


def ask(client: Client, body: Any, content_type: str = "text/plain", **headers: str) -> Any:
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post("/v2/token", data, content_type=content_type, headers=headers)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
def test_a_code_gives_a_token_of_its_role_whatever_the_content_type(client, room: Room, content_type: str):
    code = room.codes.get(role="viewer")
    answer = ask(client, {"code": code.code, "user_id": "alice"}, content_type)

    assert answer.status_code == 200
    assert answer.json().keys() == {"token", "expires_at"}
    claims = tokens.read(answer.json()["token"])
    assert (claims.room_id, claims.role, claims.user_id) == (room.id, "viewer", "alice")
    assert init(client, answer.json()["token"]).status_code == 200


def test_who_gives_no_user_id_gets_one(client, room: Room):
    code = room.codes.get(role="guest").code
    users = {tokens.read(ask(client, {"code": code}).json()["token"]).user_id for _ in range(2)}
    assert len(users) == 2
    assert all(uuid.UUID(user) for user in users)


def owner(client: Client, code: str, **given: Any) -> str:
    answer = ask(client, {"code": code, **given})
    assert answer.status_code == 200
    return tokens.read(answer.json()["token"]).owner


def test_the_owner_of_a_token_by_code_comes_from_its_secret_alone(client, room: Room):
    code = room.codes.get(role="guest").code
    secret = "0123456789abcdef"
    mine = owner(client, code, secret=secret)
    assert mine == owner(client, code, secret=secret, user_id="another name") == owner(client, code, secret=secret)
    assert mine == owner(client, room.codes.get(role="host").code, secret=secret)
    others = [owner(client, code, secret=other) for other in (secret.upper(), secret + " ", "é" * 128)]
    others += [owner(client, code, user_id="alice", **none) for none in ({}, {"secret": None}, {})]
    assert len({mine, *others}) == 7
    assert all(one.startswith("code:") for one in others)


@pytest.mark.parametrize("secret", ["", "x" * 15, "x" * 129, 5, ["x" * 16], {}, True])
def test_a_secret_has_a_length(client, room: Room, secret: Any):
    answer = ask(client, {"code": room.codes.get(role="guest").code, "secret": secret})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("secret: expected ")


@pytest.mark.parametrize("most", [128, 36, 1])
def test_tokens_by_code_are_good_whatever_length_user_ids_may_have(client, room: Room, settings, most: int):
    settings.MAX_USER_ID_CHARS = most
    answer = ask(client, {"code": room.codes.get(role="guest").code, "user_id": "a", "secret": "x" * 128})
    assert init(client, answer.json()["token"]).status_code == 200


def test_a_guest_who_takes_the_hosts_user_id_is_not_the_host(client, room: Room):
    """Of the host everything is known that others are told: its user id, peer id and person."""
    secret = "a secret of the host's browser"
    hosts = {"code": room.codes.get(role="host").code, "user_id": "host", "secret": secret}
    claims = tokens.read(ask(client, hosts).json()["token"])
    caller = Caller(room.id, "p1", claims.owner, claims.user_id, claims.role, conn_id="c", worker="w")
    perform_now(METHODS["join"], caller, name="Host")
    person = Peer.objects.get().person
    guests = room.codes.get(role="guest").code
    for given in (
        {"user_id": "host"},
        {"user_id": "host", "secret": "another secret, also long"},
        {"user_id": claims.owner, "secret": claims.owner},
        {"user_id": person, "secret": person},
        {"user_id": "host", "secret": secret},  # the host's own browser, with the link of another role
    ):
        forged = ask(client, {"code": guests, **given}).json()["token"]
        answer = init(client, forged)
        assert answer.status_code == 403, given
        assert answer.json()["message"] == "peer: this peer id belongs to another user or role"
    for forged in (tokens.sign(room.id, "host", "host")[0], tokens.sign(room.id, "host", claims.owner)[0]):
        assert init(client, forged).status_code == 403
    assert init(client, ask(client, hosts).json()["token"]).status_code == 200


def test_init_refuses_who_was_removed_and_says_why(client, room: Room):
    enter(room)
    enter(room, "p2", "bob")
    removed = perform_now(
        METHODS["peer-leave-request"], Caller(room.id, name="olga"), requested_for="p1", reason="enough"
    )
    assert removed is not None
    for peer_id in ("p1", "new"):
        answer = init(client, token(room.id), peer_id=peer_id)
        assert (answer.status_code, answer.json()) == (
            403,
            {
                "code": 403,
                "message": "removed from this session: enough",
                "data": {"removed": True, "reason": "enough"},
            },
        )
    person = Peer.objects.get(peer_id="p1").person
    perform_now(METHODS["peer-let-in"], Caller(room.id), person=person)
    assert init(client, token(room.id)).status_code == 200


def test_no_answer_holds_an_owner_or_a_secret(client, room: Room, caplog):
    secret = "a secret of the client"
    given = {"code": room.codes.get(role="guest").code, "user_id": "alice", "secret": secret}
    with caplog.at_level("DEBUG"):
        answers = [ask(client, given), ask(client, {**given, "secret": secret, "user_id": 7})]
        answers += [ask(client, {**given, "code": code}) for code in ("aaa-bbbb-ccc", 7, secret)]
        signed = answers[0].json()["token"]
        answers += [init(client, signed), init(client, token(room.id, user="bob")), init(client, token("0" * 24))]
    owned = tokens.read(signed).owner
    said = [answer.content.decode() + str(answer.headers) for answer in answers] + [caplog.text]
    assert not [text for text in said if secret in text or owned in text]


def test_unknown_and_closed_codes_are_told_apart(client, room: Room):
    code = room.codes.get(role="guest")
    assert ask(client, {"code": "aaa-bbbb-ccc"}).status_code == 404
    RoomCode.objects.filter(pk=code.pk).update(enabled=False)
    assert ask(client, {"code": code.code}).status_code == 403
    RoomCode.objects.filter(pk=code.pk).update(enabled=True)
    Room.objects.filter(id=room.id).update(enabled=False)
    answer = ask(client, {"code": code.code})
    assert answer.status_code == 403
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_who_was_removed_is_told_so_by_a_code_that_is_closed_too(client, room: Room):
    code = room.codes.get(role="guest")
    given = {"code": code.code, "secret": "a secret of the browser"}
    claims = tokens.read(ask(client, given).json()["token"])
    perform_now(METHODS["join"], Caller(room.id, "p1", claims.owner, "a", "guest", conn_id="c", worker="w"), name="A")
    enter(room, "p2", "bob")
    perform_now(METHODS["peer-leave-request"], Caller(room.id, name="olga"), requested_for="p1", reason="enough")
    assert ask(client, given).status_code == 200
    RoomCode.objects.filter(pk=code.pk).update(enabled=False)
    for message in ("code: it opens the room no longer", "code: the room is closed"):
        told = {"code": 403, "message": message}
        assert ask(client, given).json() == told | {"data": {"removed": True, "reason": "enough"}}
        for other in ({}, {"secret": "a secret of another browser"}):
            assert ask(client, {"code": code.code, **other}).json() == told
        RoomCode.objects.filter(pk=code.pk).update(enabled=True)
        Room.objects.filter(id=room.id).update(enabled=False)
    perform_now(METHODS["peer-let-in"], Caller(room.id), person=Peer.objects.get(peer_id="p1").person)
    assert ask(client, given).json() == told


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        b"\xff",
        {},
        {"code": 5},
        {"code": None},
        {"code": "c", "user_id": 5},
        {"code": "c", "user_id": "x" * 129},
        '{"code":"\\u0000"}',
        '{"code":"\\ud800"}',
    ],
)
def test_i29_a_request_of_the_wrong_form_is_400(client, body: Any):
    answer = ask(client, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == 400


def test_i29_a_body_that_is_too_long_is_413(client):
    answer = ask(client, "[" * 70_000)
    assert answer.status_code == 413
    assert answer.json()["data"] == {"limit": "max_frame_bytes", "used": 70_000, "max": 65_536}


def test_an_address_that_asks_too_often_is_told_to_wait(client, room: Room, monkeypatch):
    monkeypatch.setattr(http, "_addresses", Buckets(0.001, 3))
    code = room.codes.get(role="guest").code
    assert [ask(client, {"code": code}).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


# --- Layouts ------------------------------------------------------------------------------------


def test_layouts_begin_with_the_tokens_role_and_offer_what_it_may_do(client, room: Room):
    def layouts(role: str) -> list[Any]:
        answer = client.get("/v2/layouts/ui", headers={"authorization": f"Bearer {token(room.id, role)}"})
        assert answer.status_code == 200
        assert answer.json().keys() == {"data", "limit", "last"}
        return answer.json()["data"]

    for role in ("host", "guest", "viewer"):
        found = layouts(role)
        assert found[0]["role"] == role
        assert {layout["role"] for layout in found} == {"host", "guest", "viewer"}
    chats = {
        layout["role"]: layout["screens"]["conferencing"]["default"]["elements"]["chat"] for layout in layouts("host")
    }
    assert {role: chat["allow_pinning_messages"] for role, chat in chats.items()} == {
        "host": True,
        "guest": True,
        "viewer": False,
    }


def test_layouts_of_a_room_that_is_not_there_are_refused(client):
    answer = client.get("/v2/layouts/ui", headers={"authorization": f"Bearer {token('0' * 24)}"})
    assert answer.status_code == 403
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_every_endpoint_is_asked_here():
    endpoints = [entry for entry in urlpatterns if entry.callback.__module__.startswith("rooms.api.")]
    source = Path(__file__).read_text()
    assert [entry.name for entry in endpoints if f'"/{entry.pattern}' not in source] == []


def test_an_endpoint_gets_what_its_url_captures(rf):
    @http.endpoint("GET")
    def shown(request: HttpRequest, number: int) -> dict[str, int]:
        return {"number": number}

    assert json.loads(shown(rf.get("/v2/rooms/7"), number=7).content) == {"number": 7}
