"""Django's application for HTTP, with all of a request in one thread."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import IO, Any, cast

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import close_old_connections
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from rooms.api.health import Probes
from rooms.observe.background import release_connection

# _answer releases them: this would close SQLite's, which are slow to open.
signals.request_started.disconnect(close_old_connections)
signals.request_finished.disconnect(close_old_connections)

# Apart, for those of one kind may all wait for the database, or for the lock of a room.
_ALIVE = ThreadPoolExecutor(1, thread_name_prefix="alive")
_PROBES = ThreadPoolExecutor(4, thread_name_prefix="probes")
_BACK_ENDS = ThreadPoolExecutor(32, thread_name_prefix="back-ends")
_CLIENTS = ThreadPoolExecutor(32, thread_name_prefix="clients")

MAX_READ = 128 * 1024
"""Bytes of a file that are read at once; all of the pages' are shorter."""


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _threads(path: str) -> Executor:
    if path == "/healthz":
        return _ALIVE
    if path in Probes.VIEWS:
        return _PROBES
    return _BACK_ENDS if path.startswith("/v2/") and path != "/v2/token" else _CLIENTS


class Handler(ASGIHandler):
    """Goes to a thread once for a request: for signals, middleware and view, none of which is asynchronous.

    The thread stays, with its connection to the database. Django's own goes to a thread for each signal and for most of
    the middleware, and has a new one for each request, which opens the database anew.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        threads = _threads(scope["path"])
        answering = threads.submit(contextvars.copy_context().run, self._answer, scope, body)
        # Whose client is gone before it has begun is not answered: it has asked again.
        gone = asyncio.ensure_future(receive())
        gone.add_done_callback(lambda _: answering.cancel())
        try:
            response = await asyncio.wrap_future(answering)
        except asyncio.CancelledError:
            if answering.cancelled():
                body.close()
            if gone.done():
                return
            raise
        finally:
            gone.cancel()
        try:
            await self.send_response(response, send)
        finally:
            if response.streaming:
                await asyncio.get_running_loop().run_in_executor(threads, response.close)

    def _answer(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        try:
            set_script_prefix(get_script_prefix(scope))
            signals.request_started.send(sender=type(self), scope=scope)
            request, refusal = self.create_request(scope, body)
            response: HttpResponseBase = refusal or self.get_response(cast("HttpRequest", request))
            response._handler_class = type(self)  # type: ignore[attr-defined]
            if isinstance(response, FileResponse):
                response.block_size = self.chunk_size
                if int(response.headers.get("Content-Length") or MAX_READ + 1) <= MAX_READ:
                    # Else one thread reads for all clients, each waiting for those before.
                    response.streaming_content = _once(b"".join(cast("Iterator[bytes]", response.streaming_content)))
            if not response.streaming:
                response.close()
            return response
        finally:
            body.close()
            release_connection()
