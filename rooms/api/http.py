"""What the endpoints share: who asks, from where, and answers that pages of other origins can read."""

import logging
import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from rooms.access import origins, tokens
from rooms.access.unheard import is_api_path
from rooms.observe.logs import describe
from rooms.wire import json_gate
from rooms.wire.errors import (
    BadRequest,
    Forbidden,
    InternalError,
    RoomError,
    TooFast,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from rooms.wire.json_gate import JSON
from rooms.wire.rates import Buckets, network

log = logging.getLogger("rooms.api")

View = Callable[..., dict[str, Any]]

_addresses = Buckets(settings.TOKEN_RATE, settings.TOKEN_BURST)


def endpoint(*methods: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """Make a function that returns a JSON object, or raises RoomError, a view for pages of every allowed origin.

    It gets the request, and what the URL's pattern captures by name.

    No cookies are used: the token or the code in the request is what counts, so there is no CSRF to guard against.
    """

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @wraps(view)
        @csrf_exempt
        def answer(request: HttpRequest, **captured: Any) -> HttpResponse:
            if request.method == "OPTIONS":
                response = HttpResponse(status=204)
                response["Access-Control-Allow-Methods"] = ", ".join([*methods, "OPTIONS"])
                response["Access-Control-Allow-Headers"] = "authorization, content-type"
                response["Access-Control-Max-Age"] = "600"
            else:
                response = _run(view, methods, request, captured)
            # Refusals too: without the header a page cannot tell them from a server that is down, and tries forever.
            response["Access-Control-Allow-Origin"] = "*"
            response["Cache-Control"] = "no-store"
            return response

        return answer

    return decorate


def _run(view: View, methods: tuple[str, ...], request: HttpRequest, captured: dict[str, Any]) -> HttpResponse:
    try:
        if request.method not in methods:
            return JsonResponse({"code": 405, "message": f"method: expected {' or '.join(methods)}"}, status=405)
        origin = request.headers.get("Origin")
        if origin is not None and not origins.is_allowed(origin, own_origin(request)):
            raise Forbidden(f"origin: {origin[:200]} is not in ALLOWED_ORIGINS")
        return JsonResponse(view(request, **captured))
    except RoomError as error:
        refused = counted(request, error)
    except (OperationalError, InterfaceError) as error:
        log.error("the database cannot be used", extra={"context": {"why": describe(error)}})
        refused = Unavailable()
    # Django's own page for bugs has no CORS header, and no JSON for clients.
    except Exception:
        log.exception("an endpoint failed", extra={"context": {"path": request.path}})
        refused = InternalError()
    return with_wait(JsonResponse(refused.as_wire(), status=refused.code), refused)


def with_wait(response: HttpResponse, error: RoomError) -> HttpResponse:
    """The answer that tells an error, with the seconds after which the same may be asked again."""
    if isinstance(error, TooFast):
        response["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return response


def is_api(request: HttpRequest) -> bool:
    """Whether clients ask, which read JSON, and not people."""
    return is_api_path(request.path)


def refusal(error: RoomError) -> HttpResponse:
    """The answer to a request that reaches no endpoint."""
    response = JsonResponse({**error.as_wire(), "details": [error.message]}, status=error.code)
    response["Access-Control-Allow-Origin"] = "*"
    return response


def own_origin(request: HttpRequest) -> str:
    """This server's origin as the client sees it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return origins.own_origin(headers, secure=request.is_secure(), peer=request.META.get("REMOTE_ADDR", ""))


def limit_address(request: HttpRequest) -> None:
    """Count a request against the rate of its address. Raises TooFast."""
    address = _address(request)
    if not _addresses.take(address):
        raise _too_fast(address)


def counted(request: HttpRequest, error: RoomError) -> RoomError:
    """What a refusal is told as: one of a token counts against the rate of its address, beyond which that is told."""
    if isinstance(error, Unauthorized):
        try:
            limit_address(request)
        except TooFast as too_fast:
            return too_fast
    return error


def _address(request: HttpRequest) -> str:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return network(origins.client_address(headers, request.META.get("REMOTE_ADDR", "")))


def _too_fast(address: str) -> TooFast:
    return TooFast(f"at most {settings.TOKEN_RATE:g} requests a second", retry_after=_addresses.wait(address))


def bearer(request: HttpRequest) -> str:
    """The token of the Authorization header, if it is ``admitted``. Raises Unauthorized, and TooFast as that does."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("token: no Authorization: Bearer")
    return admitted(request, token.strip())


def admitted(request: HttpRequest, token: str) -> str:
    """A token that may be looked at. Raises TooFast; of another key the database is asked, by strangers only so often.

    Whoever asks it about tokens calls ``counted`` with what is wrong with them.
    """
    if not tokens.names_own_key(token) and _addresses.wait(address := _address(request)):
        raise _too_fast(address)
    return token


def body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body, whatever content type it claims. Raises BadRequest or TooLarge."""
    value = json_value(request)
    if not isinstance(value, dict):
        raise BadRequest("body: expected a JSON object")
    return value


def json_value(request: HttpRequest) -> JSON:
    """The JSON value that is the body, whatever content type it claims. Raises BadRequest or TooLarge."""
    # The server lets longer ones through, for forms of the admin.
    size, most = len(request.body), settings.MAX_FRAME_BYTES
    if size > most:
        raise TooLarge(f"body: longer than {most} bytes", limit="max_frame_bytes", used=size, most=most)
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        raise BadRequest("body: not UTF-8") from None
    return json_gate.load_json(text)
