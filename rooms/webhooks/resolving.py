"""Names of receivers: each is looked up once at a time, so that a silent name server holds up its own names alone."""

import asyncio
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future

MOST = 64
"""Names that are looked up at once: each costs a thread, which nobody can call back."""

_lock = threading.Lock()
_under_way: dict[tuple[str, int], Future[Sequence[str]]] = {}


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses that a name has, those that the system likes most first. Raises OSError."""
    return await asyncio.wrap_future(_asked(host, port))


def _asked(host: str, port: int) -> Future[Sequence[str]]:
    with _lock:
        if under_way := _under_way.get((host, port)):
            return under_way
        if len(_under_way) >= MOST:
            raise OSError("too many names are being looked up")
        asked = _under_way[host, port] = Future()
        asked.set_running_or_notify_cancel()  # so that who gives up takes it from nobody else
    # The end of the process, and of an event loop, does not wait for a daemon.
    threading.Thread(target=_look_up, args=(asked, host, port), name="webhooks_name", daemon=True).start()
    return asked


def _look_up(asked: Future[Sequence[str]], host: str, port: int) -> None:
    found: Sequence[str] = ()
    error: Exception | None = None
    try:
        found = [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except Exception as raised:
        error = raised
    with _lock:
        del _under_way[host, port]
    if error:
        asked.set_exception(error)
    else:
        asked.set_result(found)
