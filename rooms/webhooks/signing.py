"""How a webhook is signed, in the manner of Standard Webhooks. Pure. https://www.standardwebhooks.com"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

_PREFIX = "whsec_"


def new_secret() -> str:
    """A secret of 256 random bits."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The key that a secret stands for. Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("expected whsec_ and 24 to 64 bytes in base64")
    return key


def headers(secret_texts: Sequence[str], event_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that say what is sent, when (seconds since 1970), and by whom; one signature for each secret."""
    signed = f"{event_id}.{at}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(key_of(text), signed, hashlib.sha256)).decode() for text in secret_texts
    ]
    return {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}
