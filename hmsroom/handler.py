"""Django's application for HTTP, with all of a request in one thread."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from rooms.api.health import Probes
from rooms.observe.background import release_connection

_THREADS = ThreadPoolExecutor(32, thread_name_prefix="http")
_PROBES = ThreadPoolExecutor(4, thread_name_prefix="probes")
"""Whoever looks after the server is answered also while every other thread waits for the database."""


class Handler(ASGIHandler):
    """Runs middleware and view in a thread that stays, with its connection to the database.

    Django's own goes to a thread and back for most of the middleware, and begins a new thread for each request, which
    opens the database anew. No view of ours is asynchronous.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await self.handle(scope, receive, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        threads = _PROBES if request.path in Probes.VIEWS else _THREADS
        return await sync_to_async(self._answer, thread_sensitive=False, executor=threads)(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self.get_response(request)
        finally:
            release_connection()
