"""Connections that have not sent a whole request yet: how many of one address there may be, how long, how many bytes.

Both servers ask here. What a whole request asks for is for ``api/bodies`` and ``handshakes`` to judge.
"""

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings

from rooms.access.origins import is_proxy
from rooms.wire.rates import network

MAX_HEAD = 32 * 1024
"""Bytes of a request's line and headers together."""

MAX_LINE = 8 * 1024
"""Bytes of a request's line, and of one header."""

MAX_PIPELINE = 8
"""Requests of one connection that may wait for the answers to those before."""


def max_body() -> int:
    """Bytes that the body of a request may have: a frame's, or what a form of the admin needs."""
    return max(int(settings.MAX_FRAME_BYTES), 128 * 1024)


def is_too_long(length: str | bytes) -> bool:
    """Whether a Content-Length is no number, or more than a body may have."""
    # Not int() of whatever is there: 5,000 digits are an error of their own.
    return not length.isdigit() or len(length) > 12 or int(length) > max_body()


_waiting: Counter[str] = Counter()


class Arrival:
    """A connection's next request, from when it is expected to when it has come.

    ``later`` is the event loop's way to call after so many seconds, ``refuse`` is called for a request that may not
    come, or does not.
    """

    __slots__ = ("_from", "_later", "_refuse", "_timer")

    def __init__(self, later: Callable[..., Any], refuse: Callable[[HTTPStatus], object]) -> None:
        self._later, self._refuse = later, refuse
        self._from: str | None = None
        self._timer: Any = None

    @property
    def is_due(self) -> bool:
        return self._from is not None

    def expect(self, address: str) -> None:
        name = network(address)
        if _waiting[name] >= settings.CONNECT_BURST and not is_proxy(address):
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS)
            return
        _waiting[name] += 1
        self._from = name
        self._timer = self._later(settings.HANDSHAKE_SECONDS, self._too_slow)

    def end(self) -> None:
        """The request has come, or its connection is gone."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._from is None:
            return
        _waiting[self._from] -= 1
        # Else it would grow by every address that ever came.
        if not _waiting[self._from]:
            del _waiting[self._from]
        self._from = None

    def _too_slow(self) -> None:
        self._timer = None  # what was called cannot be cancelled
        self._refuse(HTTPStatus.REQUEST_TIMEOUT)
