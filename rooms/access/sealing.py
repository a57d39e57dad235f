"""Secrets that the server has to know again: kept in the database encrypted, with a key derived from SECRET_KEY.

Whoever has a copy of the database alone learns none of them. With another SECRET_KEY they are lost, unless the former
one is among SECRET_KEY_FALLBACKS.
"""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


class Unreadable(Exception):
    """What was sealed cannot be read with the SECRET_KEY of now."""


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text that was sealed. Raises Unreadable."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable("sealed with another SECRET_KEY") from None


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hmac.digest(force_bytes(key), b"rooms.access.sealing", "sha256") for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
