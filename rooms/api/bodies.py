"""What an HTTP request must satisfy before a view hears of it: the length of its body, and text that can be kept."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import BadRequest as BadForm
from django.core.exceptions import SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError

from rooms import views
from rooms.access import unheard
from rooms.access.arrivals import is_too_long, max_body
from rooms.api.http import is_api, refusal
from rooms.wire.errors import BadRequest
from rooms.wire.json_gate import is_storable

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class Bodies:
    """ASGI middleware: reads a request's body before the application runs, and refuses it by its length.

    By what was declared if possible, else by what has come; and if it has not come whole in HANDSHAKE_SECONDS.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if is_too_long(length):
            await _answer(scope, send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        if length == b"0" and b"transfer-encoding" not in headers:
            await self._application(scope, receive, send)
            return
        try:
            async with asyncio.timeout(settings.HANDSHAKE_SECONDS):
                body = await _body(receive)
        except TimeoutError:
            await _answer(scope, send, HTTPStatus.REQUEST_TIMEOUT)
            return
        if body is None:
            await _answer(scope, send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            await self._application(scope, _replay(body, receive), send)


async def _body(receive: Receive) -> bytes | None:
    """The body; None if it is too long, or its client is gone."""
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size > max_body():
            return None
        pieces.append(piece)
        more = message.get("more_body", False)
    return b"".join(pieces)


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replay() -> dict[str, Any]:
        nonlocal told
        # What the server has to say after the body, above all that the client is gone.
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _answer(scope: dict[str, Any], send: Send, status: HTTPStatus) -> None:
    headers, body = unheard.refusal(status, scope["path"])
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Texts:
    """Django middleware: refuses text that no database could keep, wherever in the request it stands.

    Views and the admin then never meet it: PostgreSQL fails on a NUL where SQLite does not.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            where = _unstorable(request)
            problem = f"{where}: not text that can be read and stored" if where else ""
        except TooManyFieldsSent:
            problem = f"query: more than {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} fields"
        except (SuspiciousOperation, BadForm, MultiPartParserError, TooManyFilesSent):
            problem = "form: cannot be read"
        if not problem:
            return self.get_response(request)
        # The API looks at no forms, and people need not know.
        return refusal(BadRequest(problem)) if is_api(request) else views.bad_request(request)


def _unstorable(request: HttpRequest) -> str:
    """Which part of a request holds text that cannot be read or stored, or nothing."""
    # As bytes, for servers and Django put another character in the place of what is no text.
    sent = {"path": getattr(request, "scope", {}).get("raw_path", b""), "query": request.META["QUERY_STRING"]}
    if broken := next((name for name, text in sent.items() if not _is_utf_8(unquote_to_bytes(text))), ""):
        return broken
    request.encoding = "utf-8"  # not what the client says: it may name any codec of Python's
    parts: dict[str, Iterable[str]] = {
        "path": [request.path],
        "query": _texts(request.GET),
        "cookie": [text for pair in request.COOKIES.items() for text in pair],
    }
    if request.method == "POST" and not is_api(request):
        request.body  # noqa: B018, read before a form is made of it, so that it can be read again
        parts["form"] = _texts(request.POST)
    return next((name for name, texts in parts.items() if not all(map(is_storable, texts))), "")


def _is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _texts(fields: QueryDict) -> Iterator[str]:
    for name, values in fields.lists():
        yield name
        yield from map(str, values)
