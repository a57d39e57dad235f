"""JSON-RPC 2.0 frames, as docs/protocol.md describes them."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from rooms.wire.errors import BadRequest, RoomError
from rooms.wire.events import compact
from rooms.wire.json_gate import JSON, load_json


class Request(NamedTuple):
    """One frame of a client. ``id`` is None for a notification, which gets no answer."""

    method: str
    params: Mapping[str, JSON]
    id: str | int | None


_ID_TYPES = {str, int, type(None)}

# Where clients write it: the id of a frame that is too long, too deep or holds what cannot be stored.
_ID_AT_END = re.compile(r'"id": ?"([^"\\]{1,128})", ?"jsonrpc": ?"2\.0"\}\s*\Z')


def parse(text: str | None, *, limit: int) -> Request:
    """The request in a text frame of at most limit bytes; text is None for a binary frame.

    Raises BadRequest; an Unreadable one if at least the request's id could be read.
    """
    if text is None:
        raise BadRequest("frame: binary frames are not understood")
    try:
        return _request(text, limit)
    except Unreadable:
        raise
    except BadRequest as error:
        # Else whoever asked would wait for ever.
        if text.startswith("{") and (found := _ID_AT_END.search(text[-200:])):
            raise Unreadable(error.message, found[1]) from None
        raise


def _request(text: str, limit: int) -> Request:
    # A character takes at most four bytes.
    if len(text) * 4 > limit and len(text.encode("utf-8", "surrogatepass")) > limit:
        raise BadRequest(f"frame: longer than {limit} bytes")
    frame = load_json(text)
    if not isinstance(frame, dict):
        raise BadRequest("frame: expected a JSON object")
    request_id = frame.get("id")
    if type(request_id) not in _ID_TYPES:
        raise BadRequest("id: expected a string or a whole number")
    if isinstance(request_id, str) and len(request_id) > 128:
        raise BadRequest("id: longer than 128 characters")
    method = frame.get("method")
    if not isinstance(method, str):
        raise Unreadable("method: expected a string", request_id)
    params = frame.get("params")
    if params is None:
        params = {}
    if not isinstance(params, dict):
        raise Unreadable("params: expected an object", request_id)
    return Request(method, params, request_id)


class Unreadable(BadRequest):
    """A frame that is no request, of which the id at least could be read."""

    def __init__(self, message: str, request_id: str | int | None) -> None:
        super().__init__(message)
        self.request_id = request_id


def response(request_id: str | int | None, result: Mapping[str, Any]) -> str:
    """The frame that answers a request. A falsy result would count as an error at the client, so it is none."""
    return compact({"jsonrpc": "2.0", "id": request_id, "result": result})


def failure(request_id: str | int | None, error: RoomError) -> str:
    """The frame that refuses a request."""
    return compact({"jsonrpc": "2.0", "id": request_id, "error": error.as_wire()})


def notification(method: str, params: Mapping[str, Any]) -> str:
    """A frame that is no part of the journal, and so has no number."""
    return f'{{"method":"{method}","params":{compact(params)}}}'
