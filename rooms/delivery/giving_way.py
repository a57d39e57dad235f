"""Work beside the event loop and the writer, which gives way to them."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SHORT = 0.0005
"""Seconds after which another thread has its turn while such work is done."""

_usual = sys.getswitchinterval()
_lock = threading.Lock()
_at_work = 0


@contextmanager
def giving_way() -> Iterator[None]:
    """For the block, threads take short turns.

    By default a turn is 5 ms, which the loop and the writer would wait each time that they come back from the database
    or a socket: ten times for one message. Always short, turns between these two would cost a tenth of what they do.
    """
    with _lock:
        _change(1)
    try:
        yield
    finally:
        with _lock:
            _change(-1)


def _change(by: int) -> None:
    global _at_work
    _at_work += by
    sys.setswitchinterval(_SHORT if _at_work else _usual)
