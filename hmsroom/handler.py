"""Django's application for HTTP, with all of a request in one thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, cast

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from rooms.api.health import Probes
from rooms.observe.background import release_connection

_THREADS = ThreadPoolExecutor(32, thread_name_prefix="http")
_PROBES = ThreadPoolExecutor(4, thread_name_prefix="probes")
"""Whoever looks after the server is answered also while every other thread waits for the database."""


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
        threads = _PROBES if scope["path"] in Probes.VIEWS else _THREADS
        in_thread: Callable[..., Any] = sync_to_async(self._answer, thread_sensitive=False, executor=threads)
        response = await in_thread(scope, body)
        try:
            await self.send_response(response, send)
        finally:
            if response.streaming:
                await sync_to_async(response.close, thread_sensitive=False, executor=threads)()

    def _answer(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        try:
            set_script_prefix(get_script_prefix(scope))
            signals.request_started.send(sender=type(self), scope=scope)
            request, refusal = self.create_request(scope, body)
            response: HttpResponseBase = refusal or self.get_response(cast("HttpRequest", request))
            response._handler_class = type(self)  # type: ignore[attr-defined]
            if isinstance(response, FileResponse):
                response.block_size = self.chunk_size
            if not response.streaming:
                response.close()
            return response
        finally:
            body.close()
            release_connection()
