"""Who a token says you are. Tokens are JWTs, HS256, signed with the app secret."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
from django.conf import settings

from rooms.errors import Unauthorized

LEEWAY = 10
"""Seconds by which the signer's clock may differ."""

LIFETIME = 24 * 60 * 60
"""Seconds for which tokens that this server signs are good."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What an auth token grants: a role in a room. ``user_id`` falls back on the token's own id."""

    room_id: str
    user_id: str
    role: str
    expires_at: float


class _BrowserSafe(json.JSONEncoder):
    """JSON whose base64 never contains ``-`` or ``_``: published clients decode it with an alphabet that lacks them."""

    def encode(self, o: Any) -> str:
        text = super().encode(o)
        for character in "~?>\x7f":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text


def sign(room_id: str, role: str, user_id: str, *, lifetime: float = LIFETIME) -> tuple[str, int]:
    """An auth token and when it expires, in seconds since 1970."""
    now = int(time.time())
    expires_at = now + int(lifetime)
    claims = {
        "access_key": settings.ACCESS_KEY,
        "type": "app",
        "version": 2,
        "room_id": room_id,
        "user_id": user_id,
        "role": role,
        "iat": now - LEEWAY,
        "nbf": now - LEEWAY,
        "exp": expires_at,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, settings.APP_SECRET, algorithm="HS256", json_encoder=_BrowserSafe), expires_at


def read(token: str) -> Claims:
    """The claims of an auth token that is good now. Raises Unauthorized."""
    try:
        claims = jwt.decode(
            token,
            settings.APP_SECRET,
            algorithms=["HS256"],
            leeway=LEEWAY,
            options={"require": ["exp"], "verify_aud": False},
        )
    except jwt.ExpiredSignatureError:
        raise Unauthorized("token: expired") from None
    except jwt.ImmatureSignatureError:
        raise Unauthorized("token: not valid yet") from None
    except jwt.MissingRequiredClaimError as error:
        raise Unauthorized(f"token: {error.claim} is missing") from None
    except (jwt.PyJWTError, ValueError):
        raise Unauthorized("token: invalid") from None
    if claims.get("access_key") != settings.ACCESS_KEY:
        raise Unauthorized("token: access_key is not this server's")
    if claims.get("type") != "app":
        raise Unauthorized("token: type is not app")
    user_id = claims.get("user_id") or claims.get("jti")
    for name, value in {"room_id": claims.get("room_id"), "role": claims.get("role"), "user_id": user_id}.items():
        if not isinstance(value, str) or not value:
            raise Unauthorized(f"token: {name} is missing")
        if len(value) > settings.MAX_USER_ID_CHARS or "\x00" in value:
            raise Unauthorized(f"token: {name} is longer than {settings.MAX_USER_ID_CHARS} characters")
    return Claims(claims["room_id"], str(user_id), claims["role"], float(claims["exp"]))
