"""Who a token says you are. Tokens are JWTs, HS256, signed with the secret of the access key that they name.

A token has an *owner*, which decides what is somebody's own: peer ids, votes, roles that were given, being removed. It
is never told to others, and cannot be had by knowing anything that is. A back end that signs tokens vouches for its
``user_id``. Whoever comes by a room code, which others have too, chooses the ``user_id`` freely: there the owner comes
from a secret that the client keeps.
"""

import base64
import hmac
import json
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
from django.conf import settings

from rooms.access import keys
from rooms.models import OWNER_CHARS
from rooms.wire.errors import Unauthorized
from rooms.wire.json_gate import is_storable

BY_CODE = "code:"
"""How the owner of a token by code begins. A back end may have a claim of that name for purposes of its own."""

MAX_CHARS = 128
"""Of a room's id and a role's name in a token."""

LEEWAY = 10
"""Seconds by which the signer's clock may differ."""

LIFETIME = 24 * 60 * 60
"""Seconds for which tokens that this server signs are good."""

_UNKNOWN_KEY = "token: access_key is not this server's"


@dataclass(frozen=True, slots=True)
class Claims:
    """What an auth token grants: a role in a room. ``user_id``, for show, falls back on the token's own id."""

    room_id: str
    user_id: str
    role: str
    owner: str
    expires_at: float
    access_key: str


def owner_by_secret(secret: str) -> str:
    """The owner of tokens by code for the client that keeps this secret; a new one if there is none."""
    if not secret:
        return f"{BY_CODE}{secrets.token_hex(16)}"
    # Never of what the client sent as it stands: with the same key tokens are signed, and the answer shows the owner.
    return f"{BY_CODE}{hmac.digest(settings.APP_SECRET.encode(), f'owner/{secret}'.encode(), 'sha256').hex()}"


class _BrowserSafe(json.JSONEncoder):
    """JSON whose base64 never contains ``-`` or ``_``: published clients decode it with an alphabet that lacks them."""

    def encode(self, o: Any) -> str:
        text = super().encode(o)
        for character in "~?>\x7f":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text


def sign(room_id: str, role: str, user_id: str, *, owner: str = "", lifetime: float = LIFETIME) -> tuple[str, int]:
    """An auth token and when it expires, in seconds since 1970. Without owner it is its user_id's, as a back end's."""
    now = int(time.time())
    expires_at = now + int(lifetime)
    claims = {
        "access_key": settings.ACCESS_KEY,
        "type": "app",
        "version": 2,
        "room_id": room_id,
        "user_id": user_id,
        "role": role,
        # A machine that checks it may have a clock that is behind.
        "iat": now - LEEWAY,
        "nbf": now - LEEWAY,
        "exp": expires_at,
        "jti": str(uuid.uuid4()),
        **({"owner": owner} if owner else {}),
    }
    return jwt.encode(claims, settings.APP_SECRET, algorithm="HS256", json_encoder=_BrowserSafe), expires_at


def sign_management(key: keys.Key, *, lifetime: float = LIFETIME) -> str:
    """A token for the REST API: what the published server SDK makes for itself."""
    now = int(time.time())
    claims = {
        "access_key": key.access_key,
        "type": "management",
        "version": 2,
        "iat": now - LEEWAY,
        "nbf": now - LEEWAY,
        "exp": now + int(lifetime),
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, key.secret, algorithm="HS256")


def read(token: str) -> Claims:
    """The claims of an auth token that is good now. Raises Unauthorized.

    Asks the database, unless ``names_own_key``.
    """
    claims, key = _checked(token, kind="app")
    user_id = claims.get("user_id") or claims.get("jti")
    for name in ("room_id", "role"):
        _check_text(name, claims.get(name), most=MAX_CHARS)
    _check_text("user_id", user_id, most=settings.MAX_USER_ID_CHARS)
    return Claims(claims["room_id"], str(user_id), claims["role"], _owner(claims), float(claims["exp"]), key.access_key)


def read_management(token: str) -> keys.Key:
    """The access key that a management token is good for now. Raises Unauthorized."""
    return _checked(token, kind="management")[1]


def names_own_key(token: str) -> bool:
    """Whether a token names the access key of the environment, or none that could be looked for."""
    named = _named_key(token)
    return not isinstance(named, str) or keys.is_own(named)


def _named_key(token: str) -> object:
    """The access key that a token names, which is yet to be checked; of one that cannot be read None."""
    try:
        # Not by the library, which looks at each character; it does so when the token is checked.
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    except (IndexError, ValueError, RecursionError):
        return None
    return claims.get("access_key") if isinstance(claims, dict) else None


def _checked(token: str, *, kind: str) -> tuple[dict[str, Any], keys.Key]:
    """The claims of a token of this type that is good now, and the key that signed it. Raises Unauthorized."""
    named = _named_key(token)
    # One that names nothing is told below what is wrong with it.
    key = keys.own() if named is None else keys.find(named)
    if key is None:
        raise Unauthorized(_UNKNOWN_KEY)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.secret,
            # Named here, for a token that chose its algorithm could choose none.
            algorithms=["HS256"],
            leeway=LEEWAY,
            # ``iat`` says when, by a clock that is not ours, and not from when on.
            options={"require": ["exp"], "verify_aud": False, "verify_iat": False},
        )
        float(claims["exp"])
    except jwt.ExpiredSignatureError:
        raise Unauthorized("token: expired") from None
    except jwt.ImmatureSignatureError:
        raise Unauthorized("token: not valid yet") from None
    except jwt.MissingRequiredClaimError as error:
        raise Unauthorized(f"token: {error.claim} is missing") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        # Of times that are no numbers, or beyond all numbers, the library says nothing itself.
        raise Unauthorized("token: invalid") from None
    if claims.get("access_key") != key.access_key:
        raise Unauthorized(_UNKNOWN_KEY)
    if claims.get("type") != kind:
        raise Unauthorized(f"token: type is not {kind}")
    keys.note_use(key)
    return claims, key


def _owner(claims: dict[str, Any]) -> str:
    # Spaces of their own: no user id can be another token's id, or an owner by code.
    given = claims.get("owner")
    if isinstance(given, str) and given.startswith(BY_CODE):
        _check_text("owner", given, most=OWNER_CHARS)
        return given
    return f"user:{claims['user_id']}" if claims.get("user_id") else f"jti:{claims['jti']}"


def _check_text(name: str, value: object, *, most: int) -> None:
    if not isinstance(value, str) or not value:
        raise Unauthorized(f"token: {name} is missing")
    if len(value) > most or not is_storable(value):
        raise Unauthorized(f"token: {name} is longer than {most} characters, or holds NUL")
