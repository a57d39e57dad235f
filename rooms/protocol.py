"""The wire format: JSON-RPC 2.0 frames, the gate that all JSON passes, and text from outside.

Pure: knows no Django and no sockets. The protocol itself is described in docs/protocol.md.
"""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from rooms.errors import BadRequest, RoomError
from rooms.events import compact

JSON = Any
"""Any JSON value."""

MAX_DEPTH = 32
MAX_NODES = 2000


class Request(NamedTuple):
    """One frame of a client. ``id`` is None for a notification, which gets no answer."""

    method: str
    params: Mapping[str, JSON]
    id: str | int | None


# --- JSON ---------------------------------------------------------------------------------------


def load_json(text: str) -> JSON:
    """The value of JSON text that every database and every client can keep.

    Raises BadRequest for what is not JSON (NaN included), numbers beyond 1.8e308, NUL, lone surrogates, more than
    32 levels or 2,000 values. Of a repeated key the last one counts.
    """
    try:
        value = _decode(text)
    except RecursionError:
        raise BadRequest(f"JSON: more than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise BadRequest(f"JSON: {error}") from None
    if text.count("[") + text.count("{") > MAX_DEPTH or (
        len(text) > MAX_NODES // 2 and text.count(",") + text.count(":") > MAX_NODES // 2
    ):
        _check_shape(value)
    if "\\u" in text or not text.isascii():
        _check_text(compact(value))
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is beyond 1.8e308")
    return number


def _parse_int(text: str) -> int:
    if len(text) > 310 or (len(text) > 300 and math.isinf(float(text))):
        raise ValueError("a number is beyond 1.8e308")
    return int(text)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_parse_float, parse_int=_parse_int)


def _decode(text: str) -> JSON:
    try:
        # Looks for no white space around the text: there hardly ever is any.
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        end = -1
    return value if end == len(text) else _DECODER.decode(text)


def _check_shape(value: JSON) -> None:
    nodes = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[JSON] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        nodes += len(level)
        if nodes > MAX_NODES:
            raise BadRequest(f"JSON: more than {MAX_NODES} values")
        if not below:
            return
        level = below
    if nodes + len(level) > MAX_NODES:
        raise BadRequest(f"JSON: more than {MAX_NODES} values")
    if any(isinstance(item, dict | list) for item in level):
        raise BadRequest(f"JSON: more than {MAX_DEPTH} levels")


_UNSTORABLE = re.compile("[\ud800-\udfff]|\\\\u0000")


def _check_text(text: str) -> None:
    # The text was written by compact(), so an escaped NUL is the only way a NUL can stand in it, unless its
    # backslash is itself escaped.
    for match in _UNSTORABLE.finditer(text):
        if match.group() != "\\u0000":
            raise BadRequest("JSON: a lone surrogate cannot be stored")
        start = match.start()
        backslashes = start - len(text[:start].rstrip("\\"))
        if backslashes % 2 == 0:
            raise BadRequest("JSON: the character NUL cannot be stored")


# --- Frames -------------------------------------------------------------------------------------


_ID_TYPES = {str, int, type(None)}


def parse(text: str | None, *, limit: int) -> Request:
    """The request in a text frame of at most limit bytes; text is None for a binary frame.

    Raises BadRequest; an Unreadable one if at least the request's id could be read.
    """
    if text is None:
        raise BadRequest("frame: binary frames are not understood")
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
    return f'{{"jsonrpc":"2.0","id":{compact(request_id)},"result":{compact(result)}}}'


def failure(request_id: str | int | None, error: RoomError) -> str:
    """The frame that refuses a request."""
    return f'{{"jsonrpc":"2.0","id":{compact(request_id)},"error":{compact(error.as_wire())}}}'


def notification(method: str, params: Mapping[str, Any]) -> str:
    """A frame that is no part of the journal, and so has no number."""
    return f'{{"method":"{method}","params":{compact(params)}}}'


# --- Text ---------------------------------------------------------------------------------------


def is_storable(text: str) -> bool:
    """Whether every database can keep the text: PostgreSQL takes neither NUL nor lone surrogates."""
    return "\x00" not in text and (text.isascii() or not _SURROGATE.search(text))


_SURROGATE = re.compile("[\ud800-\udfff]")

_UNSEEN = {"Cc", "Cs", "Co", "Cn"}
_INVISIBLE = {"Cf", "Mn", "Me"}  # these join or adorn others, and alone show nothing
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff")


def clean_name(text: str, *, limit: int, field: str = "name") -> str:
    """A name as it is shown: NFC, trimmed, white space folded, without control or direction characters.

    Raises BadRequest if it is longer than limit characters.
    """
    shown = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or (character not in _BIDI and unicodedata.category(character) not in _UNSEEN)
    )
    name = unicodedata.normalize("NFC", " ".join(shown.split()))
    if all(unicodedata.category(character) in _INVISIBLE for character in name):
        return ""
    if len(name) > limit:
        raise BadRequest(f"{field}: longer than {limit} characters")
    return name
