"""Answers to requests that no view hears of: too long, too slow, too many at once, or none that can be read.

Both servers, and what stands before the views, say it in the same words: clients of the API read JSON, people a line.
"""

from http import HTTPStatus

from django.conf import settings

from rooms.access.arrivals import MAX_HEAD, MAX_LINE, MAX_PIPELINE, max_body
from rooms.wire.events import compact

Headers = list[tuple[bytes, bytes]]


def is_api_path(path: str) -> bool:
    """Whether clients ask there, which read JSON, and not people."""
    return path == "/init" or path.startswith("/v2/")


def refusal(status: HTTPStatus, path: str) -> tuple[Headers, bytes]:
    """The headers and the body that tell why; ``path`` may have a query."""
    is_api = is_api_path(path.partition("?")[0])
    reason = _reason(status, most=settings.MAX_FRAME_BYTES if is_api else max_body())
    body, kind = f"{reason}\n".encode(), b"text/plain"
    if is_api:
        body, kind = compact({"code": status, "message": reason, "details": [reason]}).encode(), b"application/json"
    length = str(len(body)).encode()
    # Else a page of another origin cannot tell it from a server that is down.
    cors = (b"access-control-allow-origin", b"*")
    wait = [(b"retry-after", b"1")] if status == HTTPStatus.TOO_MANY_REQUESTS else []
    return [(b"content-type", kind), (b"content-length", length), (b"connection", b"close"), cors, *wait], body


def answer(status: HTTPStatus, path: bytes) -> bytes:
    """The whole answer as it is sent."""
    headers, body = refusal(status, path.decode("latin-1"))
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, status.phrase.encode(), lines, body)


def _reason(status: HTTPStatus, *, most: int) -> str:
    match status:
        case HTTPStatus.BAD_REQUEST:
            return "request: expected HTTP/1.1"
        case HTTPStatus.REQUEST_TIMEOUT:
            return f"request: not whole after {settings.HANDSHAKE_SECONDS:g} s"
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return f"body: longer than {most} bytes"
        case HTTPStatus.REQUEST_URI_TOO_LONG:
            return f"address: longer than {MAX_LINE} bytes"
        case HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            return f"headers: longer than {MAX_LINE} bytes, or {MAX_HEAD} together"
        case HTTPStatus.TOO_MANY_REQUESTS:
            return f"requests: more than {settings.CONNECT_BURST} of an address wait, or {MAX_PIPELINE} of a connection"
    return status.phrase.lower()
