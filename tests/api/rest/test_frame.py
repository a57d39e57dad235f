"""What all resources share: tokens, rates, and errors whose message is always text."""

import time
from ipaddress import ip_network

import jwt
import pytest

from rooms.access import keys, tokens
from rooms.api import http
from rooms.api.rest import frame
from rooms.models import AccessKey
from rooms.wire.rates import Buckets
from tests.api.rest.conftest import BackEnd

NOBODY = keys.Key("nobody", "nobody's", "a secret that is long enough to sign with")


def signed(key: keys.Key, **changes: object) -> str:
    now = int(time.time())
    claims = {"access_key": key.access_key, "type": "management", "version": 2, "iat": now, "nbf": now, "exp": now + 60}
    claims |= changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key.secret, "HS256")


def test_a_management_token_of_any_good_key_opens_the_api(rest, client):
    row, secret = keys.create("billing")
    other = BackEnd(client, keys.Key("billing", row.access_key, secret))

    assert rest("GET", "/rooms")[0] == other("GET", "/rooms")[0] == 200
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_a_revoked_key_opens_nothing_from_its_next_use_on(rest, client):
    row, secret = keys.create("billing")
    other = BackEnd(client, keys.Key("billing", row.access_key, secret))
    assert other("GET", "/rooms")[0] == 200

    keys.revoke(row)

    status, answer = other("GET", "/rooms")
    assert (status, answer["message"]) == (401, "token: access_key is not this server's")


def test_a_secret_is_stored_sealed_and_read_by_no_other_secret_key(rest, settings, caplog):
    row, secret = keys.create("billing")
    assert secret not in row.secret

    before = settings.SECRET_KEY
    settings.SECRET_KEY = "another key that is long enough to sign with"
    assert keys.find(row.access_key) is None
    assert "an access key cannot be used" in caplog.text and secret not in caplog.text
    settings.SECRET_KEY_FALLBACKS = [before]
    assert keys.find(row.access_key) == keys.Key("billing", row.access_key, secret)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exp": int(time.time()) - 20}, "token: expired"),
        ({"type": "app"}, "token: type is not management"),
        ({"access_key": "nobody"}, "token: access_key is not this server's"),
        ({"access_key": 5}, "token: access_key is not this server's"),
        ({"access_key": "a\0b"}, "token: access_key is not this server's"),
        ({"exp": None}, "token: exp is missing"),
    ],
)
def test_a_token_that_is_not_good_is_refused_with_its_reason(rest, changes, message):
    rest.token = signed(keys.own(), **changes)
    assert rest("GET", "/rooms") == (401, {"code": 401, "message": message, "details": [message]})


def test_a_token_for_a_room_is_none_for_the_api_and_the_other_way_round(rest, client):
    _, room = rest("POST", "/rooms", {"name": "tea"})
    management, rest.token = rest.token, tokens.sign(room["id"], "host", "alice")[0]
    assert rest("GET", "/rooms")[1]["message"] == "token: type is not management"
    answer = client.get("/init", headers={"authorization": f"Bearer {management}"})
    assert (answer.status_code, answer.json()["message"]) == (401, "token: type is not app")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/rooms/nothing", None, 404, "room: no such room"),
        ("GET", "/nothing", None, 404, "no such resource"),
        ("DELETE", "/rooms", None, 405, "method: not one of this resource"),
        ("POST", "/rooms", "[]", 400, "body: expected a JSON object"),
        ("POST", "/rooms", "{", 400, "JSON: "),
        ("POST", "/rooms", '{"name": "\\u0000"}', 400, "name: the character NUL cannot be stored"),
        ("POST", "/polls", '{"questions": [{"text": "a\\ud800"}]}', 400, "questions[0].text: a lone surrogate cannot"),
        ("POST", "/rooms", '{"a\\u0000": 1}', 400, "JSON: the character NUL cannot be stored"),
        ("POST", "/rooms", {"region": "mars"}, 400, "region: expected one of 'auto', 'eu', 'in' or 'us'"),
        ("POST", "/rooms", {"name": 5}, 400, "name: expected a string"),
        ("POST", "/rooms", {"polls": [5]}, 400, "polls[0]: expected a string"),
        ("POST", "/rooms", {"size": 1.5}, 400, "size: expected a whole number"),
        ("POST", "/rooms", {"size": -1}, 400, "size: expected 0 at least"),
        ("POST", "/room-codes/code", {"code": "abc"}, 400, "enabled: missing"),
        ("POST", "/polls", {"mode": "x"}, 400, "mode: expected one of 'userid', 'peerid' or 'username'"),
        ("POST", "/rooms", {"name": "a b"}, 400, "name: "),
        ("GET", "/rooms?limit=101", None, 400, "limit: "),
        ("GET", "/rooms?limit=a", None, 400, "limit: "),
        ("GET", "/rooms?name=%00", None, 400, "query: not text"),
        ("GET", "/rooms?name=%ff", None, 400, "query: not text"),
        ("GET", "/rooms/%EF%BF%BD", None, 404, "room: no such room"),
        ("GET", "/rooms?" + "a=1&" * 1500, None, 400, "query: more than 1000 fields"),
    ],
)
def test_whatever_is_wrong_is_told_as_text(rest, method, path, body, status, message):
    code, answer = rest(method, path, body)
    assert (code, answer["code"]) == (status, status)
    assert answer["message"].startswith(message)
    assert answer["details"] and all(isinstance(detail, str) for detail in answer["details"])


def test_whoever_brings_no_good_token_is_told_what_is_asked_for(rest, client):
    assert client.get("/v2/rooms")["WWW-Authenticate"] == "Bearer"
    rest.token = "nobody's"
    assert rest.ask("GET", "/rooms")["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/rooms", {"name": "tea", "enabled": None, "polls": None}), ("/polls", {"title": None, "questions": None})],
)
def test_what_may_be_left_out_may_be_null(rest, path, body):
    assert rest("POST", path, body)[0] == 200


def test_a_room_needs_no_body(rest):
    assert rest("POST", "/rooms")[0] == 200


def test_a_key_that_asks_too_fast_is_told_how_long_to_wait(rest, client, monkeypatch):
    monkeypatch.setattr(frame, "_rates", Buckets(1, 2))
    other = BackEnd(client, keys.Key(*_pair(keys.create("billing"))))
    assert [rest("GET", "/rooms")[0] for _ in range(3)] == [200, 200, 429]
    assert rest.ask("GET", "/rooms")["Retry-After"] == "1"
    assert other("GET", "/rooms")[0] == 200


def test_every_answer_to_a_good_token_tells_what_is_left_of_its_rate(rest, monkeypatch, settings):
    settings.REST_RATE, settings.REST_BURST = 1, 2
    monkeypatch.setattr(frame, "_rates", Buckets(1, 2))

    answers = [rest.ask("GET", path) for path in ("/rooms", "/rooms/nothing", "/rooms")]

    assert [(answer.status_code, answer["RateLimit"]) for answer in answers] == [
        (200, '"key";r=1;t=1'),
        (404, '"key";r=0;t=2'),
        (429, '"key";r=0;t=2'),
    ]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"key";q=2;w=2'}
    rest.token = "nobody's"
    assert "RateLimit" not in rest.ask("GET", "/rooms")


def test_strangers_are_refused_before_the_database_is_asked_once_many_of_an_address_were(
    rest, client, monkeypatch, settings, django_assert_num_queries
):
    monkeypatch.setattr(http, "_addresses", Buckets(1, 2))
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    row, secret = keys.create("billing")
    known = {"x_forwarded_for": "192.0.2.2"}
    of_a_row, rest.token = BackEnd(client, keys.Key("billing", row.access_key, secret)), signed(NOBODY)

    assert [rest("GET", "/rooms")[0] for _ in range(2)] == [401, 401]
    with django_assert_num_queries(0):
        answer = rest.ask("GET", "/rooms")
        assert (answer.status_code, answer["Retry-After"]) == (429, "1")
        assert client.get("/v2/rooms").status_code == client.get("/init").status_code == 429
        assert of_a_row("GET", "/rooms")[0] == 429
    rest.token = signed(keys.own())
    assert rest("GET", "/rooms")[0] == of_a_row("GET", "/rooms", **known)[0] == 200


def test_the_description_of_the_api_is_for_anybody_as_often_as_one_address_may_ask(client, db, monkeypatch):
    monkeypatch.setattr(http, "_addresses", Buckets(0.001, 2))
    answers = [client.get(path) for path in ("/v2/docs", "/v2/openapi.json", "/v2/openapi.json", "/v2/docs")]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[1].json()["paths"] and int(answers[2]["Retry-After"]) > 900


def test_whatever_can_be_read_is_asked_for_by_head_too(rest, client):
    _, room = rest("POST", "/rooms", {"name": "tea"})
    for path in ("/rooms", f"/rooms/{room['id']}", "/rooms/nothing"):
        told, asked = rest.ask("GET", path), rest.ask("HEAD", path)
        assert (asked.status_code, asked.content) == (told.status_code, b"")
        assert asked["Content-Type"] == told["Content-Type"]
    assert rest.ask("HEAD", "/room-codes/code").status_code == 405
    assert client.head("/init").status_code == 401


def _pair(made: tuple[AccessKey, str]) -> tuple[str, str, str]:
    return made[0].name, made[0].access_key, made[1]
