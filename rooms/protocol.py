"""The wire format: JSON-RPC 2.0 frames, the gate that all JSON passes, and text from outside.

Pure: knows no Django and no sockets. The protocol itself is described in docs/protocol.md.
"""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from rooms.wire.errors import BadRequest, RoomError
from rooms.wire.events import compact

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
    # Before they are made, which takes many times as long as counting the commas between them.
    if text.count(",") >= MAX_NODES - 1 and _STRING.sub("", text).count(",") >= MAX_NODES - 1:
        raise BadRequest(f"JSON: more than {MAX_NODES} values")
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


# One that does not end goes to the end of the text, so that each character is looked at once.
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)


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


# The text was written by compact(), so an escaped NUL is the only way a NUL can stand in it, unless its backslash is
# itself escaped. From the first backslash of a run only: one regular expression, which looks at each character once.
_UNSTORABLE_JSON = re.compile(r"[\ud800-\udfff]|(?<!\\)(?:\\\\)*\\u0000")


def _check_text(text: str) -> None:
    if found := _UNSTORABLE_JSON.search(text):
        what = "the character NUL" if found.group().endswith("0") else "a lone surrogate"
        raise BadRequest(f"JSON: {what} cannot be stored")


# --- Frames -------------------------------------------------------------------------------------


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

# --- Names --------------------------------------------------------------------------------------

_LEFT_OUT = {"Cc", "Cf", "Cs", "Co", "Cn"}  # controls, marks of direction, unassigned: none of them shows
# These shape what stands before them, such as an emoji or a letter of another script, and show nothing themselves.
_SHAPING = frozenset("\u200c\u200d\u180b\u180c\u180d\u180f") | {chr(code) for code in range(0xFE00, 0xFE10)}
# Letters, symbols and marks that fonts leave empty, such as the fillers of Hangul.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U0001d159") | {
    chr(code) for code in range(0xE0100, 0xE01F0)
}
_MARKS = {"Mn", "Me"}
MAX_MARKS = 4
"""Marks on one letter; a tall stack of them would cover the lines above and below."""


def clean_name(text: str, *, limit: int, field: str = "name") -> str:
    """A name as it is shown: NFC, trimmed, white space folded, without what shows nothing, marks clipped.

    Empty if nothing is left to see. Raises BadRequest if it is longer than limit characters.
    """
    # Before anything that costs more than its bytes; a character may be made of several.
    if len(text) > 8 * limit:
        raise BadRequest(f"{field}: longer than {limit} characters")
    name = _clip(unicodedata.normalize("NFC", " ".join("".join(map(_shown, text)).split())))
    if len(name) > limit:
        raise BadRequest(f"{field}: longer than {limit} characters")
    return name


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    if character in _SHAPING:
        return character
    return "" if character in _BLANK or unicodedata.category(character) in _LEFT_OUT else character


def shows(text: str) -> bool:
    """Whether there is anything to see in a text."""
    return any(
        _shown(character) not in ("", " ")
        and character not in _SHAPING
        and unicodedata.category(character) not in _MARKS
        for character in text
    )


def _clip(name: str) -> str:
    """The name without marks that stand on nothing, and those beyond MAX_MARKS on one character."""
    kept: list[str] = []
    room = 0  # for marks on what stands before
    for character in name:
        if character in _SHAPING or unicodedata.category(character) in _MARKS:
            if room:
                room -= 1
                kept.append(character)
        else:
            room = 0 if character == " " else MAX_MARKS
            kept.append(character)
    return " ".join("".join(kept).split())
