"""Answers that a client does not read: servers would keep them, and the connection, for as long as it likes."""

import asyncio
from collections.abc import Callable

from django.conf import settings


class Unread:
    """Cuts a connection of which nothing is taken for MAX_UNSENT_SECONDS. ``unsent`` are the bytes that wait there."""

    def __init__(self, unsent: Callable[[], int], cut: Callable[[], object]) -> None:
        self._unsent, self._cut = unsent, cut
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Look whether what waits now is taken."""
        if self._timer is None:
            self._left = self._unsent()
            self._timer = asyncio.get_running_loop().call_later(settings.MAX_UNSENT_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        left = self._unsent()
        if left and left == self._left:
            self._cut()
        elif left:
            self.watch()  # more or less than before: another answer came, or a slow client reads

    def end(self) -> None:
        """All was taken, or the connection is gone."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
