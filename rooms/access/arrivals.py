"""Connections that have not sent a whole request yet: how many of one address there may be, and of how many bytes.

Both servers ask here. What a whole request asks for is for ``api/bodies`` and ``handshakes`` to judge.
"""

from collections import Counter

from django.conf import settings

from rooms.access.origins import is_proxy
from rooms.wire.rates import network

MAX_HEAD = 32 * 1024
"""Bytes of a request's line and headers together."""

MAX_LINE = 8 * 1024
"""Bytes of a request's line, and of one header."""


def max_body() -> int:
    """Bytes that the body of a request may have: a frame's, or what a form of the admin needs."""
    return max(int(settings.MAX_FRAME_BYTES), 128 * 1024)


def is_too_long(length: str | bytes) -> bool:
    """Whether a Content-Length is no number, or more than a body may have."""
    # Not int() of whatever is there: 5,000 digits are an error of their own.
    return not length.isdigit() or len(length) > 12 or int(length) > max_body()


_waiting: Counter[str] = Counter()


def enter(address: str) -> str | None:
    """Note a connection that is to send a request; a name for ``leave``, or None if its address has too many."""
    name = network(address)
    if _waiting[name] >= settings.CONNECT_BURST and not is_proxy(address):
        return None
    _waiting[name] += 1
    return name


def leave(name: str) -> None:
    """Note that a connection has sent its request, or is gone."""
    _waiting[name] -= 1
    # Else it would grow by every address that ever came.
    if not _waiting[name]:
        del _waiting[name]
