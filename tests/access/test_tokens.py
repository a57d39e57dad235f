"""What a token grants, and what is refused."""

import base64
import io
import json
import logging
import time
from typing import Any

import jwt
import pytest

from rooms.access import tokens
from rooms.observe.logs import HideTokens, LineFormatter, hide_tokens
from rooms.wire.errors import Unauthorized

ROOM = "a" * 24


def signed(settings: Any, *, secret: str = "", algorithm: str = "HS256", **changes: Any) -> str:
    """A token like the server's, but for these claims; None leaves one out."""
    now = int(time.time())
    claims = {
        "access_key": settings.ACCESS_KEY,
        "type": "app",
        "version": 2,
        "room_id": ROOM,
        "user_id": "alice",
        "role": "host",
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": "the-token",
    }
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(claims, secret or settings.APP_SECRET, algorithm=algorithm)


def test_a_token_of_this_server_can_be_read(settings):
    token, expires_at = tokens.sign(ROOM, "host", "alice")
    assert tokens.read(token) == tokens.Claims(
        ROOM, "alice", "host", "user:alice", float(expires_at), settings.ACCESS_KEY
    )
    assert expires_at - time.time() == pytest.approx(24 * 3600, abs=5)


def test_a_token_without_a_user_is_owned_by_its_own_id(settings):
    claims = tokens.read(signed(settings, user_id=None))
    assert (claims.user_id, claims.owner) == ("the-token", "jti:the-token")


# --- Owners -------------------------------------------------------------------------------------


def test_no_secret_makes_the_server_sign_what_a_client_wrote(settings):
    """The owner, which a client can read in its token, is made with the key that tokens are signed with."""
    *text, signature = signed(settings).split(".")
    owner = bytes.fromhex(tokens.owner_by_secret(".".join(text)).removeprefix(tokens.BY_CODE))
    assert base64.urlsafe_b64encode(owner).decode().rstrip("=") != signature


def test_the_spaces_of_owners_do_not_meet(settings):
    """A user id may look like anything, also like the owner of a token of another kind."""
    by_code = tokens.owner_by_secret("a secret of the client")
    assert by_code.startswith("code:")
    for user_id in (by_code, "jti:the-token", "user:alice", "the-token", by_code.removeprefix("code:")):
        assert tokens.read(signed(settings, user_id=user_id)).owner == f"user:{user_id}"
    for jti in ("alice", "user:alice", by_code):
        assert tokens.read(signed(settings, user_id=None, jti=jti)).owner == f"jti:{jti}"


@pytest.mark.parametrize(
    "given", ["alice", "user:bob", "jti:x", "", 7, ["code:x"], {"code:": 1}, None, True, " code:x", "Code:x"]
)
def test_a_claim_of_a_back_end_that_happens_to_be_called_owner_is_ignored(settings, given: Any):
    assert tokens.read(signed(settings, owner=given)).owner == "user:alice"


def test_one_secret_is_one_owner_and_tells_nothing_of_itself():
    secret = "a secret of the client"
    owner = tokens.owner_by_secret(secret)
    assert owner == tokens.owner_by_secret(secret) != tokens.owner_by_secret(secret + "!")
    assert secret not in owner
    assert len({tokens.owner_by_secret("") for _ in range(3)}) == 3
    token, _ = tokens.sign(ROOM, "guest", "alice", owner=owner)
    assert tokens.read(token).owner == owner


@pytest.mark.parametrize("owner", ["code:" + "x" * 136, "code:\x00", "code:\ud800"])
def test_an_owner_that_cannot_be_stored_is_refused(settings, owner: str):
    with pytest.raises(Unauthorized):
        tokens.read(signed(settings, owner=owner))


# --- What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [-5, 5])
def test_clocks_may_differ_a_little(settings, skew: int):
    now = int(time.time()) + skew
    assert tokens.read(signed(settings, iat=now, nbf=now, exp=now + 1)).role == "host"


@pytest.mark.parametrize("iat", [4_000_000_000, "x", None])
def test_when_a_token_was_made_does_not_count(settings, iat: Any):
    assert tokens.read(signed(settings, iat=iat)).role == "host"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"secret": "another secret that is long enough for HS256"}, "token: invalid"),
        ({"algorithm": "HS384"}, "token: invalid"),
        ({"exp": int(time.time()) - 60}, "token: expired"),
        ({"exp": None}, "token: exp is missing"),
        ({"exp": "soon"}, "token: invalid"),
        ({"exp": float("inf")}, "token: invalid"),
        ({"nbf": int(time.time()) + 24 * 3600}, "token: not valid yet"),
        ({"access_key": "another"}, "token: access_key is not this server's"),
        ({"access_key": None}, "token: access_key is not this server's"),
        ({"type": "management"}, "token: type is not app"),
        ({"room_id": None}, "token: room_id is missing"),
        ({"room_id": 5}, "token: room_id is missing"),
        ({"role": ""}, "token: role is missing"),
        ({"user_id": None, "jti": None}, "token: user_id is missing"),
        ({"user_id": ["alice"]}, "token: user_id is missing"),
        ({"user_id": "x" * 129}, "token: user_id is longer than 128 characters, or holds NUL"),
        ({"user_id": "\x00"}, None),
    ],
)
def test_i32_whatever_is_wrong_with_a_token_is_refused(settings, changes: dict[str, Any], message: str | None):
    with pytest.raises(Unauthorized) as error:
        tokens.read(signed(settings, **changes))
    if message:
        assert error.value.message == message


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "....", "\x00", "é.é.é", "a" * 100_000])
def test_what_is_no_token_is_refused(token: str):
    with pytest.raises(Unauthorized):
        tokens.read(token)


def test_an_unsigned_token_is_refused(settings):
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    payload = signed(settings).split(".")[1]
    for signature in ("", signed(settings).split(".")[2]):
        with pytest.raises(Unauthorized):
            tokens.read(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize("user", ["~~~", "???", ">>>", "\x7f\x7f", "Zoë?>~ÿ", "用户"])
def test_published_clients_can_decode_the_payload(user: str):
    token, _ = tokens.sign(ROOM, "host", user)
    payload = token.split(".")[1]

    assert not set(payload) & set("-_")
    assert json.loads(base64.b64decode(payload + "=="))["user_id"] == user


def test_i32_no_log_line_holds_a_token(settings):
    token = signed(settings)
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(LineFormatter())
    handler.addFilter(HideTokens())
    log = logging.getLogger("test of tokens")
    log.addHandler(handler)
    try:
        log.warning("GET /v2/ws?peer=p&token=%s&x=1", token)
        log.warning("Authorization: Bearer %s", token)
        log.warning({"token": token})
        log.warning("refused", extra={"context": {"why": f"token {token}"}})
        try:
            raise ValueError(f"bad token {token}")
        except ValueError:
            log.exception("failed")
    finally:
        log.removeHandler(handler)

    assert token not in lines.getvalue()
    assert token.split(".")[1] not in lines.getvalue()
    assert lines.getvalue().count("[token]") == 5
    assert "peer=p" in lines.getvalue()


def test_text_without_tokens_stays_as_it_is():
    assert hide_tokens("a room is full room=5 peer=token-lover") == "a room is full room=5 peer=token-lover"
